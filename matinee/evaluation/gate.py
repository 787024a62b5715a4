"""Is the new model good enough to publish? Evaluate all models alike, then apply the gate's rules.

An evaluation is one Arrow table, one row per model, cohort and metric. The rules read nothing else,
so anyone can apply them again to a published evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.evaluation import metrics
from matinee.evaluation.names import EVERYONE
from matinee.matrices import has_interactions

NOT_WORSE = "not_worse_than_best_baseline"
"""The name of the rule that compares with the best baseline."""

RELATIVE_TOLERANCE = 0.02
"""How far a model may trail a baseline, as a share of the baseline's mean; see `tolerated`."""

TOLERANCE, LARGEST_RELATIVE_TOLERANCE = 0.005, 0.05
"""It may trail by 0.005 where that is more, for the best of a dozen baselines leads by chance, but
by at most this share: where the best baseline has 0.02, 0.005 would be a quarter of it."""

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
        # The candidate's lead over this model, on the same members; null in the candidate's rows.
        ("lead", pa.float64()),
        ("lead_low", pa.float64()),
        ("lead_high", pa.float64()),
    ]
)


class Status(StrEnum):
    """The result of one rule."""

    PASS = "PASS"  # noqa: S105  not a password

    WARN = "WARN"
    """A gap is beyond its limit, but statistically inconclusive: the interval includes zero."""

    FAIL = "FAIL"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of one rule, with the numbers behind it. `text` is its line."""

    rule: str
    """The stable name of the rule: overrides name it."""
    status: Status
    metric: str
    subject: str = ""
    """What the metric is about or compared with: `vs popularity`, `by title country`."""
    observed: float
    threshold: float
    value: str
    """`observed` as people read it, with its unit."""
    limit: str
    """`threshold` as people read it, with its unit."""
    low: float | None = None
    high: float | None = None
    """The interval of `observed`, for rules that have one."""
    members: int | None = None
    """Members evaluated, for rules that evaluate some."""

    @property
    def passed(self) -> bool:
        """Whether the release may be published: PASS or WARN."""
        return self.status is not Status.FAIL

    @property
    def text(self) -> str:
        """Metric and subject, value with interval, limit, members: the gate line without status.

        >>> Verdict(rule="effective_titles", status=Status.PASS, metric="effective_titles@10",
        ...         observed=55.0, threshold=15.0, value="55", limit="15").text
        'effective_titles@10  55  limit 15'
        """
        value = self.value
        if self.low is not None and self.high is not None:
            value += f" [{self.low:+.4f}, {self.high:+.4f}]"
        parts = [f"{self.metric} {self.subject}".rstrip(), value, f"limit {self.limit}"]
        if self.members is not None:
            parts.append(f"{self.members} members evaluated")
        return "  ".join(parts)

    def row(self) -> Row:
        """The verdict as a row of a table that people read."""
        has_interval = self.low is not None and self.high is not None
        return {
            "status": str(self.status),
            "rule": self.rule,
            "metric": f"{self.metric} {self.subject}".rstrip(),
            "value": self.value,
            "interval": f"[{self.low:+.4f}, {self.high:+.4f}]" if has_interval else "",
            "limit": self.limit,
            "members": self.members,
        }

    def facts(self) -> Row:
        """The verdict as a manifest holds it."""
        return {
            "rule": self.rule,
            "passed": self.passed,
            "status": str(self.status),
            "metric": self.metric,
            "subject": self.subject,
            "observed": self.observed,
            "low": self.low,
            "high": self.high,
            "threshold": self.threshold,
            "members": self.members,
            "text": self.text,
        }


def line(status: str, text: str) -> str:
    """The gate line: status, then `Verdict.text`.

    >>> line("PASS", "effective_titles@10  55  limit 15")
    'PASS  effective_titles@10  55  limit 15'
    """
    return f"{status}  {text}"


def status_if(passed: bool) -> Status:
    """PASS or FAIL, for rules without an interval."""
    return Status.PASS if passed else Status.FAIL


def status_of_gap(gap: float, *, low: float, limit: float) -> Status:
    """The status of a gap, positive where the model or group is behind.

    FAIL needs both: the gap is beyond the limit, and its whole interval is above zero.

    >>> [str(status_of_gap(gap, low=low, limit=0.05)) for gap, low in ((0.04, 0.01), (0.06, 0.01))]
    ['PASS', 'FAIL']
    >>> str(status_of_gap(0.06, low=-0.01, limit=0.05))
    'WARN'
    """
    if gap <= limit:
        return Status.PASS
    return Status.FAIL if low > 0 else Status.WARN


def tolerated(mean: float) -> float:
    """How far a model may trail a baseline with this mean.

    >>> tolerated(0.02), tolerated(0.15), tolerated(0.5)
    (0.001, 0.005, 0.01)
    """
    least = min(TOLERANCE, LARGEST_RELATIVE_TOLERANCE * mean)
    return max(least, RELATIVE_TOLERANCE * mean)


def cohorts(
    member_counts: NDArray[np.integer], *, heavy_from: int = 20
) -> dict[str, NDArray[np.bool_]]:
    """Members by length of their history: masks, bool, shape (n_members,).

    `cold` members have no interaction in the training data, `light` ones fewer than `heavy_from`,
    `heavy` ones the rest; `everyone` is all of them.
    """
    return {
        EVERYONE: np.ones(len(member_counts), np.bool_),
        "heavy": member_counts >= heavy_from,
        "light": (member_counts > 0) & (member_counts < heavy_from),
        "cold": member_counts == 0,
    }


def only_titles(truth: sp.csr_array[np.bool_], titles: NDArray[np.bool_]) -> sp.csr_array[np.bool_]:
    """The held-out set restricted to `titles`, for example to cold ones."""
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
    candidate: str,
    seed: int,
    metric_names: tuple[str, ...] = ("ndcg", "recall"),
    extra_metrics: Mapping[str, metrics.Metric] | None = None,
    prefix: str = "",
) -> pa.Table:
    """Evaluate the slates of several models on the same members and the same held-out set.

    Parameters
    ----------
    slates : mapping of model name to intp, shape (n_members, k)
        All of one length k, which becomes part of the metrics' names: `ndcg@10`.
    truth : bool CSR, shape (n_members, n_titles)
        The held-out set. Members with an empty row are not evaluated.
    members : mapping of cohort name to bool, shape (n_members,)
        As `cohorts` returns them. A cohort without evaluated members has no rows.
    candidate : str
        The model to be published. Its lead over each other model is measured member by member.
    metric_names : names in `metrics.PER_MEMBER`
    extra_metrics : mapping of name to metric, optional
        Further metrics. Members for whom one is NaN are left out of it.
    prefix : str
        Before the names of metrics, for lists of another context: `session_ndcg@10`.

    Returns
    -------
    Table with schema `EVALUATION`
        With one row `coverage@k` per model for everyone: the share of the catalogue in the slates
        of all members given, evaluated or not. It has no interval.
    """
    lengths = {name: rows.shape[1] for name, rows in slates.items()}
    if candidate not in slates:
        raise ConfigError(f"no slates of {candidate}, only of {', '.join(slates)}")
    if len(set(lengths.values())) > 1:
        raise ConfigError(f"slates must have one length to be compared, got {lengths}")
    k = lengths[candidate]
    evaluated = has_interactions(truth)
    table: list[Row] = []
    per_member = {name: metrics.PER_MEMBER[name] for name in metric_names}
    for name, metric in (per_member | dict(extra_metrics or {})).items():
        values = {
            model: np.where(evaluated, metric(rows, truth), np.nan)
            for model, rows in slates.items()
        }
        table += compared(
            values, members, metric=f"{prefix}{name}@{k}", candidate=candidate, seed=seed
        )
    for model, rows in slates.items():
        share = metrics.coverage(rows, title_count=truth.shape[1])
        row: Row = {"model": model, "cohort": EVERYONE, "metric": f"{prefix}coverage@{k}"}
        table.append(row | {"member_count": len(rows), "mean": share})
    return pa.Table.from_pylist(table, schema=EVALUATION)


def compared(
    values: Mapping[str, NDArray[np.float64]],
    members: Mapping[str, NDArray[np.bool_]],
    *,
    metric: str,
    candidate: str,
    seed: int,
) -> list[Row]:
    """The values of several models for one metric, by cohort: rows of `EVALUATION`.

    Parameters
    ----------
    values : mapping of model name to float, shape (n_members,)
        A member with NaN for one model is left out for all.
    members : mapping of cohort name to bool, shape (n_members,)
        A cohort without members has no rows.
    """
    table: list[Row] = []
    evaluated = np.logical_and.reduce([np.isfinite(of_model) for of_model in values.values()])
    for cohort, inside in members.items():
        mask = inside & evaluated
        if not mask.any():
            continue
        own = {model: all_values[mask] for model, all_values in values.items()}
        others = [model for model in values if model != candidate]
        leads = [own[candidate] - own[model] for model in others] if others else []
        columns = np.column_stack([*own.values(), *leads])
        intervals = metrics.bootstrap_columns(columns, seed)
        of_leads = dict(zip(others, intervals[len(own) :], strict=True))
        for model, (mean, low, high) in zip(own, intervals, strict=False):
            row: Row = {"model": model, "cohort": cohort, "metric": metric}
            row |= {"member_count": int(mask.sum()), "mean": mean, "low": low, "high": high}
            lead = of_leads.get(model, (None, None, None))
            row |= dict(zip(("lead", "lead_low", "lead_high"), lead, strict=True))
            table.append(row)
    return table


def gate(
    evaluation: pa.Table,
    scores: NDArray[np.floating],
    *,
    candidate: str,
    baseline: str,
    coverage_floor: float,
    prefix: str = "",
    metric: str = "ndcg@10",
    coverage_metric: str = "coverage@10",
) -> list[Verdict]:
    """The verdict of every rule; publish only if all passed.

    Parameters
    ----------
    evaluation : Table with schema `EVALUATION`
    scores : float, any shape
        The scores of the candidate's slates, -inf in empty places.
    baseline : model name
        The best of the models that the candidate may not trail.
    coverage_floor : float
        The least share of the catalogue that its slates must show.
    prefix : str
        Before the names of metrics and rules, as for `evaluate`.

    Notes
    -----
    The candidate fails when it trails the baseline by more than `tolerated` and the whole paired
    interval is below zero.
    """
    share = float(_row(evaluation, candidate, prefix + coverage_metric)["mean"])
    verdicts = [
        finite_scores(scores),
        not_worse(
            _row(evaluation, baseline, prefix + metric),
            rule=NOT_WORSE,
            subject=f"vs best baseline ({baseline})",
        ),
        covers(share, metric=prefix + coverage_metric, floor=coverage_floor),
    ]
    return [replace(verdict, rule=prefix + verdict.rule) for verdict in verdicts]


def attainable_coverage(truth: sp.csr_array[np.bool_], k: int) -> float:
    """The share of the catalogue that perfect lists of `k` places would show.

    Parameters
    ----------
    truth : bool CSR, shape (n_members, n_titles)
        Of more than `k` held-out titles of a member the first `k` count.
    """
    place = np.arange(truth.nnz) - np.repeat(truth.indptr[:-1], np.diff(truth.indptr))
    return len(np.unique(truth.indices[place < k])) / truth.shape[1]


def finite_scores(scores: NDArray[np.floating]) -> Verdict:
    """No NaN and no infinity among the scores; -inf marks empty places and is allowed."""
    wrong = int((np.isnan(scores) | np.isposinf(scores)).sum())
    return Verdict(
        rule="finite_scores",
        status=status_if(wrong == 0),
        metric="non_finite_scores",
        observed=float(wrong),
        threshold=0.0,
        value=f"{wrong} of {scores.size} scores",
        limit="0",
    )


def not_worse(baseline: Row, *, rule: str = "", subject: str = "") -> Verdict:
    """The candidate does not trail `baseline`, one row of an evaluation, beyond the tolerance."""
    lead, low, high = (float(baseline[name]) for name in ("lead", "lead_low", "lead_high"))
    allowed = tolerated(float(baseline["mean"]))
    return Verdict(
        rule=rule or f"not_worse_than_{baseline['model']}",
        status=status_of_gap(-lead, low=-high, limit=allowed),
        metric=baseline["metric"],
        subject=subject or f"vs {baseline['model']}",
        observed=lead,
        threshold=-allowed,
        value=f"{lead:+.4f}",
        limit=f"{-allowed:+.4f}",
        low=low,
        high=high,
        members=baseline["member_count"],
    )


def no_evaluated_members(member_count: int) -> Verdict:
    """A failure: no member has two titles, so nothing is held out."""
    return Verdict(
        rule="evaluated_members",
        status=Status.FAIL,
        metric="evaluated_members",
        observed=0.0,
        threshold=1.0,
        value=f"0 of {member_count} members have two titles or more, so nothing can be held out",
        limit="1",
    )


def covers(share: float, *, metric: str, floor: float) -> Verdict:
    """The candidate's slates show enough of the catalogue."""
    return Verdict(
        rule="coverage_floor",
        status=status_if(share >= floor),
        metric=metric,
        observed=share,
        threshold=floor,
        value=f"{percent(share)} of titles",
        limit=percent(floor),
    )


def percent(share: float, *, decimals: int = 1) -> str:
    """A share as text.

    >>> percent(0.759), percent(0.3, decimals=0)
    ('75.9 %', '30 %')
    """
    return f"{100 * share:.{decimals}f} %"


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
