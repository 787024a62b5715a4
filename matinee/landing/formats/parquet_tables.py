"""Parquet files as tables of text: a value is the same text from whichever type it comes."""

import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.errors import printable_name
from matinee.landing.contract import Stream
from matinee.landing.files import Source, TornError
from matinee.landing.read import Opened, is_utf8, named, with_file

FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999 in Unix time."""
LARGEST_EXACT_BITS = 53
"""Whole numbers that a double holds one by one."""
TORN_PARQUET = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, OverflowError)
"""What the reader raises on a file that somebody damaged, or wrote in a way it does not know."""


def open_parquet(source: Source, stream: Stream) -> Opened:
    seekable = source.seekable()
    try:
        # The old INT96 overflows in nanoseconds.
        parquet = pq.ParquetFile(seekable, coerce_int96_timestamp_unit="us")
        as_written = list(parquet.schema_arrow.names)
    except TORN_PARQUET as error:
        raise TornError(f"it is cut or not Parquet: {first_line(error)}") from None
    names, notes = named(as_written, stream)
    known = [was for was, now in zip(as_written, names, strict=True) if now in stream.names]

    def tables() -> Iterator[pa.Table]:
        line = 1
        try:
            for batch in parquet.iter_batches(columns=known):
                renamed = [names[as_written.index(name)] for name in batch.schema.names]
                batch = pa.RecordBatch.from_arrays(batch.columns, renamed)
                yield with_file(_parquet_table(batch, line, stream), source.file)
                line += len(batch)
        except TORN_PARQUET as error:
            raise TornError(f"its Parquet cannot be read: {first_line(error)}") from None

    return Opened(tables(), names, notes)


def first_line(error: Exception) -> str:
    """An outside library's error for a message, or its type where it has no text."""
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return printable_name(text)


def _parquet_table(batch: pa.RecordBatch, line: int, stream: Stream) -> pa.Table:
    broken: pa.Array = pa.nulls(len(batch), pa.string())
    columns = {}
    for column in stream.columns:
        target = pa.list_(pa.string()) if column.data_type == "varchar[]" else pa.string()
        if column.name not in batch.schema.names:
            columns[f"text_{column.name}"] = pa.nulls(len(batch), target)
            continue
        values = _to_text(batch.column(column.name), target, column.name)
        try:
            values.validate(full=True)
        except pa.ArrowInvalid:
            raw = values.cast(pa.list_(pa.binary()) if target != pa.string() else pa.binary())
            decoded = [_decode(value) for value in raw.to_pylist()]
            values = pa.array([value for value, _ in decoded], target)
            is_whole = pa.array([is_utf8 for _, is_utf8 in decoded])
            broken = pc.if_else(is_whole, broken, "invalid_utf8")
        columns[f"text_{column.name}"] = values
    return pa.table(
        {
            "line": np.arange(line, line + len(batch)),
            "raw_text": pa.nulls(len(batch), pa.string()),
            "broken": broken,
            **columns,
        }
    )


def _to_text(values: pa.Array, target: pa.DataType, name: str) -> pa.Array:
    """A column as text that has the value's full meaning; UTF-8 is not yet checked."""
    kind = values.type
    try:
        # Unsafe to text means: bytes of any type as they are, UTF-8 or not.
        return _plain(values).cast(target, safe=False)
    except pa.ArrowNotImplementedError:
        wanted = "a list" if pa.types.is_list(target) else "one value"
        raise TornError(f"its column {name} is {kind}, where {wanted} is asked for") from None


def texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of ids as text, as `receive` reads it; UTF-8 is not checked."""
    parts = [_plain(chunk).cast(pa.string(), safe=False) for chunk in values.chunks]
    return pa.chunked_array(parts, pa.string())


def _plain(values: pa.Array) -> pa.Array:
    """Values that a cast to text gets right: an id is the same from whichever type it comes."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        is_uuid = kind.extension_name == "arrow.uuid"
        return _uuids(values.storage) if is_uuid else _plain(values.storage)
    if pa.types.is_dictionary(kind):
        return _plain(values.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return _instants(values)
    if pa.types.is_fixed_size_binary(kind):  # shorter texts are filled up with NUL
        return pa.array([v and v.rstrip(b"\0") for v in values.to_pylist()], pa.binary())
    if pa.types.is_decimal(kind):
        texts = values.cast(pa.string())
        texts = pc.replace_substring_regex(texts, r"^-?0(\.0+|E[+-]?[0-9]+)$", "0")
        return pc.replace_substring_regex(texts, r"\.0+$", "")
    if pa.types.is_floating(kind):
        values = values.cast(pa.float64())
        is_whole = pc.and_(
            pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**LARGEST_EXACT_BITS)
        )
        whole = pc.if_else(is_whole, values, None).cast(pa.int64())
        return pc.coalesce(whole.cast(pa.string()), values.cast(pa.string()))
    return values


def _uuids(values: pa.Array) -> pa.Array:
    texts = [v and str(uuid.UUID(bytes=v)) for v in values.to_pylist()]
    return pa.array(texts, pa.string())


def _instants(values: pa.Array) -> pa.Array:
    """Timestamps of any unit as UTC; what four digits of a year cannot hold is at their ends.

    One without a zone is UTC too: Parquet has no other way to leave the zone out.
    """
    kind = values.type
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    first, last = (
        max(-(2**63), min(2**63 - 1, second * per_second)) for second in (FIRST_SECOND, LAST_SECOND)
    )
    counts = pc.max_element_wise(values.cast(pa.int64()), first, skip_nulls=False)
    counts = pc.min_element_wise(counts, last, skip_nulls=False)
    return counts.cast(pa.timestamp(kind.unit)).cast(pa.timestamp("us", "UTC"), safe=False)


def _decode(value: Any) -> tuple[Any, bool]:
    """A text, or list of texts, from bytes, and whether all of it was UTF-8."""
    if value is None:
        return None, True
    if isinstance(value, bytes):
        return value.decode(errors="replace"), is_utf8(value)
    pairs = [_decode(part) for part in value]
    return [part for part, _ in pairs], all(is_utf8 for _, is_utf8 in pairs)
