"""Is tonight's model good enough to publish? Evaluate every model alike, then hold rules to it.

An evaluation is one Arrow table, one row per model, cohort and metric; the rules read nothing
else, so a published evaluation can be judged again by anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.evaluation import metrics

EVERYONE = "everyone"

COVERAGE_FLOOR = 0.03
"""The least share of the catalogue in anybody's first places. Seen in November 2026: 0.04 on
MovieTweetings, whose members have told five ratings each; 0.25 on the simulator; 0.004 for a list
of hits."""

TOLERANCE, RELATIVE_TOLERANCE = 0.005, 0.02
"""How far a model may trail another and still be as good: the larger of the two, see `gate`."""

Row: TypeAlias = dict[str, Any]
"""One row of an evaluation."""

EVALUATION = pa.schema(
    [
        ("model", pa.string()),
        ("cohort", pa.string()),
        ("metric", pa.string()),
        ("member_count", pa.int64()),
        ("mean", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        # The contender's lead over this model, on the same members; null in its own rows.
        ("lead", pa.float64()),
        ("lead_low", pa.float64()),
        ("lead_high", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Verdict:
    """What one rule said."""

    rule: str
    passed: bool
    observed: float
    threshold: float
    text: str
    """One sentence for people."""


def cohorts(
    member_counts: NDArray[np.integer], *, heavy_from: int = 20
) -> dict[str, NDArray[np.bool_]]:
    """Members by how much was known of them: masks, bool, shape (n_members,).

    `cold` had no interaction in the training data, `light` fewer than `heavy_from`, `heavy` the
    rest; `everyone` is all of them.
    """
    return {
        EVERYONE: np.ones(len(member_counts), np.bool_),
        "heavy": member_counts >= heavy_from,
        "light": (member_counts > 0) & (member_counts < heavy_from),
        "cold": member_counts == 0,
    }


def only_titles(truth: sp.csr_array[np.bool_], titles: NDArray[np.bool_]) -> sp.csr_array[np.bool_]:
    """The truth with nothing but `titles` in it: cold ones, say, to judge slates made of those."""
    kept = truth.copy()
    kept.data = kept.data & titles[kept.indices]
    kept.eliminate_zeros()
    kept.sort_indices()
    return kept


def evaluate(
    slates: Mapping[str, NDArray[np.intp]],
    truth: sp.csr_array[np.bool_],
    members: Mapping[str, NDArray[np.bool_]],
    *,
    contender: str,
    seed: int,
    metric_names: tuple[str, ...] = ("ndcg", "recall"),
    measures: Mapping[str, metrics.Metric] | None = None,
) -> pa.Table:
    """Judge several models' slates of the same members by the same truth.

    Parameters
    ----------
    slates : mapping of model name to intp, shape (n_members, k)
        All of one length k; it becomes part of the metrics' names: `ndcg@10`.
    truth : bool CSR, shape (n_members, n_titles)
        Members with an empty row are not judged.
    members : mapping of cohort name to bool, shape (n_members,)
        As `cohorts` gives them. A cohort with nobody to judge has no rows.
    contender : str
        The model whose lead over each other one is measured, member by member.
    metric_names : names in `metrics.PER_MEMBER`
    measures : mapping of name to metric, optional
        More of them. Members for whom one is NaN are left out of it.

    Returns
    -------
    Table with schema `EVALUATION`
        Also one row `coverage@k` per model for everyone: the share of the catalogue in the slates
        of all members, judged or not. It has no interval.
    """
    places = {name: rows.shape[1] for name, rows in slates.items()}
    if contender not in slates:
        raise ConfigError(f"no slates of {contender}, only of {', '.join(slates)}")
    if len(set(places.values())) > 1:
        raise ConfigError(f"slates must have one length to be compared, got {places}")
    k = places[contender]
    judged = np.diff(truth.indptr) > 0
    table: list[Row] = []
    asked = {name: metrics.PER_MEMBER[name] for name in metric_names} | dict(measures or {})
    for name, metric in asked.items():
        values = {
            model: np.where(judged, metric(rows, truth), np.nan) for model, rows in slates.items()
        }
        table += compared(values, members, metric=f"{name}@{k}", contender=contender, seed=seed)
    for model, rows in slates.items():
        share = metrics.coverage(rows, title_count=truth.shape[1])
        row: Row = {"model": model, "cohort": EVERYONE, "metric": f"coverage@{k}"}
        table.append(row | {"member_count": len(rows), "mean": share})
    return pa.Table.from_pylist(table, schema=EVALUATION)


def compared(
    values: Mapping[str, NDArray[np.float64]],
    members: Mapping[str, NDArray[np.bool_]],
    *,
    metric: str,
    contender: str,
    seed: int,
) -> list[Row]:
    """Several models' values of one metric, by cohort: rows of `EVALUATION`.

    Parameters
    ----------
    values : mapping of model name to float, shape (n_members,)
        Who is NaN for one of the models is left out for all.
    members : mapping of cohort name to bool, shape (n_members,)
        A cohort of nobody has no rows.
    """
    table: list[Row] = []
    known = np.logical_and.reduce([np.isfinite(found) for found in values.values()])
    for cohort, inside in members.items():
        mask = inside & known
        if not mask.any():
            continue
        for model, all_values in values.items():
            mean, low, high = metrics.bootstrap(all_values[mask], seed)
            row: Row = {"model": model, "cohort": cohort, "metric": metric}
            row |= {"member_count": int(mask.sum()), "mean": mean, "low": low, "high": high}
            row |= dict.fromkeys(("lead", "lead_low", "lead_high"))
            if model != contender:
                lead = metrics.paired_bootstrap(values[contender][mask], all_values[mask], seed)
                row |= {"lead": lead.mean, "lead_low": lead.low, "lead_high": lead.high}
            table.append(row)
    return table


def gate(
    evaluation: pa.Table,
    scores: NDArray[np.floating],
    *,
    contender: str,
    rivals: tuple[str, ...],
    metric: str = "ndcg@10",
    tolerance: float = TOLERANCE,
    relative_tolerance: float = RELATIVE_TOLERANCE,
    coverage_metric: str = "coverage@10",
    coverage_floor: float = COVERAGE_FLOOR,
) -> list[Verdict]:
    """Every rule's verdict; publish only if all passed.

    Parameters
    ----------
    evaluation : Table with schema `EVALUATION`
    scores : float, any shape
        The scores of the contender's slates, -inf in empty places.
    rivals : model names
        Whom the contender may not fall behind.
    tolerance, relative_tolerance : float
        It may trail by the larger of so much and this share of the rival's mean. It is refused
        when it trails by more and the paired interval leaves no room for chance.
    coverage_floor : float
        The least share of the catalogue that its slates must show.
    """
    verdicts = [finite_scores(scores)]
    verdicts += [
        not_worse(
            _row(evaluation, rival, metric),
            contender=contender,
            tolerance=tolerance,
            relative_tolerance=relative_tolerance,
        )
        for rival in rivals
    ]
    shown = float(_row(evaluation, contender, coverage_metric)["mean"])
    verdicts.append(covers(shown, contender=contender, floor=coverage_floor))
    return verdicts


def finite_scores(scores: NDArray[np.floating]) -> Verdict:
    """No NaN and no infinity among the scores; -inf marks empty places and may stay."""
    wrong = int((np.isnan(scores) | np.isposinf(scores)).sum())
    text = f"{wrong} of {scores.size} scores are not finite"
    return Verdict("finite_scores", wrong == 0, float(wrong), 0.0, text)


def not_worse(
    rival: Row,
    *,
    contender: str,
    tolerance: float,
    relative_tolerance: float,
) -> Verdict:
    """The contender does not trail `rival`, one row of an evaluation, beyond tolerance."""
    mean, lead, low, high = (
        float(rival[name]) for name in ("mean", "lead", "lead_low", "lead_high")
    )
    allowed = -max(tolerance, relative_tolerance * mean)
    passed = lead >= allowed or high >= 0
    verb = "is not worse than" if passed else "is worse than"
    chance = ", which may be chance" if passed and lead < allowed else ""
    text = (
        f"{contender} {rival['metric']} {mean + lead:.4f} {verb} {rival['model']} {mean:.4f}: "
        f"lead {lead:+.4f} ({low:+.4f} to {high:+.4f}{chance}), tolerated {allowed:+.4f}, "
        f"{rival['member_count']} members"
    )
    return Verdict(f"not_worse_than_{rival['model']}", passed, lead, allowed, text)


def nobody_judges(member_count: int) -> Verdict:
    """A refusal: nobody did enough for anything to be held out, so the model is not known."""
    text = (
        f"none of {member_count} members met two titles or more, so nothing can be held out and "
        f"nobody judges"
    )
    return Verdict("somebody_judges", passed=False, observed=0.0, threshold=1.0, text=text)


def covers(share: float, *, contender: str, floor: float) -> Verdict:
    """The contender's slates show enough of the catalogue."""
    text = f"{contender} shows {share:.1%} of the catalogue, at least {floor:.1%} is asked"
    return Verdict("coverage_floor", share >= floor, share, floor, text)


def _row(evaluation: pa.Table, model: str, metric: str) -> Row:
    """The one row of a model and metric for everyone."""
    rows = [
        row
        for row in evaluation.to_pylist()
        if (row["model"], row["cohort"], row["metric"]) == (model, EVERYONE, metric)
    ]
    if len(rows) != 1:
        raise ConfigError(f"the evaluation has {len(rows)} rows for {model} and {metric}, not one")
    return dict(rows[0])
