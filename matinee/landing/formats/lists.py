"""Lists that a CSV file writes into one field.

========================  =========================================
`Drama|Romance`           the contract's own
`["Drama", "Romance"]`    JSON
`['Drama', "Rock'n'Roll"]`  Python: lists, tuples and sets
`['Drama' 'Romance']`     NumPy
`{Drama,"Film, noir"}`    Postgres
`[Drama, Romance]`        DuckDB, Trino, Spark
========================  =========================================
"""

import ast
import re
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from matinee.provenance import parse_json

BRACKETS = {"[": "]", "{": "}", "(": ")"}
_OPENING = r"""^\s*([\[{]|\(["'])"""
"""A name may be in brackets of its own: `(untitled)`."""

_QUOTED = r"""[urbURB]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_BARE = r"""[^\s,"'\[\]{}()\\][^,"\[\]{}\\]*"""
_ITEM = re.compile(rf"\s*(?:({_QUOTED})|({_BARE}))\s*", re.DOTALL)


def split(texts: pa.Array, missing: Collection[str]) -> tuple[pa.Array, pa.Array]:
    """A column of texts as lists, and where a text looks like a list and is none.

    Parameters
    ----------
    missing : words in lower case that stand for no list at all

    Returns
    -------
    lists : null where the text is empty or missing, and where it cannot be read
    is_broken : booleans
    """
    words = pa.array(["", *missing], pa.string())
    is_there = pc.fill_null(pc.invert(pc.is_in(pc.utf8_lower(texts), words)), False)
    lists = pc.if_else(is_there, pc.split_pattern(texts, "|"), None)
    is_bracketed = pc.and_(is_there, pc.fill_null(pc.match_substring_regex(texts, _OPENING), False))
    if not pc.any(is_bracketed).as_py():
        return lists, is_bracketed
    # A catalogue writes the same few lists again and again.
    encoded = pc.dictionary_encode(pc.if_else(is_bracketed, texts, None))
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    parsed = [parse(text) for text in encoded.dictionary.to_pylist()]
    found = pa.array(parsed, pa.list_(pa.string())).take(encoded.indices)
    is_broken = pc.and_(is_bracketed, pc.is_null(found))
    return pc.if_else(is_bracketed, found, lists), is_broken


def parse(text: str) -> list[str] | None:
    """The parts of a bracketed list; None when it is none, or holds more than texts.

    >>> parse('{Drama,"Film, noir",NULL}')
    ['Drama', 'Film, noir']
    >>> parse("[{'id': 18}]") is None
    True
    """
    text = text.strip()
    opening = text[:1]
    if len(text) < 2 or text[-1] != BRACKETS[opening]:
        # `[REC]|Drama` is a list of the contract's own; `["a", "b` was cut.
        return text.split("|") if BRACKETS[opening] in text else None
    parts = _json(text) if opening == "[" else None
    if parts is None:
        inner = text[1:-1].strip()
        parts = _items(inner, is_postgres=opening == "{" and "'" not in inner)
    if parts is None and "]|[" in text and '"' not in text:
        return text.split("|")
    return parts


def _json(text: str) -> list[str] | None:
    try:
        parts = parse_json(text)
    except (ValueError, RecursionError):
        return None
    if any(isinstance(part, list | dict) for part in parts):
        return None
    return [part if isinstance(part, str) else str(part) for part in parts if part is not None]


def _items(inner: str, *, is_postgres: bool) -> list[str] | None:
    """Parts between commas; only parts in quotes may do without one."""
    parts: list[str] = []
    position, needs_comma = 0, False
    while position < len(inner):
        if inner[position] == ",":
            if not needs_comma:
                return None
            needs_comma = False
            position += 1
            continue
        match = _ITEM.match(inner, position)
        if match is None or (needs_comma and match[1] is None):
            return None
        if match[1] is not None:
            part = _unquoted(match[1], is_postgres=is_postgres)
            if part is None:
                return None
            parts.append(part)
        elif match[2].strip().lower() not in ("null", "none"):
            parts.append(match[2].strip())
        needs_comma = True
        position = match.end()
    return parts


def _unquoted(token: str, *, is_postgres: bool) -> str | None:
    if is_postgres:
        return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
    try:
        value = ast.literal_eval(token)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None
