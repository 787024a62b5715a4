"""Whose a row is: of tables and of records of text, by their columns of member ids.

A row is a member's when such a column equals the id. A record that cannot be taken apart has no
columns: in a file of a stream with member ids it is theirs when it has the id as a token.
"""

from collections.abc import Callable, Iterable
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matinee.id_tokens import is_delimiter
from matinee.landing.formats.dialect import Dialect
from matinee.landing.formats.parquet_tables import texts
from matinee.landing.read import Records, csv_fields
from matinee.privacy import Forgotten, Traces, is_member_field
from matinee.provenance import TooDeepError

Mask = NDArray[np.bool_]
FILE, RAW_TEXT = "file", "raw_text"
"""Columns of rejected rows: the landing file, and what was there."""

# ---------- tables


def owned(table: pa.Table, traces: Traces) -> Mask:
    """The rows of which a column of member ids, also inside a struct, list or map, has an id."""
    return _any_column(table, lambda values, name: _owned(values, is_member_field(name), traces))


def mentions(table: pa.Table, traces: Traces) -> Mask:
    """The rows of which another cell has a distinctive id as a token."""
    return _any_column(table, lambda values, name: _mentions(values, is_member_field(name), traces))


def left_in_dictionaries(table: pa.Table, traces: Traces) -> bool:
    """Whether an id is among the categories of a column, though no row may have it any more."""
    categories = {
        name: chunk.dictionary
        for name, column in zip(table.column_names, table.columns, strict=True)
        if pa.types.is_dictionary(column.type)
        for chunk in column.chunks
    }
    return any(owned(pa.table({name: values}), traces).any() for name, values in categories.items())


