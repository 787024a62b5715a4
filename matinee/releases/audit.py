"""Who changed which alias, when and why: lines that each hold the hash of the one before.

A line can be neither changed, removed nor put in without breaking the chain behind it, and every
manifest holds the hash that was last when it was made, so the chain cannot be made anew either.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from matinee.errors import IntegrityError
from matinee.provenance import canonical_json, parse_json, plain
from matinee.releases import files

GENESIS = "0" * 64
"""The hash before the first line."""


@dataclass(frozen=True)
class Entry:
    """One change, as `audit.jsonl` holds it."""

    action: str
    release_id: str
    at: str
    by: str
    why: str
    overrides: tuple[str, ...] = ()
    manifest_sha256: str | None = None
    before: str = GENESIS
    hash: str = ""

    def sealed(self, before: str) -> "Entry":
        """This entry in its place behind the hash `before`."""
        entry = replace(self, before=before, hash="")
        content = {name: value for name, value in asdict(entry).items() if name != "hash"}
        return replace(entry, hash=hashlib.sha256(canonical_json(content)).hexdigest())


@dataclass(frozen=True)
class Chain:
    """Entries, oldest first, each found to hold the hash of the one before."""

    where: str
    """What to name when something does not fit: a file, or a URL."""
    entries: tuple[Entry, ...]

    @property
    def head(self) -> str:
        """The hash of the last entry."""
        return self.entries[-1].hash if self.entries else GENESIS

    def holds(self, head: str) -> bool:
        """Whether a hash is the head of this chain, or was once."""
        return head == GENESIS or head in {entry.hash for entry in self.entries}

    def after(self, head: str) -> tuple[Entry, ...]:
        """What came behind a hash that this chain holds."""
        return self.entries[self._place(head) :]

    def until(self, head: str) -> "Chain":
        """This chain as it was when a hash that it holds was its head."""
        return replace(self, entries=self.entries[: self._place(head)])

    def _place(self, head: str) -> int:
        return [GENESIS, *(entry.hash for entry in self.entries)].index(head)

    def in_effect(self) -> list[Entry]:
        """The entries without those that a crash kept from taking effect, and what says so."""
        void = {n for n, entry in enumerate(self.entries) if entry.action == "void"}
        lost = {n - 1 for n in void}
        return [entry for n, entry in enumerate(self.entries) if n not in void | lost]

    def removed(self) -> set[str]:
        """Every release that was taken away, by its id."""
        return {entry.release_id for entry in self.in_effect() if entry.action == "remove"}

    def text(self) -> bytes:
        """The chain as `audit.jsonl` holds it."""
        return b"".join(_line(entry) + b"\n" for entry in self.entries)


def chain(text: bytes, where: str) -> Chain:
    """Read lines, one entry each, and check that they hang together.

    Raises
    ------
    IntegrityError
        Naming the line where the chain is broken.
    """
    found: list[Entry] = []
    # What follows the last newline is an append that a crash cut short: never acknowledged.
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        before = found[-1].hash if found else GENESIS
        entry = _parse(line)
        if entry is None or entry.sealed(before) != entry or _line(entry) != line:
            raise IntegrityError(
                f"{where}:{number} breaks the chain of the audit trail: "
                f"it was changed; restore it from a backup"
            )
        found.append(entry)
    return Chain(where, tuple(found))


@dataclass(frozen=True)
class Trail:
    """The audit trail of a store."""

    path: Path

    def chain(self) -> Chain:
        """Every entry, oldest first, with the chain checked on the way."""
        with files.storage_errors(self.path):
            text = self.path.read_bytes() if self.path.exists() else b""
        return chain(text, str(self.path))

    def entries(self) -> list[Entry]:
        """The entries of the chain."""
        return list(self.chain().entries)

    def head(self) -> str:
        """The hash of the last entry."""
        return self.chain().head

    def holds(self, head: str) -> bool:
        """Whether a hash is the head of the chain, or was once."""
        return self.chain().holds(head)

    def append(self, entry: Entry) -> str:
        """Put one entry behind the last, durably, and return its hash: the new head."""
        sealed = entry.sealed(self.head())
        with files.storage_errors(self.path):
            files.append(self.path, _line(sealed))
        return sealed.hash


def entry(
    action: str,
    release_id: str,
    *,
    at: datetime,
    by: str,
    why: str,
    overrides: Sequence[str] = (),
    manifest_sha256: str | None = None,
) -> Entry:
    """An entry that is not yet in its place."""
    return Entry(
        action=action,
        release_id=release_id,
        at=plain(at, "at"),
        by=by,
        why=why,
        overrides=tuple(overrides),
        manifest_sha256=manifest_sha256,
    )


def _line(entry: Entry) -> bytes:
    return canonical_json(asdict(entry))


def _parse(line: bytes) -> Entry | None:
    try:
        fields = parse_json(line)
        return Entry(**{**fields, "overrides": tuple(fields["overrides"])})
    except (ValueError, TypeError, KeyError):
        return None
