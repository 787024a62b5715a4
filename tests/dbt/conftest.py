"""Received files as a test would write them by hand: rows that keep the stateless rules."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee.landing import contract

PROJECT = Path(__file__).resolve().parents[2]
CONTRACT = contract.load(PROJECT)
REJECTED = pa.schema(contract.REJECTED)

Rows = Iterable[Mapping[str, object]]


def schema_of(table: str) -> pa.Schema:
    if table.startswith("rejected_"):
        return REJECTED
    return contract.received_schema(CONTRACT.streams[table])


def write(home: Path, table: str, rows: Rows, *, batch: int, file: str) -> None:
    folder = home / "received" / table / f"batch={batch:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.Table.from_pylist(list(rows), schema=schema_of(table)), folder / f"{file}.parquet"
    )


def start(home: Path) -> None:
    """What receive leaves for streams that never came."""
    for stream in CONTRACT.streams:
        write(home, stream, [], batch=0, file="empty")
        write(home, f"rejected_{stream}", [], batch=0, file="empty")


def receive(home: Path, batch: int, **streams: Rows) -> None:
    """One file a stream and batch, lines counted from 1; what is left out is filled in.

    A row may give `received_at` or let it be `event_at`; `landed_on` is the day of receipt, or
    for a snapshot what the row says.
    """
    for stream, rows in streams.items():
        filled = []
        for line, row in enumerate(rows, start=1):
            values = dict(row)
            if "event_at" in values:
                values.setdefault("received_at", values["event_at"])
                values.setdefault("landed_on", _day(values["received_at"]))
            values.setdefault("file", f"{stream}/{batch}.jsonl")
            values.setdefault("line", line)
            filled.append({name: _typed(value, name) for name, value in values.items()})
        write(home, stream, filled, batch=batch, file=f"{batch:016d}")


def _day(value: object) -> str:
    return str(value)[:10]


def _typed(value: object, name: str) -> object:
    if isinstance(value, str) and name.endswith("_at"):
        return datetime.fromisoformat(value)  # naive, UTC
    if isinstance(value, str) and name.endswith("_on"):
        return date.fromisoformat(value)
    return value


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT
