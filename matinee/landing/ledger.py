"""What has been received: one line a landing file, replaced whole or not at all."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from matinee import durable
from matinee.errors import IntegrityError
from matinee.provenance import parse_json


@dataclass(frozen=True)
class Entry:
    """The fate of one landing file."""

    file: str
    """Path below `landing/`."""
    stream: str
    landed_on: date
    sha256: str
    bytes: int
    rows: int
    kept: int
    rejected: int
    batch: int | None
    """Where its rows are; None when the file was set aside."""
    status: Literal["received", "set_aside", "dropped", "withdrawn"]
    reason: str | None = None
    past_sha256: tuple[str, ...] = ()
    """What it was before members were erased from it; the old bytes are known, not a change."""
    columns: tuple[str, ...] = ()
    """Columns of the contract that the file had."""
    replays: tuple[int, ...] = ()
    """Batches that hold rows of it which `replay` took in; the last holds all still rejected."""
    dropped: int = 0
    """Rows that were here, and are past their retention; `rows` are those that are left."""

    @property
    def batches(self) -> tuple[int, ...]:
        return (self.batch or 0, *self.replays)


@dataclass(frozen=True)
class Ledger:
    """All entries by file."""

    entries: dict[str, Entry]

    @property
    def received(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.status == "received"]

    @property
    def newest_batch(self) -> int:
        """The highest number ever given: those of dropped files do not come again."""
        return max((n for entry in self.entries.values() for n in entry.batches), default=0)

    def has_dropped(self, file: str) -> bool:
        return file in self.entries and self.entries[file].status == "dropped"

    def batches(self, table: str) -> set[int]:
        """The batches of a received table; a replay moves all of its rejected rows."""
        stream = table.removeprefix("rejected_")
        entries = [entry for entry in self.received if entry.stream == stream]
        since = 0
        if table != stream:
            since = max((n for entry in entries for n in entry.replays), default=0)
        return {n for entry in entries for n in entry.batches if n >= since}

    def with_entries(self, entries: Iterable[Entry]) -> "Ledger":
        """The ledger after another look at the landing zone.

        A received or dropped file's entry is never replaced, one that was taken back only when its
        file is received again; one set aside lasts until the next look.
        """
        merged = {entry.file: entry for entry in entries}
        received = {name for name, entry in merged.items() if entry.status == "received"}
        merged |= {
            name: entry
            for name, entry in self.entries.items()
            if entry.status in ("received", "dropped")
            or (entry.status == "withdrawn" and name not in received)
        }
        return Ledger(dict(sorted(merged.items())))


def path_of(home: Path) -> Path:
    return home / "received" / "ledger.jsonl"


def folder_of(home: Path, table: str, batch: int) -> Path:
    """Where the rows of a batch are, received or rejected; batch 0 has none, but all columns."""
    return home / "received" / table / f"batch={batch:06d}"


def read(home: Path) -> Ledger:
    """The ledger of a home; empty when nothing was ever received.

    Raises
    ------
    IntegrityError
        When a line cannot be read: the ledger is only ever replaced whole, so someone edited it.
    """
    path = path_of(home)
    if not path.exists():
        return Ledger({})
    entries = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            fields: dict[str, Any] = parse_json(line)
            fields["landed_on"] = date.fromisoformat(fields["landed_on"])
            for name in ("past_sha256", "columns", "replays"):
                fields[name] = tuple(fields.get(name, ()))
            entry = Entry(**fields)
        except (ValueError, TypeError, KeyError):
            raise IntegrityError(
                f"{path} line {number} is no ledger entry: restore it, or remove {path.parent}"
                " to receive every file again"
            ) from None
        entries[entry.file] = entry
    return Ledger(entries)


def write(home: Path, ledger: Ledger) -> None:
    """Replace the ledger: after this call the new one survives a power cut."""
    path = path_of(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(asdict(entry) | {"landed_on": entry.landed_on.isoformat()}) + "\n"
        for entry in ledger.entries.values()
    ]
    durable.replace(path, "".join(lines).encode())
