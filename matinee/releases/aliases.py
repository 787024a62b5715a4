"""`aliases.json`: the one file of a store that changes, and the names that live in it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matinee.errors import ConfigError, IntegrityError
from matinee.provenance import parse_json, readable_json
from matinee.releases import files
from matinee.releases.audit import GENESIS

NAMES = ("live", "previous", "candidate")
RELEASE_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True)
class Alias:
    """What a name stands for, and who said so."""

    release_id: str
    at: str
    by: str
    why: str
    overrides: tuple[str, ...] = ()
    """The gate rules that did not hold and were passed over by name."""


@dataclass(frozen=True)
class Aliases:
    """The three names: what is served, what was served before, what waits for a judgement."""

    live: Alias | None = None
    previous: Alias | None = None
    candidate: Alias | None = None
    audit_head: str = GENESIS
    """The audit entry that this state is the outcome of."""

    def ids(self) -> set[str]:
        """Every release that a name stands for."""
        return {alias.release_id for alias in self._all() if alias}

    def names_of(self, release_id: str) -> list[str]:
        """The names that stand for one release."""
        pairs = zip(NAMES, self._all(), strict=True)
        return [name for name, alias in pairs if alias and alias.release_id == release_id]

    def _all(self) -> tuple[Alias | None, ...]:
        return self.live, self.previous, self.candidate


def read(path: Path) -> Aliases:
    """The state of the names; empty when nothing has been promoted yet."""
    with files.storage_errors(path):
        if not path.exists():
            return Aliases()
        text = path.read_bytes()
    try:
        return parse(parse_json(text))
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path} is not what the store writes ({error}): restore it, or remove it and promote"
        ) from error


def parse(fields: Mapping[str, Any]) -> Aliases:
    """The names as `as_fields` spelt them; ValueError, KeyError or TypeError if it did not."""
    named = {name: _alias(fields[name]) for name in NAMES}
    return Aliases(**named, audit_head=str(fields["audit_head"]))


def as_fields(aliases: Aliases) -> dict[str, Any]:
    """The names as JSON holds them."""
    return {"schema_version": 1, **asdict(aliases)}


def write(path: Path, aliases: Aliases) -> None:
    """Put a new state in place at once."""
    with files.storage_errors(path):
        files.replace(path, readable_json(as_fields(aliases)))


def checked(name: str) -> str:
    """`name`, if it is an alias or has the form of a release id: nothing else becomes a path."""
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
