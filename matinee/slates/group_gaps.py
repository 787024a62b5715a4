"""Quality for groups of members beside the rest: rows of the exposure report, and its gap rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.gate import Status, Verdict, status_of_gap
from matinee.slates.exposure import Row

SMALLEST_GROUP = 20
"""Members below which a group has no row: its mean would be noise, and may identify people."""


LARGEST_GAP_RATIO = 0.3
"""How far a group's mean may be below the mean of all other members, as a share of the latter."""


FALSE_ALARM_RATE = 0.01
"""The share of nights on which a gap rule may fail although no group is behind. The intervals are
corrected for the number of groups."""


def group_means(
    values: NDArray[np.floating], attributes: Mapping[str, Sequence[str | None]]
) -> list[Row]:
    """The mean of a metric in every group of members, and in the rest of the members.

    Parameters
    ----------
    values : float, shape (n_members,)
        NaN for members who were not evaluated.
    attributes : mapping of name to one value per member
        None where it is unknown; those members are in no group and in no rest.

    Returns
    -------
    Rows: attribute, value, n, mean, rest, short (`rest - mean`), short_low, short_high, for groups
    of at least `SMALLEST_GROUP` members.

    Notes
    -----
    The interval uses the variance of all members within their groups, because the few members of a
    small group may by chance hardly vary. It is widened by Bonferroni's correction, because the
    rules look at the worst of all groups.
    """
    rows: list[Row] = []
    evaluated = np.isfinite(values)
    for attribute, of_members in attributes.items():
        known = np.array([value is not None for value in of_members]) & evaluated
        for value in sorted({str(value) for value in of_members if value is not None}):
            inside = known & np.array([one == value for one in of_members])
            own, others = values[inside], values[known & ~inside]
            if min(len(own), len(others)) < SMALLEST_GROUP:
                continue
            row: Row = {"attribute": attribute, "value": value, "n": len(own)}
            row |= {"mean": float(own.mean()), "rest": float(others.mean())}
            row["short"] = row["rest"] - row["mean"]
            sizes = 1 / len(own) + 1 / len(others)
            within = np.concatenate([own - own.mean(), others - others.mean()])
            row["error"] = float(np.sqrt(within.var() * sizes))
            rows.append(row)
    quantile = NormalDist().inv_cdf(1 - FALSE_ALARM_RATE / max(len(rows), 1))
    for row in rows:
        error = quantile * row.pop("error")
        row |= {"short_low": row["short"] - error, "short_high": row["short"] + error}
    return rows


def gap_verdicts(groups: Sequence[Row], *, metric: str) -> list[Verdict]:
    """One rule per attribute of members: the group that is furthest behind the rest.

    FAIL when the gap is larger than `LARGEST_GAP_RATIO` of the rest's mean and the whole interval
    is above zero; WARN when it is larger and the interval includes zero.

    Parameters
    ----------
    groups
        As `group_means` returns them.
    metric : str
        The metric of the groups' means: `ndcg@10`.
    """
    severity = [Status.PASS, Status.WARN, Status.FAIL]
    rules = []
    for attribute in dict.fromkeys(row["attribute"] for row in groups):
        of_attribute = [row for row in groups if row["attribute"] == attribute]
        gaps = [(_gap(row, metric=metric), row["short"]) for row in of_attribute]
        rules.append(max(gaps, key=lambda gap: (severity.index(gap[0].status), gap[1]))[0])
    return rules


def _gap(row: Row, *, metric: str) -> Verdict:
    """The gap of one group to the rest of the members, one row of `group_means`."""
    limit = LARGEST_GAP_RATIO * row["rest"]
    name, _, places = metric.partition("@")
    return Verdict(
        rule=f"gap_by_{row['attribute']}",
        status=status_of_gap(row["short"], low=row["short_low"], limit=limit),
        metric=f"{name}_gap@{places}",
        subject=f"by member {row['attribute']}",
        observed=row["short"],
        threshold=limit,
        value=f"{row['value']} {row['short']:+.4f}",
        limit=f"{limit:+.4f}",
        low=row["short_low"],
        high=row["short_high"],
        members=row["n"],
    )
