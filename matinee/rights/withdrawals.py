"""The sealed list of members who refused a purpose, and its copies."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee import durable, landing
from matinee.errors import IntegrityError
from matinee.privacy import pseudonym
from matinee.provenance import canonical_json, parse_json, readable_json

FILE = "privacy/withdrawals.json"


COPY = "keys/withdrawals.json"
"""The list as it was last written, beside the keys: the file is never older."""


MIRRORED = "keys/withdrawals_mirrored.json"
"""The newest list that came from a mirror: the next one is never older."""


RESTORE = (
    "restore it. No member gets a personalised answer without it: run `matinee consent --restore`, "
    "or, on a machine that pulls, `matinee releases pull URL`"
)


USE = "withdrawal"


MOST_BYTES = 256 << 20
"""A longer list is not read from a mirror; 1,000 refusals have 70 kB."""


@dataclass(frozen=True)
class Withdrawals:
    """Purpose -> pseudonym of a member who refused it -> time of the refusal."""

    key: bytes
    since: dict[str, dict[str, str]] = field(default_factory=dict)
    version: int = 0
    """Goes up by one with each change; 0 for a list from before it had one."""

    def includes(self, member_id: str, purpose: str) -> bool:
        """Whether a member has refused a purpose."""
        refused = self.since.get(purpose, {})
        return len(refused) > 0 and pseudonym(self.key, member_id, use=USE) in refused

    def record(self, name: str, purpose: str, *, granted: bool, at: str) -> None:
        """Apply one choice, unless a later one is known."""
        refused = self.since.setdefault(purpose, {})
        if refused.get(name, "") > at:
            return
        if granted:
            refused.pop(name, None)
        else:
            refused[name] = at


def read_list(home: Path) -> Withdrawals:
    path = home / FILE
    with durable.storage_errors(path):
        if not path.exists():
            raise IntegrityError(f"{path} is missing: {RESTORE}")
        text = path.read_bytes()
    key = landing.tombstones.key(home)
    if (withdrawals := verified(text, key)) is None:
        raise IntegrityError(f"{path} was changed by hand: {RESTORE}")
    if (newest := read_copy(home, key)) and withdrawals.version < newest.version:
        raise IntegrityError(
            f"{path} is version {withdrawals.version} of the list, and this home has written "
            f"version {newest.version}, so it was rewound: {RESTORE}"
        )
    return withdrawals


def read_copy(home: Path, key: bytes, name: str = COPY) -> Withdrawals | None:
    path = home / name
    with durable.storage_errors(path):
        if not path.exists():
            return None
        text = path.read_bytes()
    if (withdrawals := verified(text, key)) is None:
        raise IntegrityError(f"{path} was changed by hand: restore it from a backup")
    return withdrawals


def _seal(key: bytes, since: dict[str, Any], version: int) -> str:
    content = canonical_json([version, since] if version else since)
    return hmac.new(key, b"withdrawals\0" + content, hashlib.sha256).hexdigest()


def text_of(withdrawals: Withdrawals) -> bytes:
    seal = _seal(withdrawals.key, withdrawals.since, withdrawals.version)
    document = {"version": withdrawals.version, "since": withdrawals.since, "seal": seal}
    return readable_json(document)


def verified(text: bytes, key: bytes) -> Withdrawals | None:
    """The list in a text, or None if its MAC does not match the key."""
    try:
        document = parse_json(text)
        since: dict[str, dict[str, str]] = document["since"]
        version = int(document.get("version", 0))
        is_sealed = hmac.compare_digest(document["seal"], _seal(key, since, version))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Withdrawals(key, since, version) if is_sealed else None


def write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(path, text, mode=0o600)
