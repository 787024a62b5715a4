"""Cuts texts and bytes into tokens that may be ids, and finds given ids among them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from matinee.provenance import parse_json

ID_CHARACTERS = b"0-9A-Za-z_.:@+/#%~\x80-\xff-"
"""What may continue an id; everything else delimits it. Bytes of UTF-8 are letters."""


TRIMMED = b".:"
"""These continue an id inside a word and end a sentence, or a JSON key, at its edge."""


TOKEN = re.compile(b"[" + ID_CHARACTERS + b"]+")


_IS_ID = bytes(int(TOKEN.match(bytes([byte])) is not None) for byte in range(256))


_EDGE = np.isin(np.arange(256), list(TRIMMED))


_UNICODE = re.compile(rb"(?:\\u[0-9A-Fa-f]{4})+")


_JOINED = b"-_.:@+/#%~"
"""Beside an id in binary data, these belong to a longer one; a letter may begin the next text."""


def is_delimiter(text: bytes) -> bool:
    """Whether no id goes on beyond a text."""
    return not TOKEN.match(text)


class Probe:
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
        starts, ends = cut(data, offsets)
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


class Substrings:
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


def tokens(text: bytes) -> list[bytes]:
    """The words of a text that could be an id."""
    return [one for run in TOKEN.findall(text) if (one := run.strip(TRIMMED))]


def _parts(odd: bytes) -> list[bytes]:
    """Of an id that is no token, its longest part as it is and as JSON has it."""
    text = json.dumps(odd.decode(errors="surrogatepass"), ensure_ascii=False)[1:-1]
    spelt = (odd, text.encode(errors="surrogatepass"))
    return [max(words, key=len) for one in spelt if (words := tokens(one))]


def is_delimited(member_id: bytes, text: bytes) -> bool:
    place = text.find(member_id)
    while place >= 0:
        before, after = text[:place][-1:], text[place + len(member_id) :]
        goes_on = TOKEN.match(after)
        if not (TOKEN.match(before) and TOKEN.match(member_id[:1])) and not (
            goes_on and goes_on[0].strip(TRIMMED) and TOKEN.match(member_id[-1:])
        ):
            return True
        place = text.find(member_id, place + 1)
    return False


def cut(data: bytes, offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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


def rows_of(
    places: Sequence[int] | NDArray[np.int64], offsets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rows in which places of a buffer are."""
    places = np.asarray(places, np.int64)
    return np.unique(np.searchsorted(offsets, places, side="right") - 1)


@cache
def spelt(*, is_ascii: bool, has_slash: bool) -> re.Pattern[bytes]:
    r"""Escapes that may spell an id; those of `\u` only in ASCII when all ids are."""
    escapes = [rb"\\u00[0-7]" if is_ascii else rb"\\u[0-9A-Fa-f]{4}", rb"&#?[0-9A-Za-z]+;"]
    return re.compile(b"|".join(escapes + [rb"\\/"] * has_slash))


def spelt_rows(
    data: bytes, offsets: NDArray[np.int64], escapes: re.Pattern[bytes]
) -> NDArray[np.int64]:
    """The rows with an escape, or a NUL as UTF-16 has beside each letter."""
    places = np.zeros(0, np.int64)
    if b"\\" in data or b"&" in data:
        places = np.array([one.start() for one in escapes.finditer(data)], np.int64)
    if b"\0" in data:
        nul = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
        places = np.union1d(places, nul)
    return rows_of(places, offsets)


def plain_text(text: bytes) -> bytes:
    r"""A text without NUL, its `\u` and HTML escapes as the characters they stand for."""
    text = text.replace(b"\0", b"").replace(rb"\/", b"/")
    if b"\\u" in text:
        text = _UNICODE.sub(_unescaped, text)
    if b"&" in text:
        text = html.unescape(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return text


def _unescaped(escapes: re.Match[bytes]) -> bytes:
    return _characters(escapes[0])


@lru_cache(maxsize=1 << 12)
def _characters(escapes: bytes) -> bytes:
    characters: str = parse_json(b'"' + escapes + b'"')
    return characters.encode(errors="replace")
