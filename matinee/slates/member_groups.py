"""The groups of members that are audited: country, plan, gender, age."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from matinee.columns import MEMBER_ID

AGES = {25: "under 25", 45: "25 to 44", 65: "45 to 64", 200: "65 and over"}


def member_groups(
    members: pa.Table, ids: pa.ChunkedArray | pa.Array, *, year: int
) -> dict[str, list[str | None]]:
    """The groups of each member of `ids`: country, plan, gender, age.

    Gender and birth year are read for this audit only: no feature and no reason uses them.
    """
    rows = pc.index_in(ids, value_set=members[MEMBER_ID].combine_chunks())
    of_ids = members.take(rows)
    groups = {name: of_ids[name].to_pylist() for name in ("country", "plan", "gender")}
    ages = [None if born is None else year - born for born in of_ids["birth_year"].to_pylist()]
    return groups | {"age": [_band(age) for age in ages]}


def _band(age: int | None) -> str | None:
    return None if age is None else next((AGES[end] for end in AGES if age < end), None)
