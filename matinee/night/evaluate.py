"""Evaluates what would be published beside baselines, and applies the rules of the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import releases, transform, warehouse
from matinee.columns import PLACES
from matinee.evaluation import gate, metrics
from matinee.models import fits
from matinee.models.combination import Combination, Context
from matinee.models.feature_families import genres
from matinee.models.parts import Parts
from matinee.night import attribution, combine, exposure_policy, fit
from matinee.night.frame import EVALUATED, PUBLISHED
from matinee.night.night import Night
from matinee.night.ranker import Lists, Ranker
from matinee.night.scorer import COMBINATION
from matinee.slates import ai_labels, calibration, exposure, member_groups, ranking

ARTWORK = """
    select asset_id, title_id, digital_source_type, disclosure_label
    from assets
    where
        asset_kind = 'artwork'
        and not is_retired
    order by asset_id
"""

HYBRID = "hybrid"
"""The published lists: the key that releases have had from the start."""

CALIBRATED, UNCALIBRATED = "calibrated", "uncalibrated"
"""The published lists with or without calibration, whichever is not published."""

REPORTED_CALIBRATION = 0.1
"""The weight of `CALIBRATED` while calibration is off."""

BEFORE_POLICY = "unraised"
"""The published lists without the boosts of the policy. The key stays as releases have it."""

LIGHTFM = "lightfm"
"""The LightFM hybrid alone, a baseline."""

SESSION = "session_"
"""Before the names of metrics and rules of the session lists."""

BASELINES = {fits.HYBRID: LIGHTFM}
"""Part -> its name as a baseline, where it differs."""

FOR_ALL = "popularity-16000"
"""The part that a baseline falls back to for members without interactions."""

BLOCK = 512
"""Members that a baseline ranks at once."""

COLD_TITLE = "cold title"
"""A cohort of titles, not of members: slates and held-out plays of cold titles."""


@dataclass(frozen=True)
class Evaluation:
    """Metrics and gate verdicts: the evidence of a release."""

    table: pa.Table
    """In the schema of `gate.EVALUATION`."""

    verdicts: tuple[gate.Verdict, ...]
    groups: tuple[exposure.Row, ...] = ()
    """NDCG of the published lists by group of members: an audit of fairness."""

    def rows(self) -> list[dict[str, Any]]:
        """The gate table: a line per cohort and metric, a column per model."""
        table: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self.table.to_pylist():
            line = table.setdefault(
                (row["metric"], row["cohort"]),
                {
                    "cohort": row["cohort"],
                    "metric": row["metric"],
                    "members": row["member_count"],
                },
            )
            line[row["model"]] = round(row["mean"], 4)
        return list(table.values())

    def exposure_policy_cost(self) -> dict[str, float] | None:
        """The NDCG that the exposure policy costs, with its interval; None without a policy."""
        key = (BEFORE_POLICY, gate.EVERYONE, f"ndcg@{PLACES}")
        for row in self.table.to_pylist():
            if (row["model"], row["cohort"], row["metric"]) == key:
                return {name: row[name] for name in ("lead", "lead_low", "lead_high")}
        return None

    def refusals(self) -> list[gate.Verdict]:
        """The verdicts of the rules that failed."""
        return [verdict for verdict in self.verdicts if not verdict.passed]


def evaluate(night: Night) -> Evaluation:
    """Rank all unseen titles for each evaluated member with every model, and compare.

    Where a baseline is better than the combination, the night publishes the baseline.
    """
    settings = night.settings
    chosen = combine.Chosen.read(night.work(""))
    fitted = fit.load_all(night)
    members = warehouse.query(
        "select member_id, country, plan, gender, birth_year from members order by member_id",
        home=night.home,
    )
    ids = fitted[PUBLISHED].frame.members.ids
    result, published = compare(
        fitted,
        chosen,
        audited=member_groups.member_groups(members, ids, year=night.as_of.year),
        slate_size=settings.slate_size,
        coverage_share=float(transform.project_vars(settings.project)["coverage_share"]),
        policy=exposure_policy.policy(settings.project),
        seed=settings.seed,
    )
    published.write(night.work(""))
    return replace(result, verdicts=(*result.verdicts, _labels(night)))


def carried(
    night: Night, release: releases.Release, verdicts: Sequence[gate.Verdict]
) -> Evaluation:
    """The evaluation that a release carries from the last full one, with tonight's verdicts."""
    table = release.evaluation()
    names = ["member_count" if name == "n" else name for name in table.column_names]
    return Evaluation(
        table.rename_columns(names).cast(gate.EVALUATION),
        (*verdicts, _labels(night)),
        tuple(release.manifest["exposure"]["gaps"]),
    )


