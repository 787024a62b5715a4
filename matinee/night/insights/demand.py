"""`insights/demand.parquet`, `narratives` and `searches`: what is wanted beside what there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.insights.cells import column_counts, column_sums
from matinee.insights.interactions import interactions
from matinee.insights.multiple_tests import q_values
from matinee.insights.ratios import Matrix, Ratio, against_supply
from matinee.night.insights.inputs import WEEKS, Inputs
from matinee.night.insights.result import Result
from matinee.slates.eligibility import Eligibility
from matinee.vocabulary import Vocabulary

TABLE, NARRATIVES = "insights/demand", "insights/narratives"

DEMAND_WEEKS = 4
"""The newest closed weeks: demand changes more slowly than a week."""

ALARM_RATE = 0.05
"""The share of false discoveries among values with a demand that is said to be high or low."""

SMALLEST_RATIO = 1.25
"""How far demand must be from supply, as a factor, to be said to be high or low."""

LEAST_TITLES = 5
"""Titles of a narrative."""

SURE = 0.005
"""The largest posterior probability of the wrong sign of a narrative that is said to do better or
worse than its parts."""

EVERYWHERE = "all"

SCHEMA = pa.schema(
    [
        ("country", pa.string()),
        ("family", pa.string()),
        ("value", pa.string()),
        ("hours", pa.float64()),
        ("hours_ratio", pa.float64()),
        ("catalogue_ratio", pa.float64()),
        ("demand", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p", pa.float64()),
        ("q", pa.float64()),
        ("verdict", pa.string()),
        ("member_count", pa.int64()),
        ("title_count", pa.int64()),
    ]
)
"""`country` is the members', and `all` for all. `demand` is `hours_ratio` / `catalogue_ratio`."""

