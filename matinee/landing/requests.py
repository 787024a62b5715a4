"""What members ask to have erased: who asks, whether they exist, and if so many can mean it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable
from matinee.columns import MEMBER_ID
from matinee.duckdb_paths import UNPARTITIONED, exact
from matinee.landing.contract import REJECTED, Contract
from matinee.landing.erasure import mask_of
from matinee.landing.files import LandingFile, TornError, opened
from matinee.landing.tombstones import candidates
from matinee.privacy import Traces

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

UNKNOWN = "unknown_member"
"""The rule that a request breaks when no member has its id."""
MOST_UNKNOWN = 20
"""With more such ids in one receipt, no request is carried out: see `MATINEE_UNKNOWN_REQUESTS`."""

UNKNOWN_IDS = f"""
    select distinct member_id from read_parquet($requests, {UNPARTITIONED}) where kind = $erase
    except
    select member_id from read_parquet($others, {UNPARTITIONED}, union_by_name = true)
    order by member_id
"""

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


def unknown(
    database: duckdb.DuckDBPyConnection,
    home: Path,
    contract: Contract,
    batch: Path,
    *,
    set_aside: Iterable[LandingFile],
    is_known: Callable[[str], bool],
) -> list[str]:
    """The ids that a batch asks to erase and that no member has, sorted.

    A member is whoever has a row of another stream, a rejected one or one of a file that was set
    aside too, or is known elsewhere.
    """
    paths = sorted(map(exact, batch.glob("*.parquet")))
    if not paths:
        return []
    received = home / "received"
    others = [
        received / name
        for name, one in contract.streams.items()
        if MEMBER_ID in one.names and name != STREAM
    ]
    found = database.execute(
        UNKNOWN_IDS,
        {
            "requests": paths,
            "erase": ERASE,
            "others": [f"{exact(folder)}/*/*.parquet" for folder in others],
        },
    ).fetchall()
    ids = {str(one) for (one,) in found}
    for path in sorted(received.glob("rejected_*/*/*.parquet")) if ids else ():
        table, traces = pq.read_table(path), Traces.of(ids)
        if (
            path.parent.parent.name != f"rejected_{STREAM}"
            and mask_of(home, path)(table, traces).any()
        ):
            ids = {one for one in ids if not mask_of(home, path)(table, Traces.of([one])).any()}
    for file in set_aside if ids else ():
        try:
            with opened(file) as source:
                ids -= candidates(source)
        except (TornError, OSError, ValueError, pa.ArrowException):
            continue
    return sorted(one for one in ids if not is_known(one))


def reject(kept: Path, rejected: Path, ids: Iterable[str]) -> list[tuple[str, int]]:
    """Move requests for these ids from the kept rows of a batch to its rejected ones.

    Returns
    -------
    File and line of each, in their order.
    """
    wanted = pa.array(sorted(ids), pa.string())
    moved: list[tuple[str, int]] = []
    for path in sorted(kept.glob("*.parquet")):
        rows = pq.read_table(path)
        is_one = pc.and_(pc.is_in(rows[MEMBER_ID], wanted), pc.equal(rows["kind"], ERASE))
        theirs = rows.filter(is_one)
        if not len(theirs):
            continue
        texts = [
            json.dumps(
                {name: one for name, one in row.items() if name not in dict(REJECTED)}, default=str
            )
            for row in theirs.to_pylist()
        ]
        columns = {name: theirs[name] for name in ("file", "line", "landed_on")}
        broken = {**columns, "rule": [UNKNOWN] * len(theirs), "raw_text": texts}
        rejected.mkdir(parents=True, exist_ok=True)
        # The rejected copy first: a crash leaves a batch that the ledger does not know.
        for table, final in (
            (pa.table(broken, pa.schema(REJECTED)), rejected / f"unknown-{path.name}"),
            (rows.filter(pc.invert(is_one)), path),
        ):
            draft = final.with_suffix(".tmp")
            pq.write_table(table, draft, compression="zstd")
            durable.put(draft, final)
        moved += zip(theirs["file"].to_pylist(), theirs["line"].to_pylist(), strict=True)
    return sorted(moved)
