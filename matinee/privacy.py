"""Pseudonyms, and the recognition and removal of member ids in fields, text, bytes and JSON."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.provenance import Fields, TooDeepError, parse_as_written, parse_json

LEAST_KEY_BYTES = 32
DISTINCTIVE = 6
"""Ids of this length with a letter are searched for in any text; `17` occurs in every file."""

ID_CHARACTERS = b"0-9A-Za-z_.:@+/#%~\x80-\xff-"
"""What may continue an id; everything else delimits it. Bytes of UTF-8 are letters."""
TRIMMED = b".:"
"""These continue an id inside a word and end a sentence, or a JSON key, at its edge."""

ERASED = "erased"
"""Replaces an object in a document that has to keep its structure."""

_REMOVED = object()
_TOKEN = re.compile(b"[" + ID_CHARACTERS + b"]+")
_IS_ID = bytes(int(_TOKEN.match(bytes([byte])) is not None) for byte in range(256))
_EDGE = np.isin(np.arange(256), list(TRIMMED))
_UNICODE = re.compile(rb"(?:\\u[0-9A-Fa-f]{4})+")
_FIELD = re.compile(rb'"member_?id"\s*:\s*("(?:[^"\\]|\\.)*")', re.IGNORECASE)
_SPELT = re.compile(rb"\\u[0-9A-Fa-f]{4}|\\/|&#?[0-9A-Za-z]+;")
_JOINED = b"-_.:@+/#%~"
"""Beside an id in binary data, these belong to a longer one; a letter may begin the next text."""


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


def is_delimiter(text: bytes) -> bool:
    """Whether no id goes on beyond a text."""
    return not _TOKEN.match(text)


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
        rows = _rows_of(self._find(data, offsets), offsets)
        of = _spelt_rows(data, offsets)
        if len(of):
            texts = [_plain(data[offsets[row] : offsets[row + 1]]) for row in of.tolist()]
            ends = np.cumsum([0, *map(len, texts)])
            found = _rows_of(self._find(b"".join(texts), ends), ends)
            rows = np.union1d(rows, of[found])
        return rows

    def may_be_in(self, text: bytes) -> bool:
        """Whether `suspects` would return the text."""
        return len(self.suspects(text, np.array([0, len(text)]))) > 0

    def mentioned(self, text: bytes, *, is_any: bool = False) -> bool:
        """Whether a distinctive id, or with `is_any` each id, is a token of a text."""
        plain = _plain(text)
        return any(self._names(one, is_any=is_any) for one in {*tokens(text), *tokens(plain)}) or (
            any(_is_delimited(one, part) for one in self._odd(is_any) for part in {text, plain})
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
    def _probe(self) -> _Probe:
        return _Probe(one.encode(errors="surrogatepass") for one in self.ids)

    @cached_property
    def _binary(self) -> _Substrings:
        return _Substrings(one.encode(errors="surrogatepass") for one in self.distinctive)

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
            for one in {*tokens(text), *tokens(_plain(text))}
        )

    def in_bytes(self, data: bytes) -> bool:
        """False: nothing tells where in binary data an id may begin."""
        return False

    def _find(self, data: bytes, offsets: NDArray[np.int64]) -> list[int]:
        if not data:
            return []
        starts, ends = _cut(data, offsets)
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        found = [start for start, end in spans if self._is_token(data[start:end])]
        for field in _FIELD.finditer(data):  # ids that are no token
            try:
                value = parse_json(field[1])
            except ValueError:
                continue
            if self.includes(value):
                found.append(field.start())
        return found

    def _is_token(self, token: bytes) -> bool:
        try:
            return self.includes(token.decode())
        except UnicodeDecodeError:
            return False


class _Probe:
    """Finds ids among the tokens of a text."""

    def __init__(self, ids: Iterable[bytes]) -> None:
        names = sorted(set(ids))
        self.regular = frozenset(one for one in names if tokens(one) == [one])
        self.odd = tuple(one for one in names if one not in self.regular)
        """Ids that are no single token: with spaces, quotes, or a point at the end."""
        parts = {part for one in self.odd for part in _parts(one)}
        self.bare = tuple(one for one in self.odd if not tokens(one))
        self.wanted = self.regular | parts
        self.is_length = np.zeros(max(map(len, self.wanted), default=0) + 2, np.bool_)
        self.is_first, self.is_last = np.zeros(256, np.bool_), np.zeros(256, np.bool_)
        for one in self.wanted:
            self.is_length[len(one)] = self.is_first[one[0]] = self.is_last[one[-1]] = True

    def find(self, data: bytes, offsets: NDArray[np.int64]) -> list[int]:
        """Where the tokens are that are an id or a part of one."""
        if not data or not (self.wanted or self.bare):
            return []
        buffer = np.frombuffer(data, np.uint8)
        starts, ends = _cut(data, offsets)
        lengths = np.minimum(ends - starts, len(self.is_length) - 1)
        may_be = self.is_length[lengths]
        starts, ends = starts[may_be], ends[may_be]
        may_be = self.is_first[buffer[starts]] & self.is_last[buffer[ends - 1]]
        spans = zip(starts[may_be].tolist(), ends[may_be].tolist(), strict=True)
        found = [start for start, end in spans if data[start:end] in self.wanted]
        for one in self.bare:
            place = data.find(one)
            while place >= 0:
                found.append(place)
                place = data.find(one, place + 1)
        return found


class _Substrings:
    """Finds ids in binary data, by their first four bytes."""

    def __init__(self, ids: Iterable[bytes]) -> None:
        self.ids = frozenset(one for one in ids if len(one) >= 4)
        self.lengths = sorted({len(one) for one in self.ids})
        self.first, self.second = np.zeros(1 << 16, np.bool_), np.zeros(1 << 16, np.bool_)
        for one in self.ids:
            self.first[one[0] << 8 | one[1]] = self.second[one[2] << 8 | one[3]] = True

    def is_in(self, data: bytes) -> bool:
        if not self.ids or len(data) < 4:
            return False
        buffer = np.frombuffer(data, np.uint8)
        pairs = buffer[:-1].astype(np.uint16) << 8 | buffer[1:]
        places = np.flatnonzero(self.first[pairs[:-2]] & self.second[pairs[2:]])
        return any(
            data[place : place + length] in self.ids and _is_whole(data, place, place + length)
            for place in places.tolist()
            for length in self.lengths
        )


def _is_whole(data: bytes, start: int, end: int) -> bool:
    before, after = data[max(start - 1, 0) : start], data[end : end + 1]
    is_longer = (before and before in _JOINED) or (after and after in _JOINED)
    return not is_longer and not (data[end - 1 : end].isdigit() and after.isdigit())


def _is_distinctive(member_id: str) -> bool:
    return len(member_id) >= DISTINCTIVE and any(char.isalpha() for char in member_id)


def tokens(text: bytes) -> list[bytes]:
    """The words of a text that could be an id."""
    return [one for run in _TOKEN.findall(text) if (one := run.strip(TRIMMED))]


def _parts(odd: bytes) -> list[bytes]:
    """Of an id that is no token, its longest part as it is and as JSON has it."""
    text = json.dumps(odd.decode(errors="surrogatepass"), ensure_ascii=False)[1:-1]
    spelt = (odd, text.encode(errors="surrogatepass"))
    return [max(words, key=len) for one in spelt if (words := tokens(one))]


def _is_delimited(member_id: bytes, text: bytes) -> bool:
    place = text.find(member_id)
    while place >= 0:
        before, after = text[:place][-1:], text[place + len(member_id) :]
        goes_on = _TOKEN.match(after)
        if not (_TOKEN.match(before) and _TOKEN.match(member_id[:1])) and not (
            goes_on and goes_on[0].strip(TRIMMED) and _TOKEN.match(member_id[-1:])
        ):
            return True
        place = text.find(member_id, place + 1)
    return False


def _cut(data: bytes, offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each token begins and ends; none goes on from one row to the next."""
    is_id = np.frombuffer(data.translate(_IS_ID), np.bool_)
    changes = np.empty(len(is_id) + 1, np.bool_)
    changes[0], changes[-1] = is_id[0], is_id[-1]
    np.not_equal(is_id[1:], is_id[:-1], out=changes[1:-1])
    edges = np.flatnonzero(changes)
    inner = offsets[(offsets > 0) & (offsets < len(is_id))]
    inner = np.unique(inner[is_id[inner] & is_id[inner - 1]])
    if len(inner):
        edges = np.sort(np.concatenate([edges, inner, inner]))
    starts, ends = edges[::2], edges[1::2]
    buffer = np.frombuffer(data, np.uint8)
    while (is_edge := _EDGE[buffer[ends - 1]] & (ends > starts)).any():
        ends = ends - is_edge
    while (is_edge := _EDGE[buffer[np.minimum(starts, len(data) - 1)]] & (ends > starts)).any():
        starts = starts + is_edge
    return starts, ends


def _rows_of(
    places: Sequence[int] | NDArray[np.int64], offsets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rows in which places of a buffer are."""
    places = np.asarray(places, np.int64)
    return np.unique(np.searchsorted(offsets, places, side="right") - 1)


def _spelt_rows(data: bytes, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows with an escape, or a NUL as UTF-16 has beside each letter."""
    places = np.zeros(0, np.int64)
    if b"\\" in data or b"&" in data:
        places = np.array([one.start() for one in _SPELT.finditer(data)], np.int64)
    if b"\0" in data:
        nul = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
        places = np.union1d(places, nul)
    return _rows_of(places, offsets)


def _plain(text: bytes) -> bytes:
    r"""A text without NUL, its `\u` and HTML escapes as the characters they stand for."""
    text = text.replace(b"\0", b"").replace(rb"\/", b"/")
    if b"\\u" in text:
        text = _UNICODE.sub(_unescaped, text)
    if b"&" in text:
        text = html.unescape(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return text


def _unescaped(escapes: re.Match[bytes]) -> bytes:
    characters: str = parse_json(b'"' + escapes[0] + b'"')
    return characters.encode(errors="replace")