def _labels(night: Night) -> gate.Verdict:
    titles = warehouse.query(
        "select * from titles where not is_retired order by 1", home=night.home
    )
    return ai_labels.labelled(warehouse.query(ARTWORK, home=night.home), titles)


def compare(
    fitted: Mapping[str, fits.Fit],
    chosen: combine.Chosen,
    *,
    slate_size: int,
    coverage_share: float,
    seed: int,
    policy: Sequence[exposure_policy.ExposureTarget] = (),
    audited: Mapping[str, Sequence[str | None]] | None = None,
) -> tuple[Evaluation, combine.Chosen]:
    """Evaluate both contexts on what the validation splits hold out, as they would be published.

    Parameters
    ----------
    fitted : mapping of frame name to fit
        As `fit.load_all` returns them.
    audited
        Attribute -> one value a member, whose groups must not fall behind.

    Returns
    -------
    evaluation : Evaluation
    chosen : Chosen
        With the model that each context publishes.
    """
    last = combine.session_fit(fitted)
    visit = fitted.get(EVALUATED)
    splits = [
        Split("next_visit", visit, (chosen.evaluation_weights, chosen.evaluation_weights))
        if visit
        else None,
        Split("session", last, chosen.halves) if last else None,
    ]
    tables: list[pa.Table] = []
    verdicts: list[gate.Verdict] = []
    groups: list[exposure.Row] = []
    for split in filter(None, splits):
        result = evaluate_split(
            split,
            chosen,
            slate_size=slate_size,
            coverage_share=coverage_share,
            seed=seed,
            policy=policy,
            audited=audited,
        )
        tables.append(result.evaluation)
        verdicts += result.verdicts
        groups += result.groups
        chosen = chosen.publishing(split.context, result.model)
    if not tables:
        n_members = len(fitted[PUBLISHED].frame.members)
        empty = gate.EVALUATION.empty_table()
        return Evaluation(empty, (gate.no_evaluated_members(n_members),)), chosen
    return Evaluation(pa.concat_tables(tables), tuple(verdicts), tuple(groups)), chosen


@dataclass(frozen=True)
class Split:
    """One validation split and the weights that have not seen what it holds out."""

    context: Context
    fit: fits.Fit
    halves: tuple[combine.Weights, combine.Weights]
    """For the members of either half; see `combine.half_of`."""


@dataclass(frozen=True)
class Result:
    evaluation: pa.Table
    verdicts: list[gate.Verdict]
    groups: list[exposure.Row]
    model: str