NARRATIVE_SCHEMA = pa.schema(
    [
        ("value", pa.string()),
        ("effect", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("wrong_sign", pa.float64()),
        ("verdict", pa.string()),
        ("hours", pa.float64()),
        ("member_count", pa.int64()),
        ("title_count", pa.int64()),
    ]
)
"""`effect`: hours of a title with both themes, against what its themes, genres, age and kind
predict one by one; 0.2 is a fifth more."""

COUNTRIES = "select member_id, country from members where country is not null order by member_id"


@dataclass(frozen=True)
class Watched:
    """Seconds of the newest weeks, by member and title."""

    members: Vocabulary
    seconds: Matrix

    @classmethod
    def of(cls, inputs: Inputs) -> Watched:
        """Those of a night."""
        recent = inputs.week_numbers >= WEEKS - DEMAND_WEEKS
        table = inputs.weeks.filter(pa.array(recent))
        members = Vocabulary.from_ids(table[MEMBER_ID])
        entries = (
            table["watched_seconds"].to_numpy().astype(np.float64),
            (members.rows(table[MEMBER_ID]), inputs.title_rows.rows(table[TITLE_ID])),
        )
        shape = len(members), len(inputs.title_rows)
        return cls(members, sp.coo_array(entries, shape=shape).tocsr())

    @cached_property
    def by_title(self) -> NDArray[np.float64]:
        """Seconds of each title."""
        return column_sums(self.seconds)


def compute(inputs: Inputs) -> Result:
    """Demand by attribute and country, and narratives against their parts."""
    watched = Watched.of(inputs)
    is_enough = len(watched.members) >= inputs.rule.minimum
    rows = list(_rows(inputs, watched)) if is_enough else []
    q = q_values(np.array([row["p"] for row in rows], np.float64))
    for row, adjusted in zip(rows, q, strict=True):
        row["q"] = None if np.isnan(adjusted) else float(adjusted)
        row["verdict"] = _verdict(row)
    order = [(name, "ascending") for name in ("country", "family", "value")]
    narratives = pa.Table.from_pylist(
        list(_narratives(inputs, watched)) if is_enough else [], schema=NARRATIVE_SCHEMA
    )
    return Result(
        {
            TABLE: pa.Table.from_pylist(rows, schema=SCHEMA).sort_by(order),
            NARRATIVES: narratives.sort_by("value"),
        },
        {"weeks": DEMAND_WEEKS, "alarm_rate": ALARM_RATE, "smallest_ratio": SMALLEST_RATIO},
    )


def _verdict(row: dict[str, Any]) -> str:
    if row["q"] is None:
        return "not tested"
    if row["q"] > ALARM_RATE or 1 / SMALLEST_RATIO < row["demand"] < SMALLEST_RATIO:
        return "even"
    return "high" if row["demand"] > 1 else "low"


def _rows(inputs: Inputs, watched: Watched) -> Iterator[dict[str, Any]]:
    """The rows of all countries together, then of each country with enough members."""
    country = _countries(inputs, watched.members)
    windows = inputs.query("select * from title_windows order by all")
    eligibility = Eligibility(inputs.titles, windows, day=inputs.night.as_of.date())
    everyone = np.ones(len(watched.members), np.bool_)
    yield from _of_country(inputs, watched, EVERYWHERE, everyone, eligibility.allowed(None, None))
    for code in sorted({one for one in country if one is not None}):
        inside = np.array([one == code for one in country], np.bool_)
        if inside.sum() >= inputs.rule.minimum:
            allowed = eligibility.allowed(code, None)
            yield from _of_country(inputs, watched, code, inside, allowed)


def _countries(inputs: Inputs, members: Vocabulary) -> list[str | None]:
    """The country of each member."""
    table = inputs.query(COUNTRIES)
    known = dict(zip(table[MEMBER_ID].to_pylist(), table["country"].to_pylist(), strict=True))
    return [known.get(member) for member in members.ids.to_pylist()]


def _of_country(
    inputs: Inputs,
    watched: Watched,
    country: str,
    inside: NDArray[np.bool_],
    supplied: NDArray[np.bool_],
) -> Iterator[dict[str, Any]]:
    attributes = inputs.attributes
    kept = sp.diags_array(supplied.astype(np.float64)).tocsr()
    seconds = (watched.seconds[np.flatnonzero(inside)] @ kept).tocsr()
    cells = (seconds @ attributes.matrix).tocsr()
    hours = column_sums(cells) / 3600.0
    allowed = inputs.rule.allows(cells)
    language = attributes.of_family("language")
    allowed[language] = inputs.rule.complemented(allowed[language], hours[language])
    found = against_supply(Ratio(seconds, seconds, True), supplied, attributes.matrix)
    relative, low, high = found.relative()
    p, members = found.p, column_counts(cells)
    titles = column_sums(kept @ attributes.matrix)
    total = float(seconds.sum()) / 3600.0
    for column in np.flatnonzero(allowed & (titles > 0)).tolist():
        is_tested = bool(np.isfinite(p[column]))
        yield {
            "country": country,
            "family": attributes.families[column],
            "value": attributes.values[column],
            "hours": float(hours[column]),
            "hours_ratio": float(hours[column]) / total,
            "catalogue_ratio": float(titles[column]) / float(supplied.sum()),
            "demand": float(1 + relative[column]),
            "low": float(1 + low[column]) if is_tested else None,
            "high": float(1 + high[column]) if is_tested else None,
            "p": float(p[column]) if is_tested else None,
            "member_count": int(members[column]),
            "title_count": int(titles[column]),
        }


def _narratives(inputs: Inputs, watched: Watched) -> Iterator[dict[str, Any]]:
    """Pairs of themes with enough titles and members."""
    attributes = inputs.attributes
    titles = np.flatnonzero(watched.by_title > 0)
    columns = attributes.of_family("narrative")
    pairs = attributes.matrix[titles][:, columns]
    often = column_sums(pairs) >= LEAST_TITLES
    cells = (watched.seconds @ attributes.matrix[:, columns]).tocsr()
    allowed = inputs.rule.allows(cells)
    if not (often & allowed).any():
        return
    found = interactions(
        np.log(watched.by_title[titles]),
        _parts(inputs)[titles],
        pairs[:, np.flatnonzero(often)].toarray(),
    )
    relative, low, high = found.relative()
    hours, members, counts = column_sums(cells) / 3600.0, column_counts(cells), column_sums(pairs)
    for place, column in enumerate(np.flatnonzero(often).tolist()):
        if not allowed[column]:
            continue
        is_sure = found.wrong_sign[place] <= SURE
        better = "better" if found.mean[place] > 0 else "worse"
        yield {
            "value": attributes.values[columns[column]],
            "effect": float(relative[place]),
            "low": float(low[place]),
            "high": float(high[place]),
            "wrong_sign": float(found.wrong_sign[place]),
            "verdict": better if is_sure else "as its parts",
            "hours": float(hours[column]),
            "member_count": int(members[column]),
            "title_count": int(counts[column]),
        }


def _parts(inputs: Inputs) -> NDArray[np.float64]:
    """What the hours of a title are expected from: themes, genres, kind of runtime, age."""
    attributes = inputs.attributes
    columns = np.concatenate([attributes.of_family("theme"), attributes.of_family("genre")])
    titles = inputs.titles
    added = titles["added_on"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
    days = (np.datetime64(inputs.until, "D") - added).astype(np.float64)
    days = np.where(np.isnat(added), np.nan, days)
    age = np.log1p(np.maximum(np.nan_to_num(days, nan=float(np.nanmedian([*days, 0.0]))), 0.0))
    runtime = np.log(titles["runtime_seconds"].to_numpy(zero_copy_only=False).astype(np.float64))
    runtime = np.nan_to_num(runtime, nan=float(np.nanmean([*runtime[np.isfinite(runtime)], 0.0])))
    numeric = np.column_stack([age, runtime])
    return np.hstack([attributes.matrix[:, columns].toarray(), numeric])
