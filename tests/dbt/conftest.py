"""Received files as a test would write them by hand: rows that keep the stateless rules."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import transform, warehouse
from matinee.landing import contract

PROJECT = Path(__file__).resolve().parents[2]
CONTRACT = contract.load(PROJECT)

Rows = Iterable[Mapping[str, object]]
Home = Callable[[str], Path]
Receive = Callable[..., None]
Build = Callable[..., transform.Built]


def _write(home: Path, table: str, rows: Rows, *, batch: int, file: str) -> None:
    if table.startswith("rejected_"):
        schema = pa.schema(contract.REJECTED)
    else:
        schema = contract.received_schema(CONTRACT.streams[table])
    folder = home / "received" / table / f"batch={batch:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), folder / f"{file}.parquet")


def _typed(value: Any, name: str) -> Any:
    if isinstance(value, str) and name.endswith("_at"):
        return datetime.fromisoformat(value)  # naive, UTC
    if isinstance(value, str) and name.endswith("_on"):
        return date.fromisoformat(value)
    return value


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with what receive leaves for streams that never came."""

    def make(name: str) -> Path:
        home = tmp_path_factory.mktemp(name)
        for stream in CONTRACT.streams:
            _write(home, stream, [], batch=0, file="empty")
            _write(home, f"rejected_{stream}", [], batch=0, file="empty")
        return home

    return make


@pytest.fixture(scope="session")
def receive() -> Receive:
    """One file a stream and batch, lines counted from 1; what is left out is filled in.

    A row may give `received_at` or let it be `event_at`; `landed_on` is the day of receipt, or
    for a snapshot what the row says.
    """

    def write(home: Path, batch: int, **streams: Rows) -> None:
        for stream, rows in streams.items():
            filled = []
            for line, row in enumerate(rows, start=1):
                values = {"file": f"{stream}/{batch}.jsonl", "line": line, **row}
                if "event_at" in values:
                    values.setdefault("received_at", values["event_at"])
                    values.setdefault("landed_on", str(values["received_at"])[:10])
                filled.append({name: _typed(value, name) for name, value in values.items()})
            _write(home, stream, filled, batch=batch, file=f"{batch:016d}")

    return write


@pytest.fixture(scope="session")
def build() -> Build:
    """The night's build of a home, as of a day."""

    def run(home: Path, day: str, **options: Any) -> transform.Built:
        as_of = datetime.fromisoformat(day).replace(tzinfo=UTC)
        return transform.build(
            project=PROJECT,
            home=home,
            as_of=as_of,
            threads=2,
            memory_limit="1GB",
            query=lambda sql: warehouse.query(sql, home=home).to_pylist(),
            **options,
        )

    return run