def evaluate_split(
    split: Split,
    chosen: combine.Chosen,
    *,
    slate_size: int,
    coverage_share: float,
    seed: int,
    policy: Sequence[exposure_policy.ExposureTarget] = (),
    audited: Mapping[str, Sequence[str | None]] | None = None,
) -> Result:
    """Evaluate one context; parameters as for `compare`."""
    frame, parts = split.fit.frame, split.fit.parts
    truth, seen, listed = frame.truth(), frame.seen(), frame.in_catalogue
    members = np.flatnonzero(np.diff(truth.indptr))
    held_out = truth[members]
    prefix = SESSION if split.context == "session" else ""
    size = max(slate_size, PLACES)

    with_knn = fits.with_item_knn(parts)
    slates = {
        BASELINES.get(name, name): baseline(
            with_knn, name, members, excluded=seen[members], allowed=listed
        )
        for name in with_knn.names
        if name != attribution.NEW_TITLES
    }
    ndcg = {name: metrics.ndcg(rows, held_out) for name, rows in slates.items()}
    best = max(ndcg, key=lambda name: float(ndcg[name].mean()))

    def ranked(model: str) -> Versions:
        own = with_knn if model == fits.ITEM_KNN else parts
        ranker = ranker_of(split, chosen, size=size, parts=own)
        return versions(ranker, split, chosen, model, members, policy)

    model, published = COMBINATION, ranked(COMBINATION)
    lead = metrics.paired_bootstrap(metrics.ndcg(published.shown, held_out), ndcg[best], seed)
    allowed = gate.tolerated(float(ndcg[best].mean()))
    if gate.status_of_gap(-lead.mean, low=-lead.high, limit=allowed) is gate.Status.FAIL:
        slates[COMBINATION] = published.shown
        model = _part_of(best)
        published = ranked(model)
    slates |= {HYBRID: published.shown, **published.others}

    counts = np.diff(parts.history.matrix().indptr)[members]
    tastes = calibration.tastes(
        sp.csr_array(frame.interactions())[members], genres(split.fit.features)
    )
    evaluation = gate.evaluate(
        slates,
        held_out,
        gate.cohorts(counts),
        candidate=HYBRID,
        seed=seed,
        prefix=prefix,
        extra_metrics={
            "calibration_kl": lambda rows, _: metrics.calibration(
                rows, tastes, genres(split.fit.features)
            )
        },
    )
    evaluation = pa.concat_tables([evaluation, *_cold_titles(split, chosen, members, prefix, seed)])
    verdicts = gate.gate(
        evaluation,
        published.scores,
        candidate=HYBRID,
        baseline=best,
        prefix=prefix,
        coverage_floor=coverage_share * gate.attainable_coverage(held_out, PLACES),
    )
    groups: list[exposure.Row] = []
    if split.context == "next_visit":
        of_members = {
            name: [values[row] for row in members.tolist()]
            for name, values in (audited or {}).items()
        }
        groups = exposure.group_means(metrics.ndcg(published.shown, held_out), of_members)
        verdicts += exposure.gap_verdicts(groups, metric=f"ndcg@{PLACES}")
    return Result(evaluation, verdicts, groups, model)


@dataclass(frozen=True)
class Versions:
    """The published lists of a split's members, and what they would be otherwise."""

    shown: NDArray[np.intp]
    """intp, shape (n_members, PLACES)."""

    scores: NDArray[np.float32]
    others: dict[str, NDArray[np.intp]]


def versions(
    ranker: Ranker,
    split: Split,
    chosen: combine.Chosen,
    model: str,
    members: NDArray[np.intp],
    policy: Sequence[exposure_policy.ExposureTarget],
) -> Versions:
    """The lists of some members as a night publishes them, without calibration and policy too.

    Each half of the members is ranked by the weights that have not seen it.
    """
    half = combine.half_of(ranker.fit.frame.members.ids)
    lists = Lists.empty(len(members), ranker.size, len(ranker.parts.names))
    for side, weights in enumerate(split.halves):
        names = ranker.parts.names
        placed = combine.baseline_weights(weights, chosen.parts, model, names)
        one = replace(ranker, combination=Combination(names, {split.context: placed}))
        for country, inside in _by_country(ranker.countries, members):
            own = inside[half[members[inside]] == bool(side)]
            (ranked,) = one.lists(
                members[own],
                country=country,
                allowed=ranker.fit.frame.in_catalogue,
                contexts=(split.context,),
            ).values()
            lists.rows[own], lists.contributions[own] = ranked.rows, ranked.contributions
    ready = ranker.with_policy(policy, members, {split.context: lists})
    shown = ready.published(members, lists, context=split.context)
    others = {}
    if split.context == "next_visit":
        weight = ranker.calibration_weight
        other = replace(ready, calibration_weight=0.0 if weight else REPORTED_CALIBRATION)
        lists_of_other = other.published(members, lists, context=split.context)
        name = UNCALIBRATED if weight else CALIBRATED
        others[name] = lists_of_other.rows[:, :PLACES]
    if policy:
        before = ready.published(members, lists, context=split.context, policy=False)
        others[BEFORE_POLICY] = before.rows[:, :PLACES]
    return Versions(shown.rows[:, :PLACES], shown.scores, others)


