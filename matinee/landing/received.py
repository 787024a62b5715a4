"""The folder `received/`: the database that writes there, what a crash left, empty tables."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import durable
from matinee.duckdb_paths import exact, literal
from matinee.errors import ConfigError, DataError, IntegrityError, StorageError
from matinee.landing import (
    ledger,
)
from matinee.landing.contract import REJECTED, Contract, received_schema
from matinee.landing.ledger import Ledger

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@contextmanager
def connection(home: Path, threads: int, memory_limit: str) -> Iterator["DuckDBPyConnection"]:
    """A DuckDB that can touch nothing but `received/`, and whose settings are locked."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "memory_limit": memory_limit,
        "temp_directory": str(home / "received" / ".spill"),
        "autoinstall_known_extensions": False,
    }
    try:
        connection = duckdb.connect(config=config)
    except duckdb.Error as error:
        refused = f"DuckDB refuses threads {threads}, memory {memory_limit}: {error}"
        raise ConfigError(refused) from None
    with connection:
        connection.execute("set TimeZone = 'UTC'")
        # Twice, for a pattern is compared as it is written.
        received = home / "received"
        allowed = f"[{literal(received)}, {literal(exact(received))}]"
        connection.execute(f"set allowed_directories = {allowed}")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        try:
            yield connection
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise StorageError(f"DuckDB: {' '.join(str(error).split())}") from error


def sweep(home: Path, known: Ledger) -> None:
    """Remove batches that a crash left, and make sure that those of the ledger are there."""
    for path in sorted((home / "received").glob("*")) + sorted((home / "received").glob("*/*")):
        if path.is_symlink():
            raise IntegrityError(f"{path} is a link, which nothing here makes: remove it")
    for folder in sorted((home / "received").glob("*/batch=*")):
        match = re.fullmatch(r"batch=(\d{6,})", folder.name)
        number = int(match[1]) if match else -1
        if number != 0 and number not in known.batches(folder.parent.name):
            shutil.rmtree(folder)
    for entry in known.received:
        for table, rows, batch in (
            # What a replay took in may be all that was kept.
            (entry.stream, entry.kept, entry.batches[0 if not entry.replays else -1]),
            (f"rejected_{entry.stream}", entry.rejected, entry.batches[-1]),
        ):
            if rows and not ledger.folder_of(home, table, batch).exists():
                raise IntegrityError(
                    f"{entry.file} was received but received/{table} has no batch {batch}:"
                    f" remove {home / 'received'} to receive every file again"
                )


def write_empty(home: Path, contract: Contract) -> None:
    """One empty Parquet file a table, so that a stream that never came has its columns."""
    for name, stream in contract.streams.items():
        for table, schema in (
            (name, received_schema(stream)),
            (f"rejected_{name}", pa.schema(REJECTED)),
        ):
            path = ledger.folder_of(home, table, 0) / "empty.parquet"
            if not path.exists() or pq.read_schema(path) != schema:
                path.parent.mkdir(parents=True, exist_ok=True)
                unfinished = path.with_suffix(".tmp")
                pq.write_table(schema.empty_table(), unfinished)
                durable.put(unfinished, path)


def require_history(home: Path) -> None:
    """Refuse a home that has no catalogue, or nothing that members did.

    Raises
    ------
    DataError
        When no file of `titles`, or none of `plays` and `ratings`, was ever received.
    """
    entries = ledger.read(home).entries.values()
    have = {entry.stream for entry in entries if entry.status == "received"}
    for wanted in (("titles",), ("plays", "ratings")):
        if have.isdisjoint(wanted):
            aside = next(
                (e for e in entries if e.status == "set_aside" and e.stream in wanted), None
            )
            why = f"{aside.file} was quarantined: {aside.reason}" if aside else "land one"
            raise DataError(
                f"no file of {' or '.join(wanted)} was ever received in {home / 'landing'}: {why};"
                " `matinee doctor --landing` says what became of every file there"
            )