def without_unused_categories(table: pa.Table) -> pa.Table:
    """A table again whose categories are those of its rows."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            values = table.column(place).cast(field.type.value_type).combine_chunks()
            encoded = values.dictionary_encode().cast(field.type)
            table = table.set_column(place, field, encoded)
    return table


def has_member_column(schema: pa.Schema) -> bool:
    """Whether a table may have a column of member ids, at any depth; any map may."""
    return any(_has_member_field(field) for field in schema)


def _has_member_field(field: pa.Field) -> bool:
    kind = field.type
    inner = [kind.field(n) for n in range(kind.num_fields)]
    is_named = is_member_field(field.name) or pa.types.is_map(kind)
    return is_named or any(map(_has_member_field, inner))


def _any_column(table: pa.Table, find: Callable[[pa.Array, str], Mask]) -> Mask:
    found = np.zeros(len(table), np.bool_)
    for name, column in zip(table.column_names, table.columns, strict=True):
        start = 0
        for chunk in column.chunks:
            found[start : start + len(chunk)] |= find(chunk, name)
            start += len(chunk)
    return found


def _owned(values: pa.Array, is_ids: bool, traces: Traces) -> Mask:
    def look(inner: pa.Array, name: str | None) -> Mask:
        return _owned(inner, is_ids if name is None else is_member_field(name), traces)

    nested = _nested(values, look)
    if nested is not None or not is_ids:
        return _none(values) if nested is None else nested
    try:
        column = texts(pa.chunked_array([values])).combine_chunks()
    except pa.ArrowNotImplementedError:  # not text, so no member id
        return _none(values)
    if isinstance(traces, Forgotten):
        column = _utf8(column)
        wanted = traces.among(column.unique().to_pylist())
    else:
        wanted = traces.texts
    return _mask(pc.is_in(column, value_set=pa.array(wanted, pa.string())))


def _utf8(values: pa.Array) -> pa.Array:
    """Texts; what is not UTF-8 is no member id."""
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        decoded = [one and _decoded(one) for one in values.cast(pa.binary()).to_pylist()]
        return pa.array(decoded, pa.string())
    return values


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def _mentions(values: pa.Array, is_ids: bool, traces: Traces) -> Mask:
    def look(inner: pa.Array, name: str | None) -> Mask:
        return _mentions(inner, is_ids if name is None else is_member_field(name), traces)

    nested = _nested(values, look)
    if nested is not None:
        return nested
    kind = values.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_view = pa.types.is_string_view(kind) or pa.types.is_binary_view(kind)
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if is_ids or not (is_text or is_bytes or is_view or pa.types.is_fixed_size_binary(kind)):
        return _none(values)
    column = values.cast(pa.large_binary()) if not is_view else _large(values)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    if not len(column) or data is None:
        return _none(values)
    part = memoryview(data)[ends[0] : ends[-1]].tobytes()
    found = _none(values)
    for row in traces.suspects(part, ends - ends[0]).tolist():
        found[row] = traces.mentioned(part[ends[row] - ends[0] : ends[row + 1] - ends[0]])
    return found


def _large(values: pa.Array) -> pa.Array:
    cells = [one.encode() if isinstance(one, str) else one for one in values.to_pylist()]
    return pa.array(cells, pa.large_binary())


def _nested(values: pa.Array, look: Callable[[pa.Array, str | None], Mask]) -> Mask | None:
    """The rows of a nested array in which one of its parts is found; None for a plain one.

    `look` gets the name of a field, None for what a list or category holds.
    """
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        return None if kind.extension_name == "arrow.uuid" else look(values.storage, None)
    if pa.types.is_dictionary(kind):
        in_dictionary = np.append(look(values.dictionary, None), False)
        places = pc.fill_null(values.indices.cast(pa.int64()), len(values.dictionary))
        of_rows: Mask = in_dictionary[places.to_numpy()]
        return of_rows
    if pa.types.is_struct(kind):
        found = _none(values)
        for field, inner in zip(kind, values.flatten(), strict=True):
            found |= look(inner, field.name)
        return found
    if pa.types.is_map(kind):
        entries = [
            [(str(key), str(value)) for key, value in row or ()] for row in values.to_pylist()
        ]
        rows = [row for row, pairs in enumerate(entries) for _ in pairs]
        found = _none(values)
        for row, (key, value) in zip(rows, (p for pairs in entries for p in pairs), strict=True):
            # A map from a name to a value is a record; keys may be ids as well.
            found[row] |= look(pa.array([value]), key)[0] or look(pa.array([key]), None)[0]
        return found
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if is_list or pa.types.is_fixed_size_list(kind):
        parents = pc.list_parent_indices(values).to_numpy(zero_copy_only=False)
        found = _none(values)
        found[parents[look(pc.list_flatten(values), None)]] = True
        return found
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind) or pa.types.is_union(kind):
        plain = pa.array(values.to_pylist())
        return _none(values) if pa.types.is_null(plain.type) else _nested(plain, look)
    return None


def _none(values: pa.Array) -> Mask:
    return np.zeros(len(values), np.bool_)


def _mask(found: pa.Array) -> Mask:
    mask: Mask = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return mask


# ---------- records of text


class Owner:
    """Says of each record of a text file whether it is a member's.

    Parameters
    ----------
    dialect : how the fields of CSV are parted; None for JSON lines
    header : the columns of CSV; None until `belongs` has seen the header
    has_members : whether the stream has member ids, so that a record without columns is theirs
    """

    def __init__(
        self,
        traces: Traces,
        dialect: Dialect | None,
        *,
        header: list[str] | None = None,
        has_members: bool = True,
    ) -> None:
        self.traces = traces
        self.dialect = dialect
        self.has_members = has_members
        self._before = dialect.lines_before_header if dialect and header is None else 0
        self._places = None if header is None else _places(header)

    def rows(self, records: Records) -> list[int]:
        """The numbers of the records that are a member's."""
        texts = _Slices(records)
        suspects: Iterable[int] = range(len(records))
        if self.dialect is None or (
            is_delimiter(self.dialect.delimiter) and not isinstance(self.traces, Forgotten)
        ):
            data = records.data[: records.offsets[-1]]
            suspects = self.traces.suspects(data, records.offsets).tolist()
        header = self._read_header(texts, self.dialect) if self._places is None else None
        return [row for row in suspects if row != header and self.belongs(texts[row])]

    def belongs(self, record: bytes) -> bool:
        """Whether one record is a member's."""
        if self.dialect is None:
            try:
                found = self.traces.in_json(record)
            except TooDeepError:  # too deep for Python, not for DuckDB
                found = None
            is_object = record.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
            return self._is_broken(record) if found is None or not is_object else found
        if not self._places:
            return self._is_broken(record)
        values = csv_fields(record.decode(errors="replace"), self.dialect, is_strict=False)
        if len(values) <= max(self._places):
            return self._is_broken(record)
        return any(self.traces.includes(values[place]) for place in self._places)

    def _is_broken(self, record: bytes) -> bool:
        return self.has_members and self.traces.mentioned(record, is_any=True)

    def _read_header(self, texts: "_Slices", dialect: Dialect | None) -> int | None:
        """The row of the header; None when none of the rows is one."""
        for row in range(len(texts) if dialect else 0):
            record = texts[row]
            if self._before or not record.strip():
                self._before = max(self._before - 1, 0)
                continue
            self._places = _places(
                csv_fields(record.decode(errors="replace"), dialect or Dialect())
            )
            # What names no member id is no header, and may be somebody's row.
            return row if self._places else None
        return None


class _Slices:
    def __init__(self, records: Records) -> None:
        self.records = records

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, row: int) -> bytes:
        start, end = self.records.offsets[row : row + 2]
        return self.records.data[start:end]


def _places(names: list[str]) -> list[int]:
    return [place for place, name in enumerate(names) if is_member_field(name.strip())]


def rejected(
    table: pa.Table,
    traces: Traces,
    header: Callable[[str], tuple[Dialect, list[str]] | None],
    *,
    has_members: bool,
) -> Mask:
    """The rejected rows that are a member's, by what their text holds.

    Parameters
    ----------
    header : the dialect and columns of a CSV landing file; None when it is gone or no CSV
    """
    found = np.zeros(len(table), np.bool_)
    encoded = [(one or "").encode(errors="surrogatepass") for one in table[RAW_TEXT].to_pylist()]
    ends = np.array(list(accumulate(map(len, encoded), initial=0)), np.int64)
    names = table[FILE].to_pylist()
    owners: dict[str, Owner] = {}
    for row in traces.suspects(b"".join(encoded), ends).tolist():
        record, name = encoded[row], names[row]
        if name not in owners:
            dialect, columns = header(name) or (None, None)
            owners[name] = Owner(traces, dialect, header=columns, has_members=has_members)
        found[row] = owners[name].belongs(record)
    return found
