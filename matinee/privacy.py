"""Pseudonyms, and the recognition and removal of member ids in fields, text, bytes and JSON."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.id_tokens import (
    Probe,
    Substrings,
    cut,
    is_delimited,
    plain_text,
    rows_of,
    spelt,
    spelt_rows,
    tokens,
)
from matinee.provenance import Fields, TooDeepError, parse_as_written, parse_json

LEAST_KEY_BYTES = 32
DISTINCTIVE = 6
"""Ids of this length with a letter are searched for in any text; `17` occurs in every file."""


ERASED = "erased"
"""Replaces an object in a document that has to keep its structure."""

_REMOVED = object()
_FIELD = re.compile(rb'"member_id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*)')


def pseudonym(key: bytes, member_id: str, *, use: str) -> str:
    """Keyed pseudonym of a member id: 32 hex digits that only the key maps to the id.

    Each `use` has its own pseudonyms, so that two lists cannot be joined on them.

    >>> pseudonym(bytes(32), "m-000017", use="tombstone")
    '1e8d5a44ba8a6c1d47cb1cc7a8fb1d2e'
    """
    if len(key) < LEAST_KEY_BYTES:
        raise ValueError(f"a pseudonym key has at least {LEAST_KEY_BYTES} bytes, got {len(key)}")
    message = f"{use}\0{member_id}".encode()
    return hmac.digest(key, message, hashlib.sha256).hex()[:32]


def is_member_field(name: object) -> bool:
    """Whether a column or JSON field holds member ids: `MEMBER_ID` and `memberId` do too."""
    return isinstance(name, str) and re.sub(r"[ _-]", "", name).lower() == "memberid"


class Traces:
    """Finds and removes the ids of some members.

    A row is a member's when a field of member ids equals the id. Elsewhere an id counts only as
    a token of its own, and as a mention: it is reported, never removed. `m-000001-kids`,
    `eu/m-000001` and `m-000001@x.org` are other ids than `m-000001`.
    """

    def __init__(self, ids: frozenset[str]) -> None:
        self.ids = ids

    @classmethod
    def of(cls, ids: Iterable[str]) -> Traces:
        return cls(frozenset(ids))

    def includes(self, value: object) -> bool:
        """Whether the value of a member field, as text, is one of the ids."""
        return value is not None and str(value) in self.ids

    def among(self, values: Iterable[str | None]) -> list[str]:
        """Those values of a member field that are ids of the members, sorted."""
        return sorted({one for one in values if one is not None and self.includes(one)})

    @cached_property
    def distinctive(self) -> tuple[str, ...]:
        """Ids that are searched for outside member fields."""
        return tuple(sorted(filter(_is_distinctive, self.ids)))

    @cached_property
    def texts(self) -> list[str]:
        """The ids that are UTF-8, sorted: no column of text has another."""
        return sorted(one for one in self.ids if one.encode(errors="ignore").decode() == one)

    # ---------- text

    def suspects(self, data: bytes, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of a buffer that may name a member, in one pass for any number of ids.

        Tokens are cut out and looked up in a set; of an id with spaces or quotes, its longest
        part. Rows with escapes, and UTF-16, are read as what they stand for.

        Parameters
        ----------
        offsets : where each row begins, and the end of the last

        Returns
        -------
        Row numbers, ascending.
        """
        rows = rows_of(self._find(data, offsets), offsets)
        of = spelt_rows(data, offsets, self._escapes)
        if len(of):
            texts = [plain_text(data[offsets[row] : offsets[row + 1]]) for row in of.tolist()]
            ends = np.cumsum([0, *map(len, texts)])
            found = rows_of(self._find(b"".join(texts), ends), ends)
            rows = np.union1d(rows, of[found])
        return rows

    def may_be_in(self, text: bytes) -> bool:
        """Whether `suspects` would return the text."""
        return len(self.suspects(text, np.array([0, len(text)]))) > 0

    def mentioned(self, text: bytes, *, is_any: bool = False) -> bool:
        """Whether a distinctive id, or with `is_any` each id, is a token of a text."""
        plain = plain_text(text)
        return any(self._names(one, is_any=is_any) for one in {*tokens(text), *tokens(plain)}) or (
            any(is_delimited(one, part) for one in self._odd(is_any) for part in {text, plain})
        )

    def in_json(
        self, text: bytes | str, *, is_document: bool = False, is_keyed: bool = False
    ) -> bool | None:
        """Whether a member field of a JSON text has one of the ids; None when it is no JSON.

        Parameters
        ----------
        is_document, is_keyed : whether the ids in `samples`, and the fields of `members`, count:
            what `without` removes from documents of our own

        Raises
        ------
        TooDeepError
            When it is nested too deep.
        """
        try:
            value = parse_as_written(text)
        except TooDeepError:
            raise
        except ValueError:
            return None
        if not isinstance(value, list):
            return None
        return self._is_in(value, is_document, is_keyed)

    def in_text(self, text: bytes) -> bool:
        """Whether a text names one of the members, in a member field or by a mention."""
        if not self.may_be_in(text):
            return False
        try:
            return bool(self.in_json(text)) or self.mentioned(text)
        except TooDeepError:
            return self.mentioned(text)

    def in_bytes(self, data: bytes) -> bool:
        """Whether binary data contains a distinctive id; texts may follow each other directly."""
        texts = [data]
        if b"\0" in data:  # UTF-16, UTF-32
            texts.append(data.replace(b"\0", b""))
        return any(self._binary.is_in(one) for one in texts)

    @cached_property
    def _escapes(self) -> re.Pattern[bytes]:
        """What a row must hold to spell one of the ids by escapes."""
        is_ascii = all(one.isascii() for one in self.ids)
        has_slash = any("/" in one for one in self.ids)
        return spelt(is_ascii=is_ascii, has_slash=has_slash)

    def _find(self, data: bytes, offsets: NDArray[np.int64]) -> list[int]:
        return self._probe.find(data, offsets)

    def _names(self, token: bytes, *, is_any: bool) -> bool:
        return token in self._probe.regular and (is_any or _is_distinctive(token.decode()))

    def _odd(self, is_any: bool) -> tuple[bytes, ...]:
        odd = self._probe.odd
        return odd if is_any else tuple(one for one in odd if _is_distinctive(one.decode()))

    def _is_in(self, document: Any, is_document: bool, is_keyed: bool) -> bool:
        """Whether a value in a member field is an id; without recursion, for it may be deep."""
        waiting = [(document, False)]
        while waiting:
            value, is_id = waiting.pop()
            if isinstance(value, Fields):
                for name, inner in value:
                    is_samples = is_document and name == "samples"
                    waiting.append((inner, is_samples or is_member_field(name)))
                    if is_keyed and name == "members" and isinstance(inner, Fields):
                        waiting += [(key, True) for key, _ in inner]
            elif isinstance(value, list):
                waiting += [(one, is_id) for one in value]
            elif is_id and self._is_id(value):
                return True
        return False

    def _is_id(self, value: object) -> bool:
        return self.includes(str(value).lower() if isinstance(value, bool) else value)

    @cached_property
    def _probe(self) -> Probe:
        return Probe(one.encode(errors="surrogatepass") for one in self.ids)

    @cached_property
    def _binary(self) -> Substrings:
        return Substrings(one.encode(errors="surrogatepass") for one in self.distinctive)

    # ---------- documents

    def without(self, document: Any, under: str = "", *, is_keyed: bool = False) -> Any:
        """A JSON document without the members: objects of theirs, and their ids in `samples`.

        With `is_keyed`, the fields of `members` are member ids, as in what a simulation planted.
        """
        result = self._without(document, under, is_keyed)
        return None if result is _REMOVED else result

    def _is_one(self, value: Any) -> bool:
        return any(map(self._is_id, value)) if isinstance(value, list) else self._is_id(value)

    def _without(self, value: Any, under: str, is_keyed: bool) -> Any:
        if isinstance(value, dict):
            if any(is_member_field(name) and self._is_one(one) for name, one in value.items()):
                return _REMOVED
            entries = (
                (name, self._without(inner, name, is_keyed))
                for name, inner in value.items()
                if not (is_keyed and under == "members" and self.includes(name))
            )
            return {name: ERASED if rest is _REMOVED else rest for name, rest in entries}
        if isinstance(value, list):
            rest = [self._without(one, under, is_keyed) for one in value]
            return [one for one in rest if one is not _REMOVED]
        if isinstance(value, str) and under == "samples" and self.includes(value):
            return _REMOVED
        return value


