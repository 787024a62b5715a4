"""What this machine has seen of the audit trail, so that nothing older is accepted later.

`keys/last_seen.json` is beside the trusted keys: who can write to `releases/` or to a mirror cannot
change it. It has the head of the trail, and for each mirror the version of its newest state, which
is the number of lines of the trail there. As in The Update Framework, neither ever goes down.
"""

import hashlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from matinee.errors import IntegrityError
from matinee.provenance import document, readable_json
from matinee.releases import files, signing
from matinee.releases.audit import GENESIS, Chain

FILE = "last_seen.json"


@dataclass(frozen=True)
class LastSeen:
    """The newest state of the trail that this machine knows of."""

    head: str = GENESIS
    mirrors: dict[str, int] = field(default_factory=dict)
    """Hash of the URL of a mirror -> the version of its newest state."""


def read(keys: Path) -> LastSeen | None:
    """What was seen; None on a machine that wrote or pulled nothing yet.

    Raises
    ------
    IntegrityError
        If the file is damaged, or other users can write to it.
    """
    path = keys / FILE
    with files.storage_errors(path):
        if not path.exists():
            return None
        signing.refuse_writable(keys)
        cure = "restore it from a backup"
        fields = document(path.read_bytes(), path, cure)
    try:
        mirrors = {str(name): int(version) for name, version in fields["mirrors"].items()}
        return LastSeen(str(fields["head"]), mirrors)
    except (KeyError, AttributeError, ValueError, TypeError):
        raise IntegrityError(f"{path} is not as it was written: {cure}") from None


def write_head(keys: Path, head: str) -> None:
    """Remember the head of the trail of this store."""
    seen = read(keys) or LastSeen()
    if seen.head != head:
        _write(keys, replace(seen, head=head))


def write_version(keys: Path, mirror: str, version: int) -> None:
    """Remember the version of a mirror, by its URL without secrets."""
    seen = read(keys) or LastSeen()
    name = _name(mirror)
    if seen.mirrors.get(name, 0) < version:
        _write(keys, replace(seen, mirrors=dict(sorted({**seen.mirrors, name: version}.items()))))


def refuse_older(keys: Path, mirror: str, version: int) -> None:
    """Refuse a mirror whose version went down since this machine saw it.

    Raises
    ------
    IntegrityError
        With both versions.
    """
    seen = read(keys) or LastSeen()
    if version < (newest := seen.mirrors.get(_name(mirror), 0)):
        raise IntegrityError(
            f"{mirror} shows version {version} of the audit trail, and this machine has seen "
            f"version {newest} there: states were removed; `matinee releases push` from the home "
            f"that builds releases restores them"
        )


def require(keys: Path, *chains: Chain) -> None:
    """Refuse chains none of which contains the head that was seen.

    Raises
    ------
    IntegrityError
        If the trail was cut, rewound or replaced.
    """
    seen = read(keys)
    if seen and not any(chain.contains(seen.head) for chain in chains):
        raise IntegrityError(
            f"{chains[0].location} does not contain entry {seen.head[:12]}, the last one that "
            f"this machine has seen: the trail was cut, rewound or replaced; restore it from a "
            f"backup. If you restored an older one on purpose, remove {keys / FILE}"
        )


def _name(mirror: str) -> str:
    return hashlib.sha256(mirror.encode()).hexdigest()[:16]


def _write(keys: Path, seen: LastSeen) -> None:
    path = keys / FILE
    with files.storage_errors(path):
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.replace(path, readable_json(asdict(seen)), mode=0o600)
