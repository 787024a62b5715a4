"""The audit trail: who changed which alias, when and why, as a hash chain.

No entry can be changed, removed or inserted without breaking the chain after it. Every manifest
contains the head of the chain at its time, so the chain cannot be rewritten from the start either.
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
"""The hash before the first entry."""


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

    def with_hash(self, before: str) -> "Entry":
        """This entry with its hash, after the entry with the hash `before`."""
        entry = replace(self, before=before, hash="")
        content = {name: value for name, value in asdict(entry).items() if name != "hash"}
        return replace(entry, hash=hashlib.sha256(canonical_json(content)).hexdigest())


@dataclass(frozen=True)
class Chain:
    """Entries, oldest first; each contains the hash of the one before."""

    location: str
    """File or URL, for error messages."""
    entries: tuple[Entry, ...]

    @property
    def head(self) -> str:
        """The hash of the last entry."""
        return self.entries[-1].hash if self.entries else GENESIS

    def contains(self, head: str) -> bool:
        """Whether a hash is, or was, the head of this chain."""
        return head == GENESIS or head in {entry.hash for entry in self.entries}

    def after(self, head: str) -> tuple[Entry, ...]:
        """The entries after a hash that this chain contains."""
        return self.entries[self._index(head) :]

    def until(self, head: str) -> "Chain":
        """This chain up to a hash that it contains."""
        return replace(self, entries=self.entries[: self._index(head)])

    def _index(self, head: str) -> int:
        return [GENESIS, *(entry.hash for entry in self.entries)].index(head)

    def effective_entries(self) -> list[Entry]:
        """The entries without `void` entries and the entries they declare void after a crash."""
        void = {n for n, entry in enumerate(self.entries) if entry.action == "void"}
        voided = {n - 1 for n in void}
        return [entry for n, entry in enumerate(self.entries) if n not in void | voided]

    def removed(self) -> set[str]:
        """The ids of all removed releases."""
        return {entry.release_id for entry in self.effective_entries() if entry.action == "remove"}

    def text(self) -> bytes:
        """The chain as the bytes of `audit.jsonl`."""
        return b"".join(_line(entry) + b"\n" for entry in self.entries)


def parse_chain(text: bytes, location: str) -> Chain:
    """Parse one entry per line and check the chain.

    Raises
    ------
    IntegrityError
        Naming the line where the chain is broken.
    """
    entries: list[Entry] = []
    # Text after the last newline is an append that a crash interrupted: never acknowledged.
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        before = entries[-1].hash if entries else GENESIS
        entry = _parse(line)
        if entry is None or entry.with_hash(before) != entry or _line(entry) != line:
            raise IntegrityError(
                f"{location}:{number} breaks the chain of the audit trail: "
                f"the file was changed; restore it from a backup"
            )
        entries.append(entry)
    return Chain(location, tuple(entries))


@dataclass(frozen=True)
class Trail:
    """The audit trail of a store."""

    path: Path

    def chain(self) -> Chain:
        """Read and check the whole chain."""
        with files.storage_errors(self.path):
            text = self.path.read_bytes() if self.path.exists() else b""
        return parse_chain(text, str(self.path))

    def entries(self) -> list[Entry]:
        """The entries of the chain."""
        return list(self.chain().entries)

    def head(self) -> str:
        """The hash of the last entry."""
        return self.chain().head

    def contains(self, head: str) -> bool:
        """Whether a hash is, or was, the head of the chain."""
        return self.chain().contains(head)

    def append(self, entry: Entry) -> str:
        """Append one entry durably and return its hash, the new head."""
        new = entry.with_hash(self.head())
        with files.storage_errors(self.path):
            files.append(self.path, _line(new))
        return new.hash


def new_entry(
    action: str,
    release_id: str,
    *,
    at: datetime,
    by: str,
    why: str,
    overrides: Sequence[str] = (),
    manifest_sha256: str | None = None,
) -> Entry:
    """An entry without a hash, to append."""
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
