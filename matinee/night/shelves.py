"""What a page shows beside a member's own slate: named shelves, and each title's neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee import releases
from matinee.columns import MEMBER_ID, RANK, REASON, ROW_KIND, SCORE, SOURCE, TITLE_ID
from matinee.night.scorer import Scorer
from matinee.releases.non_profiled import LIST, LISTS, MEMBERS
from matinee.slates import ranking

SHELF_PLACES = 20
"""Titles on a shelf."""

GENRES = 5
"""Genre shelves per country: the most watched there."""

NEW_FOR = timedelta(days=30)

GROUP = ("country", "maximum_age")
"""What decides which titles may be shown. Plan does not, so lists are the same in every plan."""

SHELF = pa.schema(
    [
        pa.field("country", pa.string()),
        pa.field("row_index", pa.int32(), nullable=False),
        pa.field(ROW_KIND, pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field(RANK, pa.int32(), nullable=False),
        pa.field(TITLE_ID, pa.string(), nullable=False),
        pa.field(SCORE, pa.float32(), nullable=False),
    ]
)

SIMILAR = pa.schema(
    [
        pa.field(TITLE_ID, pa.string(), nullable=False),
        pa.field(RANK, pa.int32(), nullable=False),
        pa.field("similar_title_id", pa.string(), nullable=False),
        pa.field("similarity", pa.float32(), nullable=False),
    ]
)


def write(folder: Path, scorer: Scorer) -> None:
    """Leave `rows/` and `similar/` in a release being put together."""
    for name, table in (("rows", _shelves(scorer)), ("similar", _similar(scorer))):
        (folder / name).mkdir()
        pq.write_table(table, folder / name / "part-0000.parquet", **releases.PARQUET)


def _shelves(scorer: Scorer) -> pa.Table:
    """Popular, new and genre shelves of each country; a shelf that would be empty is left out."""
    tables = [SHELF.empty_table()]
    countries, popular = scorer.popular
    for country, scores in zip(countries, popular, strict=True):
        allowed = scorer.catalogue.eligibility.allowed(country, None)
        shelves = [shelf for shelf in _masks(scorer, scores) if (shelf[2] & allowed).any()]
        for index, (kind, label, inside) in enumerate(shelves):
            rows, values = ranking.best_of_scores(
                scores[None, :], np.zeros(1, np.intp), SHELF_PLACES, allowed=allowed & inside
            )
            kept = rows[0] != ranking.NONE
            count = int(kept.sum())
            columns = [
                [country] * count,
                [index] * count,
                [kind] * count,
                [label] * count,
                range(1, count + 1),
                scorer.frame.titles.take(rows[0][kept]),
                values[0][kept],
            ]
            arrays = [pa.array(c, f.type) for c, f in zip(columns, SHELF, strict=True)]
            tables.append(pa.table(arrays, schema=SHELF))
    return pa.concat_tables(tables)


def _masks(
    scorer: Scorer, scores: NDArray[np.float64]
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """(kind, label, titles) of each shelf, in the order of the page."""
    titles = scorer.catalogue.titles
    yield "popular", "Popular", np.ones(len(titles), np.bool_)
    since = scorer.frame.as_of.date() - NEW_FOR
    added = titles["added_on"].to_pylist()
    yield "new", "New this month", np.array([day is not None and day >= since for day in added])
    genres = [set(names or ()) for names in titles["genres"].to_pylist()]
    weight = {
        name: scores[[name in mine for mine in genres]].sum()
        for name in sorted(set().union(*genres))
    }
    for name in sorted(weight, key=lambda name: (-weight[name], name))[:GENRES]:
        yield "genre", name, np.array([name in mine for mine in genres])


def _similar(scorer: Scorer) -> pa.Table:
    """The nearest titles of each title, by what the model has learned of both."""
    rows, similarity = scorer.similar
    title, place = np.nonzero(rows != ranking.NONE)
    columns = [
        scorer.frame.titles.take(title),
        pa.array(place + 1, pa.int32()),
        scorer.frame.titles.take(rows[title, place]),
        similarity[title, place],
    ]
    return pa.table([pa.array(column) for column in columns], schema=SIMILAR)


def write_non_profiled(folder: Path, scorer: Scorer) -> None:
    """Leave `fallback/` in a release being put together."""
    (folder / "fallback").mkdir()
    members, by_group = scorer.catalogue.members, groups(scorer)
    names = pa.array([f"\0{row:09}" for row in range(len(by_group))])  # no member is called so
    named = by_group.add_column(0, MEMBER_ID, names)
    lists = scorer.slates(named, ("next_visit",))["next_visit"].table
    numbers = pc.index_in(lists[MEMBER_ID], value_set=names)
    columns = [RANK, TITLE_ID, SCORE, ROW_KIND, REASON, SOURCE]
    pq.write_table(
        lists.select(columns).add_column(0, LIST, numbers), folder / LISTS, **releases.PARQUET
    )
    of_member = pa.array(group_of(members, by_group), pa.int32())
    pq.write_table(
        pa.table({MEMBER_ID: members[MEMBER_ID], LIST: of_member}),
        folder / MEMBERS,
        **releases.PARQUET,
    )


def groups(scorer: Scorer) -> pa.Table:
    """Every country and maturity limit that members have, in order."""
    members = scorer.catalogue.members
    by = [(one, "ascending") for one in GROUP]
    return members.group_by(list(GROUP)).aggregate([]).sort_by(by)


def group_of(members: pa.Table, by_group: pa.Table) -> NDArray[np.intp]:
    """The row of each member's group: intp, shape (n_members,)."""
    place = {key: row for row, key in enumerate(_keys(by_group))}
    return np.array([place[key] for key in _keys(members)], np.intp)


def _keys(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(table[name].to_pylist() for name in GROUP), strict=True))
