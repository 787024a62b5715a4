"""Rows of any stream, made from its contract, as a file of any format; and texts that mean harm."""

import csv
import io
import itertools
import json
import re
import unicodedata

import pyarrow as pa
import pyarrow.parquet as pq

FORMATS = ("jsonl", "csv", "parquet")

HOSTILE = {
    "sql": "x'); drop table titles; --",
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "formula": "=cmd|' /C calc'!A0",
    "sum": "@SUM(1+1)*cmd",
    "path": "../../../../etc/passwd",
    "nul": "nul\x00byte",
    "bidi": "\u202egnp.exe\u2066",
    "terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "jinja": "{{ 7 * 7 }}{% raw %}",
    "brace": "{",
    "list": '["a"]',
    "object": '{"a": 1}',
    "escape": "\\u0000\\",
    "quote": 'say "it", then',
    "quoted": '"x" y',
    "lines": "one\ntwo\r\nthree\rfour\u2028five",
    "emoji": "\N{WOMAN}\u200d\N{GIRL} Z\u0351\u036b\u0343",
    "blank": " \t ",
    "mark": "\ufeff\uffff\U0010ffff",
    "long": "é" * 2_000,
    "longest": "x" * 65_000,
}
"""Texts that every format can hold and that are values, whatever they look like."""

MISSING = {"null": "null", "nan": "NaN"}
"""Texts that stand for no value in every format."""

PLAY = {
    "event_id": "e1",
    "event_at": "2026-01-02T10:00:00Z",
    "received_at": "2026-01-02T10:00:01Z",
    "member_id": "m1",
    "title_id": "t1",
    "watched_seconds": 60,
}
"""A good row of `plays`."""

GOOD = {
    "varchar": "x1",
    "bigint": 1,
    "double": 0.5,
    "boolean": True,
    "timestamp": "2026-01-02T10:00:00Z",
    "date": "2026-01-02",
    "varchar[]": ["x1"],
}


def encode(rows, format):
    """Rows as a file; every value as text, where the format has no types of its own."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if format == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if format == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: "|".join(v) if isinstance(v, list) else v for k, v in row.items()})
        return text.getvalue().encode(errors="surrogatepass")
    table = {}
    for name in names:
        values = [row.get(name) for row in rows]
        is_list = any(isinstance(value, list) for value in values)
        parts = [part for value in values for part in (value or [] if is_list else [value])]
        texts = [p if p is None else str(p).encode(errors="surrogatepass") for p in parts]
        column = pa.array(texts, pa.binary()).view(pa.string())
        if is_list:
            ends = itertools.accumulate((len(value or []) for value in values), initial=0)
            no_value = pa.array([value is None for value in values])
            column = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), column, mask=no_value)
        table[name] = column
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


def is_text(column):
    """Whether a column takes any text there is."""
    is_free = column.limits.allowed is None and column.pattern is None and not column.when
    return is_free and column.data_type in ("varchar", "varchar[]")


def as_kept(stream, column, text):
    """Names are composed (NFC), but for a NUL; ids and what happened stay to the byte."""
    if stream.kind == "event" or column.endswith("_id") or "\x00" in text:
        return text
    return unicodedata.normalize("NFC", text)


def good_row(stream):
    """A row with a value in every column."""
    row = {}
    for column in stream.columns:
        value = GOOD[column.data_type]
        if column.limits.allowed is not None:
            value = column.limits.allowed[0]
        elif column.limits.minimum is not None and column.data_type in ("bigint", "double"):
            value = column.limits.minimum
        elif column.pattern:
            value = next(v for v in ("DE", "EUR", "de", "x1") if re.fullmatch(column.pattern, v))
        row[column.name] = value
    for column in stream.columns:  # limits that hold for one value of another column
        for condition in column.when:
            if str(row[condition.column]) == condition.value and condition.limits.allowed:
                row[column.name] = condition.limits.allowed[0]
    return row
