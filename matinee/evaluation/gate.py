"""Is the new model good enough to publish? Evaluate all models alike, then apply the gate's rules.

An evaluation is one Arrow table, one row per model, cohort and metric. The rules read nothing else,
so anyone can apply them again to a published evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.evaluation.comparison import Row
from matinee.evaluation.names import EVERYONE

NOT_WORSE = "not_worse_than_best_baseline"
"""The name of the rule that compares with the best baseline."""

RELATIVE_TOLERANCE = 0.02
"""How far a model may trail a baseline, as a share of the baseline's mean; see `tolerated`."""

TOLERANCE, LARGEST_RELATIVE_TOLERANCE = 0.005, 0.05
"""It may trail by 0.005 where that is more, for the best of a dozen baselines leads by chance, but
by at most this share: where the best baseline has 0.02, 0.005 would be a quarter of it."""


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
