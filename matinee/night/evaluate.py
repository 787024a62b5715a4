"""Judges the hybrid beside its siblings and popularity, and holds the gate's rules to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import warehouse
from matinee.columns import MEMBER_ID, PLACES
from matinee.evaluation import gate, metrics
from matinee.models import fallback, feature_families, fits
from matinee.models.feature_families import COLLABORATIVE, CONTENT, HYBRID, genres
from matinee.models.frame import Frame
from matinee.night import exposure_policy, fit
from matinee.night.frame import JUDGED, read_frame
from matinee.night.night import Night
from matinee.slates import ai_labels, calibration, exposure, member_groups, ranking

ARTWORK = """
    select asset_id, title_id, digital_source_type, disclosure_label
    from assets
    where
        asset_kind = 'artwork'
        and not is_retired
    order by asset_id
"""

CALIBRATED, UNCALIBRATED = "calibrated", "uncalibrated"
"""The hybrid ordered the other way than it is published, so that the price is seen every night."""

PRICED_AT = 0.1
"""The weight at which calibration is priced while it is switched off."""

UNRAISED = "unraised"
"""The hybrid before a policy raised anything, so that its price is seen."""

POPULARITY = "popularity"
"""What was liked most: the floor of the gate. Likes fade with the service's own
`recency_half_life_days` where what comes next judges, and all count the same elsewhere."""

TRENDING = "trending"
"""The same, fading as fits best what comes next: one list for all, so it is told and not asked for.
Where everybody follows the week, the variety that the gate asks costs a little beside it."""

COLD_TITLE = "cold title"
"""A cohort of titles, not of members: slates and truth of titles nobody had met at the cut."""


@dataclass(frozen=True)
class Judged:
    """Numbers and verdicts: the evidence of a release."""

    evaluation: pa.Table
    verdicts: tuple[gate.Verdict, ...]
    groups: tuple[exposure.Row, ...] = ()
    """The hybrid's NDCG in groups of members, beside everybody else's: an audit of fairness."""

    def rows(self) -> list[dict[str, Any]]:
        """The gate table: a line per cohort and metric, a column per model."""
        table: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self.evaluation.to_pylist():
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

    def price_of_raising(self) -> dict[str, float] | None:
        """What a policy costs in NDCG, with its interval; None where there is none."""
        wanted = (UNRAISED, gate.EVERYONE, f"ndcg@{PLACES}")
        for row in self.evaluation.to_pylist():
            if (row["model"], row["cohort"], row["metric"]) == wanted:
                return {name: row[name] for name in ("lead", "lead_low", "lead_high")}
        return None

    def refusals(self) -> list[gate.Verdict]:
        """The rules that said no."""
        return [verdict for verdict in self.verdicts if not verdict.passed]


def judge(night: Night) -> Judged:
    """Rank all titles for every held-out member with every model, seen ones out, and compare."""
    frame = read_frame(night.work(JUDGED))
    models = {
        name: (fit.load(night, JUDGED, name), feature_families.described(frame, name))
        for name in (HYBRID, COLLABORATIVE, CONTENT)
    }
    settings = night.settings
    members = warehouse.query(
        "select member_id, country, plan, gender, birth_year from members order by member_id",
        home=night.home,
    )
    judged = compare(
        frame,
        models,
        audited=member_groups.member_groups(members, frame.members.ids, year=night.as_of.year),
        slate_size=settings.slate_size,
        calibration_weight=fit.Chosen.read(night.work("")).calibration_weight,
        policy=exposure_policy.policy(settings.project),
        seed=settings.seed,
    )
    titles = warehouse.query(
        "select * from titles where not is_retired order by 1", home=night.home
    )
    label = ai_labels.labelled(warehouse.query(ARTWORK, home=night.home), titles)
    return replace(judged, verdicts=(*judged.verdicts, label))


def compare(
    frame: Frame,
    models: Mapping[str, fits.Fitted],
    *,
    slate_size: int,
    calibration_weight: float,
    seed: int,
    policy: Sequence[exposure_policy.Wanted] = (),
    audited: Mapping[str, Sequence[str | None]] | None = None,
) -> Judged:
    """Judge models by what a frame holds out; the hybrid is on trial as it would be published.

    Parameters
    ----------
    audited
        Attribute -> one value a member, whose groups must not fall behind.
    """
    truth = frame.truth()
    interactions = frame.interactions()
    met = frame.seen()
    # A title that was not in the catalogue at the cut could not have been shown.
    here = pc.is_valid(frame.title_features["title_kind"]).to_numpy()
    acted_on = np.concatenate([interactions.col, met.indices])
    cold = here & (np.bincount(acted_on, minlength=len(frame.titles)) == 0)

    title_genres = genres(models[HYBRID][1])
    mixes = calibration.tastes(sp.csr_array(interactions), title_genres)
    slates: dict[str, NDArray[np.intp]] = {}
    of_cold: dict[str, NDArray[np.intp]] = {}
    scores: NDArray[np.float32] = np.empty(0, np.float32)
    for name, (model, features) in models.items():
        vectors = model.member_vectors(features.members), model.title_vectors(features.titles)
        size = max(slate_size, PLACES) if name == HYBRID else PLACES
        rows, scored = ranking.best_titles(*vectors, size, excluded=met, allowed=here)
        slates[name] = rows[:, :PLACES]
        of_cold[name], _ = ranking.best_titles(*vectors, PLACES, allowed=cold)
        if name == HYBRID:
            scores = scored
            other = CALIBRATED if calibration_weight == 0 else UNCALIBRATED
            calibrated = calibration.rerank(
                rows, scored, mixes, title_genres, weight=calibration_weight or PRICED_AT
            )
            pair = (rows, scored), calibrated
            pair = pair if other == CALIBRATED else pair[::-1]
            versions = dict(zip((name, other), pair, strict=True))
            if policy:
                versions[UNRAISED] = versions[name]
                found = exposure_policy.lifts(versions[name], frame, policy)
                versions[name] = exposure_policy.raised(versions[name], found)
            strangers = fallback.cold_members(model, features, interactions)
            served = _popular(frame, strangers, met, here)
            for version, (of_version, _) in versions.items():
                slates[version] = of_version[:, :PLACES].copy()
                slates[version][strangers] = served
    everyone = np.zeros(len(frame.members), np.intp)
    fading = {POPULARITY: frame.half_life_days}
    if frame.popular_half_life_days != frame.half_life_days:
        fading[TRENDING] = frame.popular_half_life_days
    for name, half_life in fading.items():
        popular = frame.popularity(half_life_days=half_life)[None, :]
        slates[name], _ = ranking.best_of_scores(
            popular, everyone, PLACES, excluded=met, allowed=here
        )
        of_cold[name], _ = ranking.best_of_scores(popular, everyone, PLACES, allowed=cold)

    cohorts = gate.cohorts(np.bincount(interactions.row, minlength=len(frame.members)))
    evaluation = gate.evaluate(
        slates,
        truth,
        cohorts,
        candidate=HYBRID,
        seed=seed,
        extra_metrics={
            "calibration_kl": lambda rows, _: metrics.calibration(rows, mixes, title_genres)
        },
    )
    among_cold = gate.only_titles(truth, cold)
    if among_cold.nnz:
        cohort = {COLD_TITLE: np.ones(len(frame.members), np.bool_)}
        found = gate.evaluate(of_cold, among_cold, cohort, candidate=HYBRID, seed=seed)
        of_titles = found.filter(pc.equal(found["cohort"], COLD_TITLE))
        evaluation = pa.concat_tables([evaluation, of_titles])
    if not truth.nnz:
        return Judged(evaluation, (gate.no_evaluated_members(len(frame.members)),))
    verdicts = gate.gate(
        evaluation, scores, candidate=HYBRID, baselines=(POPULARITY, COLLABORATIVE)
    )
    groups = exposure.group_means(metrics.ndcg(slates[HYBRID], truth), audited or {})
    verdicts += exposure.gap_verdicts(groups, metric=f"ndcg@{PLACES}")
    return Judged(evaluation, tuple(verdicts), tuple(groups))


def _popular(
    frame: Frame, members: NDArray[np.intp], met: sp.csr_array[np.bool_], here: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """The first places of what is popular in each member's country, as `scoring` fills them."""
    told = frame.member_features
    countries, scores = fallback.popular(frame, told[MEMBER_ID], told["country"])
    place = {name: row for row, name in enumerate(countries)}
    of_country = np.array([place[name or None] for name in told["country"].to_pylist()], np.intp)
    rows, _ = ranking.best_of_scores(
        scores, of_country[members], PLACES, excluded=met[members], allowed=here
    )
    return rows
