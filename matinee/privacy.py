"""Pseudonyms, and the recognition and removal of member ids in text, bytes and JSON."""

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
"""Ids of this length with a letter are searched for in any text; `17` occurs in every file."""

WORD = "0-9A-Za-z"
ERASED = "erased"
"""Replaces an id in text that has to keep its structure."""

_REMOVED = object()


def pseudonym(key: bytes, member_id: str, *, use: str) -> str:
    """Keyed pseudonym of a member id: 32 hex digits that only the key maps to the id.

    Each `use` has its own pseudonyms, so that two lists cannot be joined on them.

    >>> pseudonym(bytes(32), "m-000017", use="tombstone")
    '1e8d5a44ba8a6c1d47cb1cc7a8fb1d2e'
    """
    if len(key) < LEAST_KEY_BYTES:
        raise ValueError(f"a pseudonym key has at least {LEAST_KEY_BYTES} bytes, got {len(key)}")
    message = f"{use}\0{member_id}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True)
class Traces:
    """Finds and removes the ids of some members in text, table cells and JSON."""

    ids: frozenset[str]

    @classmethod
    def of(cls, ids: Iterable[str]) -> Traces:
        return cls(frozenset(ids))

    @cached_property
    def distinctive(self) -> tuple[str, ...]:
        """Ids that identify a member anywhere in a text."""
        return tuple(sorted(one for one in self.ids if _is_distinctive(one)))

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """Ids that identify a member only in a member id field."""
        return tuple(sorted(self.ids - set(self.distinctive)))

    @cached_property
    def token(self) -> str | None:
        """Regular expression for a distinctive id as a whole word; valid in RE2 and in Python.

        It also matches UTF-16, each letter followed by NUL: a UTF-16 file is rejected, and the
        rejected rows quote its bytes.
        """
        if not self.distinctive:
            return None
        names = "|".join(map(re.escape, self.distinctive))
        pattern = f"(?:^|[^{WORD}])(?:{names})(?:[^{WORD}]|$)"
        if self.wide:
            names = "|".join(r"\x00".join(map(re.escape, one)) for one in self.wide)
            before, after = rf"^|[^{WORD}]\x00|[^{WORD}\x00]", rf"\x00?(?:[^{WORD}\x00]|$)"
            pattern = f"(?:{pattern}|(?:{before})(?:{names})(?:{after}))"
        return pattern

    @cached_property
    def wide(self) -> tuple[str, ...]:
        """Distinctive ids in ASCII: UTF-16 encodes them with a NUL between letters."""
        return tuple(one for one in self.distinctive if one.isascii())

    @cached_property
    def _spellings(self) -> tuple[bytes, ...]:
        """Byte strings, one of which is in any text that names a member."""
        return tuple(
            [one.encode() for one in self.ids] + ["\0".join(one).encode() for one in self.wide]
        )

    def count(self, text: bytes) -> int:
        """How many lines of a text name one of the members."""
        return sum(1 for line in text.split(b"\n") if self.in_text(line))

    def in_text(self, text: bytes) -> bool:
        """Whether a text names one of the members."""
        return self.may_be_in(text) and any(pattern.search(text) for pattern in self._in_text)

    def in_bytes(self, data: bytes) -> bool:
        """Whether binary data contains a distinctive id; texts may follow each other directly."""
        return self.may_be_in(data) and any(pattern.search(data) for pattern in self._in_bytes)

    def may_be_in(self, text: bytes) -> bool:
        """Whether the bytes of an id are in a text: a fast prefilter for `in_text`."""
        return any(one in text for one in self._spellings)

    def without(self, document: Any, under: str = "") -> Any:
        """A JSON document without the members: their objects, entries and mentions removed."""
        result = self._without(document, under)
        return None if result is _REMOVED else result

    def _without(self, value: Any, under: str) -> Any:
        if isinstance(value, dict):
            if MEMBER_ID in value and str(value[MEMBER_ID]) in self.ids:
                return _REMOVED
            entries = (
                (name, self._without(inner, name))
                for name, inner in value.items()
                if not self._is_mentioned(name)
            )
            return {name: ERASED if rest is _REMOVED else rest for name, rest in entries}
        if isinstance(value, list):
            return [rest for one in value if (rest := self._without(one, under)) is not _REMOVED]
        if isinstance(value, str):
            if value in self.distinctive or (under == "samples" and value in self.ids):
                return _REMOVED
            return ERASED if self._is_mentioned(value) else value
        return value

    def _is_mentioned(self, text: str) -> bool:
        return self._token is not None and bool(self._token.search(text))

    @cached_property
    def _token(self) -> re.Pattern[str] | None:
        return re.compile(self.token) if self.token else None

    @cached_property
    def _in_text(self) -> list[re.Pattern[bytes]]:
        patterns = [re.compile(self.token.encode())] if self.token else []
        if self.plain:
            names = "|".join(map(re.escape, self.plain))
            where = f"{MEMBER_ID}[^{WORD}]{{1,4}}(?:{names})(?:[^{WORD}]|$)"
            patterns.append(re.compile(where.encode()))
        return patterns

    @cached_property
    def _in_bytes(self) -> list[re.Pattern[bytes]]:
        # A following digit makes it another id; any other following byte may start the next text.
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
