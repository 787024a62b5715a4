"""The list for a member of whom nothing may be used: one for each country and maturity limit.

Every release holds all of them, and says of each member which one is theirs, so that somebody who
withdraws their consent gets it at the next read, from the release that is live.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import releases
from matinee.columns import MEMBER_ID, RANK, REASON, ROW_KIND, SCORE, SOURCE, TITLE_ID

if TYPE_CHECKING:
    from matinee.pipeline.scoring import Scorer

LISTS = "fallback/part-lists.parquet"
MEMBERS = "fallback/part-members.parquet"
LIST = "list_index"

GROUP = ("country", "maximum_age")
"""What decides which titles may be shown. Plan does not, so lists are the same in every plan."""


def write(folder: Path, scorer: Scorer) -> None:
    """Leave `fallback/` in a release being put together."""
    (folder / "fallback").mkdir()
    members = scorer.catalogue.members
    groups = (
        members.group_by(list(GROUP)).aggregate([]).sort_by([(one, "ascending") for one in GROUP])
    )
    names = pa.array([f"\0{row:09}" for row in range(len(groups))])  # no member is called so
    lists = scorer.slates(groups.add_column(0, MEMBER_ID, names)).table
    numbers = pc.index_in(lists[MEMBER_ID], value_set=names)
    columns = [RANK, TITLE_ID, SCORE, ROW_KIND, REASON, SOURCE]
    pq.write_table(lists.select(columns).add_column(0, LIST, numbers), folder / LISTS)
    place = {key: row for row, key in enumerate(_keys(groups))}
    of_member = pa.array([place[key] for key in _keys(members)], pa.int32())
    pq.write_table(
        pa.table({MEMBER_ID: members[MEMBER_ID], LIST: of_member}),
        folder / MEMBERS,
        compression="zstd",
    )


def read(release: releases.Release, member_id: str) -> pa.Table | None:
    """A member's non-profiled list with the columns of a slate; None in releases without."""
    held = {record["file"] for record in release.manifest["files"]}
    if not {LISTS, MEMBERS} <= held:
        return None
    table = release.table(MEMBERS)
    at = pc.index(table[MEMBER_ID], member_id).as_py()
    lists = release.table(LISTS)
    number = table[LIST][at].as_py() if at >= 0 else -1
    rows = lists.filter(pc.equal(lists[LIST], number))
    names = pa.array([member_id] * len(rows), pa.string())
    return rows.drop_columns([LIST]).add_column(0, MEMBER_ID, names).cast(releases.SLATE_SCHEMA)


def _keys(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(table[name].to_pylist() for name in GROUP), strict=True))
