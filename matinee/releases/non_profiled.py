"""Reads the list of a release for members without consent to personalisation.

There is one list for each country and maturity limit. Every release holds all of them, and names
the list of each member. So a member who withdraws consent gets it at the next read, from the
release that is live.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from matinee import releases
from matinee.columns import MEMBER_ID

if TYPE_CHECKING:
    pass


LISTS = "fallback/part-lists.parquet"

MEMBERS = "fallback/part-members.parquet"

LIST = "list_index"


def read(release: releases.Release, member_id: str) -> pa.Table | None:
    """A member's non-profiled list with the columns of a slate; None in releases without."""
    files = {record["file"] for record in release.manifest["files"]}
    if not {LISTS, MEMBERS} <= files:
        return None
    table = release.table(MEMBERS)
    at = pc.index(table[MEMBER_ID], member_id).as_py()
    lists = release.table(LISTS)
    number = table[LIST][at].as_py() if at >= 0 else -1
    rows = lists.filter(pc.equal(lists[LIST], number))
    names = pa.array([member_id] * len(rows), pa.string())
    return rows.drop_columns([LIST]).add_column(0, MEMBER_ID, names).cast(releases.SLATE_SCHEMA)
