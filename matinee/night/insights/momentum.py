"""`insights/momentum.parquet`: what is watched more or less than in the week before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.insights.attributes import Attributes
from matinee.insights.cells import CellRule, column_counts, column_sums
from matinee.insights.multiple_tests import q_values
from matinee.insights.ratios import Matrix, Ratio, change
from matinee.night.insights.inputs import WEEKS, Inputs
from matinee.night.insights.result import Result
from matinee.vocabulary import Vocabulary

TABLE = "insights/momentum"

ALARM_RATE = 0.01
"""The share of false discoveries among values that are said to rise or fall."""

SMALLEST_CHANGE = 0.1
"""The least change that is said to rise or fall: less is of no use to anyone."""

MEASURES = ("hours", "starters", "completion")
"""Hours watched; members who started a title, counted for each title; the share of these who
watched it to its end in the same week."""

ALL = "all"
"""The family and value of all titles."""

SCHEMA = pa.schema(
    [
        ("family", pa.string()),
        ("value", pa.string()),
        ("measure", pa.string()),
        ("week_on", pa.date32()),
        ("level", pa.float64()),
        ("level_before", pa.float64()),
        ("weeks", pa.list_(pa.float64())),
        ("change", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p", pa.float64()),
        ("q", pa.float64()),
        ("direction", pa.string()),
        ("member_count", pa.int64()),
        ("title_count", pa.int64()),
    ]
)
"""`change` is of the share (of the completion rate itself) among titles that were in the catalogue
in both weeks; `p` is its p-value, and `q` the same adjusted for the number of tests. Null where too
few members make it up."""


def compute(inputs: Inputs) -> Result:
    """Every value of every family with enough members in the newest closed week."""
    weeks = Weeks.of(inputs)
    rows = list(_rows(inputs, weeks)) if weeks.is_watched else []
    q = q_values(np.array([row["p"] for row in rows], np.float64))
    for row, adjusted in zip(rows, q, strict=True):
        row["q"] = None if np.isnan(adjusted) else float(adjusted)
        row["direction"] = _direction(row)
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    order = [("family", "ascending"), ("value", "ascending"), ("measure", "ascending")]
    tested = int(np.isfinite(q).sum())
    return Result(
        {TABLE: table.sort_by(order)},
        {"tested": tested, "alarm_rate": ALARM_RATE, "smallest_change": SMALLEST_CHANGE},
    )


def _direction(row: dict[str, Any]) -> str:
    if row["q"] is None:
        return "not tested"
    if row["q"] > ALARM_RATE or abs(row["change"]) < SMALLEST_CHANGE:
        return "steady"
    return "rising" if row["change"] > 0 else "falling"


class Weeks:
    """The closed weeks as matrices of members and titles, the newest last."""

    def __init__(
        self,
        member: NDArray[np.intp],
        title: NDArray[np.intp],
        week: NDArray[np.intp],
        values: dict[str, NDArray[np.float64]],
        shape: tuple[int, int],
    ) -> None:
        self._at = member, title, week
        self._values = values
        self.shape = shape

    @classmethod
    def of(cls, inputs: Inputs) -> Weeks:
        """Those of a night."""
        table = inputs.weeks
        members = Vocabulary.from_ids(table[MEMBER_ID])
        started, completed = (
            table[name].to_numpy(zero_copy_only=False).astype(np.float64)
            for name in ("is_started", "is_completed")
        )
        return cls(
            members.rows(table[MEMBER_ID]),
            inputs.title_rows.rows(table[TITLE_ID]),
            inputs.week_numbers,
            {
                "seconds": table["watched_seconds"].to_numpy().astype(np.float64),
                "started": started,
                "completed": completed,
            },
            (len(members), len(inputs.title_rows)),
        )

    @property
    def is_watched(self) -> bool:
        """Whether the newest week has anything."""
        return bool((self._at[2] == WEEKS - 1).any())

    def matrix(self, name: str, week: int) -> Matrix:
        """`seconds`, `started` or `completed` of one week."""
        member, title, weeks = self._at
        inside = weeks == week
        entries = self._values[name][inside], (member[inside], title[inside])
        return sp.coo_array(entries, shape=self.shape).tocsr()


def _rows(inputs: Inputs, weeks: Weeks) -> Iterator[dict[str, Any]]:
    """The rows of all measures, without `q` and `direction`."""
    attributes = _with_all(inputs.attributes)
    stable = sp.diags_array(stable_titles(inputs).astype(np.float64)).tocsr()
    for measure in MEASURES:
        yield from _of_measure(inputs, weeks, attributes, stable, measure)


def stable_titles(inputs: Inputs) -> NDArray[np.bool_]:
    """Titles that were in the catalogue in both of the newest weeks: bool, shape (n_titles,)."""
    start = pa.scalar(inputs.until - timedelta(days=14))
    was_there = pc.fill_null(pc.less_equal(inputs.titles["added_on"], start), True)
    there: NDArray[np.bool_] = pc.and_(was_there, pc.invert(inputs.titles["is_retired"])).to_numpy(
        zero_copy_only=False
    )
    return there


def _with_all(attributes: Attributes) -> Attributes:
    """The attributes and, first, a column that every title has."""
    every = sp.csr_array(np.ones((attributes.matrix.shape[0], 1)))
    matrix = sp.hstack([every, attributes.matrix], format="csr")
    return Attributes((ALL, *attributes.families), (ALL, *attributes.values), matrix)


PARTS = {
    "hours": ("seconds", "seconds", True),
    "starters": ("started", "started", True),
    "completion": ("completed", "started", False),
}
"""Measure -> its part, its whole, and whether that is of all titles."""


def _of_measure(
    inputs: Inputs, weeks: Weeks, attributes: Attributes, stable: Matrix, measure: str
) -> Iterator[dict[str, Any]]:
    part, whole, is_share = PARTS[measure]
    last = WEEKS - 1
    levels, allowed = _levels(inputs.rule, weeks, attributes, measure)
    before, after = (
        Ratio(
            (weeks.matrix(part, week) @ stable).tocsr(),
            (weeks.matrix(whole, week) @ stable).tocsr(),
            is_share,
        )
        for week in (last - 1, last)
    )
    found = change(before, after, attributes.matrix)
    relative, low, high = found.relative()
    p = found.p
    compared = np.isfinite(p) & allowed[last] & allowed[last - 1]
    compared[0] &= not is_share  # the share of all titles is always 1
    newest = weeks.matrix(whole, last)
    members = column_counts(newest @ attributes.matrix)
    titles = column_counts(sp.diags_array(column_sums(newest)) @ attributes.matrix)
    week_on = inputs.until - timedelta(days=7)
    for column in np.flatnonzero(allowed[last]).tolist():
        is_compared = bool(compared[column])
        yield {
            "family": attributes.families[column],
            "value": attributes.values[column],
            "measure": measure,
            "week_on": week_on,
            "level": levels[last][column],
            "level_before": levels[last - 1][column] if allowed[last - 1][column] else None,
            "weeks": [
                float(level[column]) if shown[column] else None
                for level, shown in zip(levels, allowed, strict=True)
            ],
            "change": float(relative[column]) if is_compared else None,
            "low": float(low[column]) if is_compared else None,
            "high": float(high[column]) if is_compared else None,
            "p": float(p[column]) if is_compared else None,
            "member_count": int(members[column]),
            "title_count": int(titles[column]),
        }


def _levels(
    rule: CellRule, weeks: Weeks, attributes: Attributes, measure: str
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.bool_]]]:
    """The level of each column in each week, and whether it may be shown."""
    part, whole, is_share = PARTS[measure]
    levels, shown = [], []
    language = attributes.of_family("language")
    for week in range(WEEKS):
        cells = (weeks.matrix(part, week) @ attributes.matrix).tocsr()
        allowed = rule.allows(cells)
        level = column_sums(cells)
        allowed[language] = rule.complemented(allowed[language], level[language])
        if measure == "hours":
            level = level / 3600.0
        if not is_share:
            of_whole = (weeks.matrix(whole, week) @ attributes.matrix).tocsr()
            total = column_sums(of_whole)
            allowed &= rule.allows(of_whole)
            level = np.divide(level, total, out=np.zeros_like(level), where=total > 0)
        levels.append(level)
        shown.append(allowed)
    return levels, shown
