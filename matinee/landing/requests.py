"""What members ask to have erased: who asks, and whether so many can have meant it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.columns import MEMBER_ID
from matinee.duckdb_paths import UNPARTITIONED, exact

if TYPE_CHECKING:
    import duckdb

STREAM = "privacy_requests"
ERASE = "erase"
STREAMS = ("consents", STREAM)
"""Streams of what members ask for; it counts from when it is here."""

LEAST_MEMBERS = 100
"""Of fewer members, any share may ask."""
ONE_IN = 20
"""At most one in so many members is erased at once without somebody's word."""

MEMBERS = ("members", "plays", "ratings")
"""The streams that say how many members there are."""

REQUEST_COUNTS = f"""
    select
        (select count(distinct member_id) from
            read_parquet($requests, {UNPARTITIONED}) where kind = $erase),
        (select count(distinct member_id) from
            read_parquet($members, {UNPARTITIONED}, union_by_name = true))
"""


def requested(home: Path) -> frozenset[str]:
    """Members who asked to be erased, and whose request was received."""
    requested: set[str] = set()
    for path in sorted((home / "received" / STREAM).glob("batch=*/*.parquet")):
        rows = pq.read_table(path, columns=[MEMBER_ID, "kind"])
        requested |= set(rows.filter(pc.equal(rows["kind"], ERASE))[MEMBER_ID].to_pylist())
    return frozenset(requested)


def why_not(database: duckdb.DuckDBPyConnection, home: Path, batch: Path) -> str | None:
    """Why the requests of a batch are not taken in, or None: erasure cannot be undone.

    Counted are the members who ask, of all that any profile, play or rating is of.
    """
    paths = sorted(map(exact, batch.glob("*.parquet")))
    if not paths:
        return None
    members = [f"{exact(home / 'received' / name)}/*/*.parquet" for name in MEMBERS]
    parameters = {"requests": paths, "erase": ERASE, "members": members}
    n_requests, n_members = database.execute(REQUEST_COUNTS, parameters).fetchone() or (0, 0)
    if n_members < LEAST_MEMBERS or n_requests * ONE_IN <= n_members:
        return None
    return (
        f"{n_requests:,} of {n_members:,} members ask to be erased at once, more than one in"
        f" {ONE_IN}, and nothing brings them back: take the file away, or, if they did ask, run"
        " again with `--accept-erasures`"
    )
