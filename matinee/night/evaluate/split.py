"""Evaluates one validation split: rank every model, publish the best, evaluate, apply the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import PLACES
from matinee.evaluation import comparison, gate, metrics
from matinee.evaluation.names import COLD_TITLE, HYBRID, OPERATOR_POLICY
from matinee.models import fits
from matinee.models.baselines import baselines_of, part_of
from matinee.models.combination import Combination
from matinee.models.feature_families import genres
from matinee.night import combine
from matinee.night.evaluate.baselines import baseline
from matinee.night.evaluate.versions import Split, Versions, ranker_of, versions
from matinee.night.policy import exposure_policy, operator_policy
from matinee.night.ranker import Ranker
from matinee.night.scorer import COMBINATION
from matinee.slates import calibration, exposure, group_gaps
from matinee.slates.operator_policy import Rule

Slates = dict[str, NDArray[np.intp]]
"""Model -> first places of the evaluated members, intp, shape (n_evaluated, PLACES)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the evaluation of each split of a night has in common."""

    slate_size: int
    coverage_share: float
    """The least coverage, as a share of what can be attained."""

    seed: int
    policy: Sequence[exposure_policy.ExposureTarget] = ()
    rules: Sequence[Rule] = ()
    """Of the operator, whose price is measured as of `day`."""

    day: date | None = None
    audited: Mapping[str, Sequence[str | None]] | None = None
    """Attribute -> one value a member, whose groups must not fall behind."""


@dataclass(frozen=True)
class Result:
    """The evaluation of one split."""

    evaluation: pa.Table
    verdicts: list[gate.Verdict]
    groups: list[exposure.Row]
    model: str
    """The model that the context publishes."""


def evaluate_split(split: Split, chosen: combine.Chosen, options: Options) -> Result:
    """Evaluate one context: the combination, or the best baseline where that is better."""
    slates = _baselines(split)
    ndcg = {name: metrics.ndcg(rows, split.held_out) for name, rows in slates.items()}
    best = max(ndcg, key=lambda name: float(ndcg[name].mean()))
    model, published = COMBINATION, _published(split, chosen, COMBINATION, options)
    if _trails(metrics.ndcg(published.shown, split.held_out), ndcg[best], options.seed):
        slates[COMBINATION] = published.shown
        model = part_of(best)
        published = _published(split, chosen, model, options)
    slates |= {HYBRID: published.shown, **published.others}
    if split.context == "next_visit" and options.rules and options.day:
        slates[OPERATOR_POLICY] = _with_rules(split, published.shown, options.rules, options.day)
    table = pa.concat_tables(
        [_evaluated(split, slates, options.seed), *_cold_titles(split, chosen, options.seed)]
    )
    groups = _groups(split, published, options)
    verdicts = [
        *gate.gate(
            table,
            published.scores,
            candidate=HYBRID,
            baseline=best,
            prefix=split.prefix,
            coverage_floor=options.coverage_share
            * gate.attainable_coverage(split.held_out, PLACES),
        ),
        *(group_gaps.gap_verdicts(groups, metric=f"ndcg@{PLACES}") if groups is not None else ()),
    ]
    return Result(table, verdicts, groups or [], model)


def _baselines(split: Split) -> Slates:
    """Every part alone, and item-kNN."""
    frame, parts = split.fit.frame, fits.with_item_knn(split.fit.parts)
    excluded = frame.seen()[split.members]
    return {
        name: baseline(parts, part, split.members, excluded=excluded, allowed=frame.in_catalogue)
        for part, name in baselines_of(parts.names).items()
    }


def _published(split: Split, chosen: combine.Chosen, model: str, options: Options) -> Versions:
    """The lists that a night publishes where it publishes `model`."""
    parts = split.fit.parts
    own = fits.with_item_knn(parts) if model == fits.ITEM_KNN else parts
    ranker = ranker_of(split, chosen, size=max(options.slate_size, PLACES), parts=own)
    return versions(ranker, split, chosen, model, split.members, options.policy)


def _with_rules(
    split: Split, shown: NDArray[np.intp], rules: Sequence[Rule], day: date
) -> NDArray[np.intp]:
    """The first places as pages show them under the rules of the operator."""
    frame = split.fit.frame
    seen = frame.seen()[split.members]
    countries = frame.member_features["country"].to_pylist()
    return operator_policy.applied(
        rules,
        frame.titles,
        shown,
        [countries[row] for row in split.members.tolist()],
        [set(row.tolist()) for row in np.split(seen.indices, seen.indptr[1:-1])],
        day,
    )


def _trails(own: NDArray[np.float64], best: NDArray[np.float64], seed: int) -> bool:
    """Whether the rule that compares with the best baseline would fail."""
    lead = metrics.paired_bootstrap(own, best, seed)
    allowed = gate.tolerated(float(best.mean()))
    status = gate.status_of_gap(-lead.mean, low=-lead.high, limit=allowed)
    return status is gate.Status.FAIL


def _evaluated(split: Split, slates: Slates, seed: int) -> pa.Table:
    """The metrics of all slates by cohort."""
    features = genres(split.fit.features)
    counts = np.diff(split.fit.parts.history.matrix().indptr)[split.members]
    liked = sp.csr_array(split.fit.frame.interactions())[split.members]
    tastes = calibration.tastes(liked, features)
    return comparison.evaluate(
        slates,
        split.held_out,
        comparison.cohorts(counts),
        candidate=HYBRID,
        seed=seed,
        prefix=split.prefix,
        extra_metrics={
            "calibration_kl": lambda rows, _: metrics.calibration(rows, tastes, features)
        },
    )


def _groups(split: Split, published: Versions, options: Options) -> list[exposure.Row] | None:
    """NDCG of the published lists by group of members; None in a context without this audit."""
    if split.context != "next_visit":
        return None
    of_members = {
        name: [values[row] for row in split.members.tolist()]
        for name, values in (options.audited or {}).items()
    }
    return group_gaps.group_means(metrics.ndcg(published.shown, split.held_out), of_members)


def _cold_titles(split: Split, chosen: combine.Chosen, seed: int) -> list[pa.Table]:
    """The evaluation on cold titles: every model ranks these alone."""
    frame, parts, members = split.fit.frame, split.fit.parts, split.members
    seen_titles = np.concatenate([parts.history.titles, frame.seen().indices])
    cold = frame.in_catalogue & (np.bincount(seen_titles, minlength=frame.shape[1]) == 0)
    truth = comparison.only_titles(split.held_out, cold)
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
        name: baseline(parts, part, members, excluded=nothing, allowed=cold)
        for part, name in baselines_of((fits.HYBRID, "popularity")).items()
    }
    cohort = {COLD_TITLE: np.ones(len(members), np.bool_)}
    found = comparison.evaluate(
        slates, truth, cohort, candidate=HYBRID, seed=seed, prefix=split.prefix
    )
    return [found.filter(pc.equal(found["cohort"], COLD_TITLE))]


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
    values = []
    for one in (split, replace(split, halves=(weights, weights))):
        ranker = ranker_of(one, chosen, size=max(slate_size, PLACES))
        shown = versions(ranker, one, chosen, COMBINATION, split.members, ()).shown
        values.append(metrics.ndcg(shown, split.held_out))
    own, lead = metrics.bootstrap_columns(np.column_stack([values[1], values[0] - values[1]]), seed)
    row = {"members": len(split.members), "model": label, "mean": own.mean, "low": own.low}
    return row | {"high": own.high, "lead": lead.mean, "lead_low": lead.low, "lead_high": lead.high}
