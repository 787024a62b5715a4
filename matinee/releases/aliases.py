"""`aliases.json`: the release that each alias of a store refers to, as the audit trail says.

The trail is the source: `replayed` derives the aliases from it. The file is a copy for readers.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from matinee.errors import ConfigError, IntegrityError
from matinee.provenance import parse_json, readable_json
from matinee.releases import files
from matinee.releases.audit import GENESIS, Chain, Entry

NAMES = ("live", "previous", "candidate")
RELEASE_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True)
class Alias:
    """The release of an alias, and who set it, when and why."""

    release_id: str
    at: str
    by: str
    why: str
    overrides: tuple[str, ...] = ()
    """The failed gate rules that were overridden."""


@dataclass(frozen=True)
class Aliases:
    """The three aliases: served now, served before, not promoted yet."""

    live: Alias | None = None
    previous: Alias | None = None
    candidate: Alias | None = None
    audit_head: str = GENESIS
    """Hash of the audit entry that led to this state."""

    def ids(self) -> set[str]:
        """The ids of all releases with an alias."""
        return {alias.release_id for alias in self._all() if alias}

    def names_of(self, release_id: str) -> list[str]:
        """The aliases of one release."""
        pairs = zip(NAMES, self._all(), strict=True)
        return [name for name, alias in pairs if alias and alias.release_id == release_id]

    def _all(self) -> tuple[Alias | None, ...]:
        return self.live, self.previous, self.candidate


def replayed(chain: Chain) -> Aliases:
    """The aliases after the last entry of a trail."""
    state = Aliases()
    for entry in chain.effective_entries():
        state = _after(state, entry)
    return replace(state, audit_head=chain.head)


def alias_of(entry: Entry) -> Alias:
    """The alias that an entry sets."""
    return Alias(
        release_id=entry.release_id,
        at=entry.at,
        by=entry.by,
        why=entry.why,
        overrides=entry.overrides,
    )


def _after(state: Aliases, entry: Entry) -> Aliases:
    if entry.action == "nominate":
        return replace(state, candidate=alias_of(entry))
    if entry.action == "promote":
        is_candidate = state.candidate and state.candidate.release_id == entry.release_id
        return replace(
            state,
            live=alias_of(entry),
            previous=state.live,
            candidate=None if is_candidate else state.candidate,
        )
    if entry.action == "rollback":
        return replace(state, live=alias_of(entry), previous=None)
    if entry.action == "reissue":
        # Before entries had `supersedes`, the reason ended with it.
        before = entry.supersedes or entry.why.rpartition("; supersedes ")[2]
        moved = {
            name: replace(alias, release_id=entry.release_id)  # who set it and why stays
            for name in NAMES
            if (alias := getattr(state, name)) and alias.release_id == before
        }
        return replace(state, **moved)
    return state


def read(path: Path) -> Aliases:
    """The aliases of a store; empty before the first promotion."""
    with files.storage_errors(path):
        if not path.exists():
            return Aliases()
        text = path.read_bytes()
    try:
        return parse(parse_json(text))
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path} is not a valid alias file ({error}): restore it from a backup, or run "
            f"`matinee releases repair`, which writes it again from the audit trail"
        ) from error


def parse(fields: Mapping[str, Any]) -> Aliases:
    """The aliases from the output of `to_dict`; ValueError, KeyError or TypeError if invalid."""
    by_name = {name: _alias(fields[name]) for name in NAMES}
    return Aliases(**by_name, audit_head=str(fields["audit_head"]))


def to_dict(aliases: Aliases) -> dict[str, Any]:
    """The aliases as JSON values."""
    return {"schema_version": 1, **asdict(aliases)}


def write(path: Path, aliases: Aliases) -> None:
    """Replace the alias file atomically."""
    with files.storage_errors(path):
        files.replace(path, readable_json(to_dict(aliases)))


def check_name(name: str) -> str:
    """Return `name` if it is an alias or a well-formed release id; nothing else becomes a path."""
    if name in NAMES or RELEASE_ID.fullmatch(name):
        return name
    raise ConfigError(
        f"{name!r} is neither an alias ({', '.join(NAMES)}) nor a release id: "
        f"`matinee releases list` shows them"
    )


def _alias(fields: dict[str, Any] | None) -> Alias | None:
    if fields is None:
        return None
    alias = Alias(**{**fields, "overrides": tuple(fields["overrides"])})
    if not RELEASE_ID.fullmatch(alias.release_id):
        raise ValueError(f"{alias.release_id!r} is not a release id")
    return alias