class Forgotten(Traces):
    """Finds members who were erased before, of whom only keyed pseudonyms are left."""

    MOST_KNOWN = 1 << 20
    """Tokens that are remembered, so that each is hashed once."""

    def __init__(self, is_forgotten: Callable[[str], bool]) -> None:
        super().__init__(frozenset())
        self.is_forgotten = is_forgotten
        self.found: set[str] = set()
        """The ids that were found so far."""
        self._known: dict[object, bool] = {}

    def includes(self, value: object) -> bool:
        """Whether the value of a member field is the id of an erased member."""
        if value is None:
            return False
        if (known := self._known.get(value)) is None:
            if len(self._known) >= self.MOST_KNOWN:
                self._known.clear()
            known = self._known[value] = self.is_forgotten(str(value))
            if known:
                self.found.add(str(value))
        return known

    def mentioned(self, text: bytes, *, is_any: bool = False) -> bool:
        """Whether the id of an erased member is a token of a text."""
        return any(
            self._is_token(one) and (is_any or _is_distinctive(one.decode()))
            for one in {*tokens(text), *tokens(plain_text(text))}
        )

    def in_bytes(self, data: bytes) -> bool:
        """False: nothing tells where in binary data an id may begin."""
        return False

    @cached_property
    def _escapes(self) -> re.Pattern[bytes]:
        return spelt(is_ascii=False, has_slash=True)

    def _find(self, data: bytes, offsets: NDArray[np.int64]) -> list[int]:
        """Where member fields have such an id, and in rows without one where a token is one."""
        fields = list(_FIELD.finditer(data))
        found = [one.start() for one in fields if self._is_field(one[1])]
        rows = rows_of([one.start() for one in fields], offsets)
        if data and len(rows) < len(offsets) - 1:
            starts, ends = cut(data, offsets)
            is_free = ~np.isin(np.searchsorted(offsets, starts, side="right") - 1, rows)
            spans = zip(starts[is_free].tolist(), ends[is_free].tolist(), strict=True)
            found += [start for start, end in spans if self._is_token(data[start:end])]
        return found

    def _is_field(self, value: bytes) -> bool:
        if not value.startswith(b'"'):
            return self._is_token(value)
        try:
            return self.includes(parse_json(value))
        except ValueError:
            return self._is_token(value.strip(b'"'))

    def _is_token(self, token: bytes) -> bool:
        try:
            return self.includes(token.decode())
        except UnicodeDecodeError:
            return False


def _is_distinctive(member_id: str) -> bool:
    return len(member_id) >= DISTINCTIVE and any(char.isalpha() for char in member_id)
