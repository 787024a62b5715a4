"""What is owed to members, as arithmetic: pseudonyms, traces of an id in text, cells big enough."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matinee.columns import MEMBER_ID

LEAST_KEY_BYTES = 32
DISTINCTIVE = 6
"""An id this long, with a letter in it, is searched for in any text; `17` is in every file."""

WORD = "0-9A-Za-z"
ERASED = "erased"
"""What stands where an id was, in text that has to keep its shape."""

_GONE = object()


def pseudonym(key: bytes, member_id: str, *, use: str) -> str:
    """A name for a member that only the key's holder can connect with the id; 32 hex digits.

    Each `use` has names of its own, so that two lists cannot be joined by them.

    >>> pseudonym(bytes(32), "m-000017", use="tombstone")
    '1e8d5a44ba8a6c1d47cb1cc7a8fb1d2e'
    """
    if len(key) < LEAST_KEY_BYTES:
        raise ValueError(f"a pseudonym key has at least {LEAST_KEY_BYTES} bytes, got {len(key)}")
    said = f"{use}\0{member_id}".encode()
    return hmac.new(key, said, hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True)
class Traces:
    """How some members would show in text, in cells of a table, and in JSON."""

    ids: frozenset[str]

    @classmethod
    def of(cls, ids: Iterable[str]) -> Traces:
        return cls(frozenset(ids))

    @cached_property
    def distinctive(self) -> tuple[str, ...]:
        """The ids that mean a member wherever they stand."""
        return tuple(sorted(one for one in self.ids if _is_distinctive(one)))

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """The ids that mean a member only where a member is expected."""
        return tuple(sorted(self.ids - set(self.distinctive)))

    @cached_property
    def token(self) -> str | None:
        """What finds a distinctive id as a word of its own; in RE2's and Python's dialect alike.

        Also as UTF-16 has it, each letter with a NUL beside it: such a file is no log, and the rows
        that it was refused for quote it.
        """
        if not self.distinctive:
            return None
        names = "|".join(map(re.escape, self.distinctive))
        found = f"(?:^|[^{WORD}])(?:{names})(?:[^{WORD}]|$)"
        if self.wide:
            names = "|".join(r"\x00".join(map(re.escape, one)) for one in self.wide)
            before, after = rf"^|[^{WORD}]\x00|[^{WORD}\x00]", rf"\x00?(?:[^{WORD}\x00]|$)"
            found = f"(?:{found}|(?:{before})(?:{names})(?:{after}))"
        return found

    @cached_property
    def wide(self) -> tuple[str, ...]:
        """The distinctive ids that UTF-16 spells as NULs between their letters."""
        return tuple(one for one in self.distinctive if one.isascii())

    @cached_property
    def _spellings(self) -> tuple[bytes, ...]:
        """Bytes of which a text that names one of the members has some."""
        return tuple(
            [one.encode() for one in self.ids] + ["\0".join(one).encode() for one in self.wide]
        )

    def count(self, text: bytes) -> int:
        """How many lines of a text name one of the members."""
        return sum(1 for line in text.split(b"\n") if self.in_text(line))

    def in_text(self, text: bytes) -> bool:
        """Whether a text names one of the members."""
        return self.may_be_in(text) and any(found.search(text) for found in self._in_text)

    def in_bytes(self, data: bytes) -> bool:
        """Whether the bytes of a binary file hold a distinctive id. Texts lie end to end there."""
        return self.may_be_in(data) and any(found.search(data) for found in self._in_bytes)

    def may_be_in(self, text: bytes) -> bool:
        """Whether a text has an id somewhere; said a hundred times faster than what it means."""
        return any(one in text for one in self._spellings)

    def without(self, document: Any, under: str = "") -> Any:
        """A JSON document without the members: their objects, entries and mentions are gone."""
        kept = self._without(document, under)
        return None if kept is _GONE else kept

    def _without(self, value: Any, under: str) -> Any:
        if isinstance(value, dict):
            if MEMBER_ID in value and str(value[MEMBER_ID]) in self.ids:
                return _GONE
            entries = (
                (name, self._without(inner, name))
                for name, inner in value.items()
                if not self._is_mentioned(name)
            )
            return {name: ERASED if kept is _GONE else kept for name, kept in entries}
        if isinstance(value, list):
            return [kept for one in value if (kept := self._without(one, under)) is not _GONE]
        if isinstance(value, str):
            if value in self.distinctive or (under == "samples" and value in self.ids):
                return _GONE
            return ERASED if self._is_mentioned(value) else value
        return value

    def _is_mentioned(self, text: str) -> bool:
        return self._token is not None and bool(self._token.search(text))

    @cached_property
    def _token(self) -> re.Pattern[str] | None:
        return re.compile(self.token) if self.token else None

    @cached_property
    def _in_text(self) -> list[re.Pattern[bytes]]:
        found = [re.compile(self.token.encode())] if self.token else []
        if self.plain:
            names = "|".join(map(re.escape, self.plain))
            where = f"{MEMBER_ID}[^{WORD}]{{1,4}}(?:{names})(?:[^{WORD}]|$)"
            found.append(re.compile(where.encode()))
        return found

    @cached_property
    def _in_bytes(self) -> list[re.Pattern[bytes]]:
        # A longer number is another member's; any other neighbour may be the next text.
        names = [
            re.escape(one) + (r"(?![0-9])" if one[-1].isdigit() else "") for one in self.distinctive
        ]
        names += [
            r"\x00".join(map(re.escape, one)) + (r"(?!\x00[0-9])" if one[-1].isdigit() else "")
            for one in self.wide
        ]
        return [re.compile("|".join(names).encode())] if names else []


def _is_distinctive(member_id: str) -> bool:
    return len(member_id) >= DISTINCTIVE and any(char.isalpha() for char in member_id)
