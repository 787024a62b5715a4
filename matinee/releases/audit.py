"""The audit trail: who changed which alias, when and why, as a hash chain of signed lines.

No entry can be changed, removed or inserted without breaking the chain after it. Each entry is
signed; `trust` checks by which keys. Every manifest contains the head of the chain at its time.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from matinee.errors import IntegrityError
from matinee.provenance import canonical_json, parse_json, plain
from matinee.releases import files, signing

GENESIS = "0" * 64
"""The hash before the first entry."""

LATER_FIELDS = ("supersedes", "trusts", "revokes", "key_id", "signature")
"""Fields that entries from before signed lines lack; left out where they are empty."""


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
    supersedes: str | None = None
    """Of a reissue: the id of the release whose aliases move."""
    trusts: tuple[str, ...] = ()
    """Ids of the keys that are trusted from this entry on, besides those trusted before."""
    revokes: tuple[str, ...] = ()
    """Ids of the keys that are trusted up to this entry and never again."""
    key_id: str | None = None
    """Id of the key that signed this entry; None in a home from before signed lines."""
    signature: str | None = None
    """Ed25519 signature of `hash`, in base64."""

    def with_hash(self, before: str) -> "Entry":
        """This entry with its hash, after the entry with the hash `before`."""
        entry = replace(self, before=before)
        content = entry.as_dict()
        for name in ("hash", "signature"):
            content.pop(name, None)
        return replace(entry, hash=hashlib.sha256(canonical_json(content)).hexdigest())

    def signed(self, before: str, key: Ed25519PrivateKey) -> "Entry":
        """This entry with its hash, signed, after the entry with the hash `before`."""
        entry = replace(self, key_id=signing.key_id(key.public_key())).with_hash(before)
        return replace(entry, signature=signing.sign_hash(entry.hash, key))

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON values, as its line in `audit.jsonl` has them."""
        return {
            name: value for name, value in asdict(self).items() if value or name not in LATER_FIELDS
        }


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

    @property
    def is_signed(self) -> bool:
        """Whether any entry is signed."""
        return any(entry.signature for entry in self.entries)

    def after(self, head: str) -> tuple[Entry, ...]:
        """The entries after a hash that this chain contains."""
        return self.entries[self.position(head) :]

    def until(self, head: str) -> "Chain":
        """This chain up to a hash that it contains."""
        return replace(self, entries=self.entries[: self.position(head)])

    def position(self, head: str) -> int:
        """The number of entries up to a hash that this chain contains."""
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

    def append(self, entry: Entry, key: Ed25519PrivateKey) -> Chain:
        """Sign one entry, append it durably, and return the new chain."""
        chain = self.chain()
        new = entry.signed(chain.head, key)
        with files.storage_errors(self.path):
            files.append(self.path, _line(new))
        return replace(chain, entries=(*chain.entries, new))


def new_entry(
    action: str,
    release_id: str,
    *,
    at: datetime,
    by: str,
    why: str,
    overrides: Sequence[str] = (),
    manifest_sha256: str | None = None,
    supersedes: str | None = None,
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
        supersedes=supersedes,
    )


def _line(entry: Entry) -> bytes:
    return canonical_json(entry.as_dict())


def _parse(line: bytes) -> Entry | None:
    try:
        fields = parse_json(line)
        lists = {name: tuple(fields.get(name, ())) for name in ("overrides", "trusts", "revokes")}
        return Entry(**{**fields, **lists})
    except (ValueError, TypeError, AttributeError):
        return None