def without(
    split: Split,
    chosen: combine.Chosen,
    weights: combine.Weights,
    *,
    label: str,
    slate_size: int,
    seed: int,
) -> dict[str, Any]:
    """NDCG of the lists with other weights, and the lead of the published lists over them."""
    frame = split.fit.frame
    truth = frame.truth()
    members = np.flatnonzero(np.diff(truth.indptr))
    values = []
    for one in (split, replace(split, halves=(weights, weights))):
        ranker = ranker_of(one, chosen, size=max(slate_size, PLACES))
        shown = versions(ranker, one, chosen, COMBINATION, members, ()).shown
        values.append(metrics.ndcg(shown, truth[members]))
    own, lead = metrics.bootstrap_columns(np.column_stack([values[1], values[0] - values[1]]), seed)
    row = {"members": len(members), "model": label, "mean": own.mean, "low": own.low}
    return row | {"high": own.high, "lead": lead.mean, "lead_low": lead.low, "lead_high": lead.high}


def ranker_of(
    split: Split, chosen: combine.Chosen, *, size: int, parts: Parts | None = None
) -> Ranker:
    """A ranker for the members of a split, without weights."""
    frame = split.fit.frame
    return Ranker(
        fit=replace(split.fit, parts=parts or split.fit.parts),
        combination=Combination(chosen.parts, {}),
        seen=frame.seen(),
        countries=frame.member_features["country"].to_pylist(),
        size=size,
        calibration_weight=chosen.calibration_weight,
    )


def baseline(
    parts: Parts,
    name: str,
    members: NDArray[np.intp],
    *,
    excluded: sp.csr_array[np.bool_],
    allowed: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """The first places by one part alone, intp, shape (n_members, PLACES).

    Parts that need a history rank by popularity for members without interactions.
    """
    part, popular = parts.by_name[name], parts.by_name[FOR_ALL]
    known = parts.history.lengths()[members] > 0
    rows = np.full((len(members), PLACES), ranking.NONE, np.intp)
    for start in range(0, len(members), BLOCK):
        block = slice(start, start + BLOCK)
        scores = np.array(part.scores(members[block]), np.float32)
        unknown = ~known[block]
        if part.needs_history and unknown.any():
            scores[unknown] = popular.scores(members[block][unknown])
        rows[block], _ = ranking.best_of_scores(
            scores, np.arange(len(scores)), PLACES, excluded=excluded[block], allowed=allowed
        )
    return rows


def _cold_titles(
    split: Split, chosen: combine.Chosen, members: NDArray[np.intp], prefix: str, seed: int
) -> list[pa.Table]:
    """The evaluation on cold titles: every model ranks these alone."""
    frame, parts = split.fit.frame, split.fit.parts
    seen_titles = np.concatenate([parts.history.titles, frame.seen().indices])
    cold = frame.in_catalogue & (np.bincount(seen_titles, minlength=frame.shape[1]) == 0)
    truth = gate.only_titles(frame.truth()[members], cold)
    if not truth.nnz:
        return []
    ranker = Ranker(
        fit=split.fit,
        combination=Combination(chosen.parts, {split.context: split.halves[0]}),
        seen=frame.seen(),
        countries=frame.member_features["country"].to_pylist(),
        size=PLACES,
    )
    (lists,) = ranker.lists(members, country=None, allowed=cold, contexts=(split.context,)).values()
    nothing = sp.csr_array((len(members), frame.shape[1]), dtype=np.bool_)
    slates = {HYBRID: lists.rows} | {
        BASELINES.get(name, name): baseline(parts, name, members, excluded=nothing, allowed=cold)
        for name in (fits.HYBRID, "popularity")
    }
    cohort = {COLD_TITLE: np.ones(len(members), np.bool_)}
    found = gate.evaluate(slates, truth, cohort, candidate=HYBRID, seed=seed, prefix=prefix)
    return [found.filter(pc.equal(found["cohort"], COLD_TITLE))]


def _by_country(
    countries: Sequence[str | None], members: NDArray[np.intp]
) -> list[tuple[str | None, NDArray[np.intp]]]:
    """Places among `members` by country."""
    places: dict[str | None, list[int]] = {}
    for place, member in enumerate(members.tolist()):
        places.setdefault(countries[member] or None, []).append(place)
    return [(country, np.array(found, np.intp)) for country, found in places.items()]


def _part_of(model: str) -> str:
    """The part that is a baseline."""
    names = {name: part for part, name in BASELINES.items()}
    return names.get(model, model)
