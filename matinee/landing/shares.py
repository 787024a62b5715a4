"""Whether one member id has more of a stream's new rows than any member can have.

Exports write one placeholder for everyone they cannot name: `guest`, `0`, `unknown`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matinee.columns import MEMBER_ID
from matinee.duckdb_paths import UNPARTITIONED, exact
from matinee.landing.contract import Stream

if TYPE_CHECKING:
    import duckdb

LEAST_ROWS, LEAST_MEMBERS = 200, 20
"""Of fewer rows or members, any share is plausible."""
LEAST_SHARE = 0.1
TIMES_THE_MEAN = 10
"""A member is reported with more than `LEAST_SHARE` of all rows and so many times the mean."""

LARGEST = f"""
    with counted as (
        select {MEMBER_ID}, count(*) as n_rows
        from read_parquet($paths, {UNPARTITIONED})
        group by all
    )
    select {MEMBER_ID}, n_rows, sum(n_rows) over () as total, count(*) over () as n_members
    from counted
    order by n_rows desc, {MEMBER_ID}
    limit 1
"""
FIRST = f"""
    select file, line from read_parquet($paths, {UNPARTITIONED})
    where {MEMBER_ID} = $member
    order by all limit 1
"""


def implausible(database: duckdb.DuckDBPyConnection, stream: Stream, batch: Path) -> str | None:
    """A warning that says where the id is, or None; an id itself stands in no message.

    Read are the rows accepted in one batch.
    """
    paths = sorted(map(exact, batch.glob("*.parquet")))
    if stream.kind != "event" or MEMBER_ID not in stream.names or not paths:
        return None
    ((member, rows, total, members),) = database.execute(LARGEST, {"paths": paths}).fetchall()
    share = rows / total
    if total < LEAST_ROWS or members < LEAST_MEMBERS:
        return None
    if share <= max(LEAST_SHARE, TIMES_THE_MEAN / members):
        return None
    ((file, line),) = database.execute(FIRST, {"paths": paths, "member": member}).fetchall()
    return (
        f"{stream.name}: one of {members:,} member ids has {rows:,} of {total:,} new rows"
        f" ({share:.0%}), as in {file} line {line}: if it stands for members whom nobody knows,"
        " add it to missing_values in dbt_project.yml"
    )
