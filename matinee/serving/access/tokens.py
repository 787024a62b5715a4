"""Bearer tokens with scopes. A token is shown once; the home keeps its hash."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path

from matinee import durable, releases
from matinee.errors import ConfigError, IntegrityError
from matinee.provenance import parse_json, readable_json

FILE = "serving/tokens.json"

PREFIX = "mt_"

MEMBER = "member:"

SCOPES = ("service", "operator")


class Level(IntEnum):
    """What a token opens: each level opens what the one before does."""

    MEMBER = 0
    """What one member may see and say."""

    SERVICE = 1
    """The same for all members."""

    OPERATOR = 2
    """Metrics and documentation too."""


@dataclass(frozen=True)
class Token:
    """What is kept of a token."""

    id: str
    scope: str
    sha256: str

    @property
    def level(self) -> Level:
        return Level.MEMBER if self.member_id is not None else Level[self.scope.upper()]

    @property
    def member_id(self) -> str | None:
        """The only member that it may be used for; None for all."""
        return self.scope.removeprefix(MEMBER) if self.scope.startswith(MEMBER) else None


def check_scope(scope: str) -> str:
    """Return a scope that exists.

    Raises
    ------
    ConfigError
        If it does not.
    """
    if scope in SCOPES or (scope.startswith(MEMBER) and len(scope) > len(MEMBER)):
        return scope
    raise ConfigError(f"no scope {scope!r}: it is member:ID, {' or '.join(SCOPES)}")


def add(home: Path, scope: str) -> tuple[Token, str]:
    """A new token; the text is not kept."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token(secrets.token_hex(4), check_scope(scope), _hash(text))
    with _alone(home):
        _write(home, [*read(home), token])
    return token, text


def remove(home: Path, token_id: str) -> Token:
    """Take a token back, at the next request.

    Raises
    ------
    ConfigError
        If there is none with this id.
    """
    with _alone(home):
        tokens = read(home)
        for one in tokens:
            if one.id == token_id:
                _write(home, [other for other in tokens if other is not one])
                return one
    known = ", ".join(one.id for one in tokens) or "none"
    raise ConfigError(f"no token {token_id!r}; there are: {known}")


def read(home: Path) -> list[Token]:
    """All tokens of a home.

    Raises
    ------
    IntegrityError
        If the file is damaged.
    """
    path = home / FILE
    if not path.exists():
        return []
    try:
        return [_checked(**row) for row in parse_json(path.read_bytes())["tokens"]]
    except (ConfigError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path} is damaged ({error}): remove it, then `matinee tokens add` new ones"
        ) from None


@dataclass
class Tokens:
    """The tokens of a home, read again when the file changes."""

    home: Path
    _signature: tuple[int, ...] = ()
    _tokens: list[Token] = field(default_factory=list)

    @cached_property
    def _path(self) -> str:
        return str(self.home / FILE)

    def find(self, text: str) -> Token | None:
        """The token of a text, compared in constant time."""
        self._refresh()
        digest = _hash(text)
        found = None
        for one in self._tokens:
            if hmac.compare_digest(one.sha256, digest):
                found = one
        return found

    def _refresh(self) -> None:
        try:
            status = os.stat(self._path)
            signature: tuple[int, ...] = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError:
            signature = ()
        if signature != self._signature:
            self._tokens = read(self.home) if signature else []
            self._signature = signature


def _checked(id: str, scope: str, sha256: str) -> Token:
    if not (isinstance(id, str) and re.fullmatch("[0-9a-f]{64}", sha256)):
        raise ValueError("a token has other values than `matinee tokens add` gives")
    return Token(id, check_scope(scope), sha256)


def _alone(home: Path) -> AbstractContextManager[object]:
    """One change at a time: a token that is taken back does not return by another change."""
    home.mkdir(parents=True, exist_ok=True)
    return releases.lease(home, name="tokens", wait_seconds=10)


def _hash(text: str) -> str:
    # A token has 256 random bits, so one round is enough.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _write(home: Path, tokens: list[Token]) -> None:
    path = home / FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    rows = [{"id": one.id, "scope": one.scope, "sha256": one.sha256} for one in tokens]
    durable.replace(path, readable_json({"tokens": rows}), mode=0o600)
