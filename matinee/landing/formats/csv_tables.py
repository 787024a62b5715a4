"""CSV files as tables of text: fast where every record is tidy, else one record at a time."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from matinee.landing.contract import Stream
from matinee.landing.files import Source, TornError
from matinee.landing.formats import lists
from matinee.landing.formats.dialect import Dialect, detect, require_text
from matinee.landing.read import (
    Opened,
    Records,
    as_text,
    csv_fields,
    named,
    paired_quotes,
    records_of,
    with_file,
    without_empty_lines,
)

FIRST_RECORDS = 100
"""Among so many one is not empty, as a rule."""


@dataclass(frozen=True)
class _Header:
    """The columns of a CSV file, and how its records are taken apart."""

    names: list[str]
    """By the contract; what follows the last name is not counted."""
    dialect: Dialect
    stream: Stream

    def parse(self, record: str) -> list[str]:
        """The fields of one record that have a name; none when it cannot be one."""
        row = csv_fields(record, self.dialect)
        is_whole = len(row) >= len(self.names) and not any(row[len(self.names) :])
        return row[: len(self.names)] if is_whole else []


def open_csv(source: Source, stream: Stream) -> Opened:
    start = source.head()
    require_text(start, is_json=False)
    dialect = detect(start, stream.names)
    blocks = records_of(source, is_quoted=True, delimiter=dialect.delimiter)
    first = next(blocks)
    place = dialect.lines_before_header
    texts = first.texts()
    while place < len(texts) - 1 and not texts[place].strip():
        place += 1
    try:
        text = texts[place].decode()
    except (UnicodeDecodeError, IndexError) as error:
        raise TornError(f"its header cannot be read: {error}") from None
    as_written = [name.strip() for name in csv_fields(text, dialect)]
    if not as_written:
        raise TornError("its header cannot be read", text)
    names, notes = named(as_written, stream)
    while names and not names[-1]:
        names.pop()
    header = _Header(names, dialect, stream)
    notes = (*dialect.notes(), *notes)

    def tables() -> Iterator[pa.Table]:
        for records in itertools.chain([first[place + 1 :]], blocks):
            if len(records):
                yield with_file(_csv_table(records, header), source.file)

    return Opened(tables(), [name for name in names if name], notes)


def _csv_table(records: Records, header: _Header) -> pa.Table:
    table = without_empty_lines(as_text(records))
    fields = None
    if table["broken"].null_count == len(table):
        fields = _parse_csv(records, header)
    if fields is None or len(fields) != len(table):
        fields, broken = _parse_csv_by_record(table, header)
        table = table.set_column(2, "broken", broken)
    table = _without_swallowed_records(table, fields, header)
    for column in header.stream.columns:
        is_list = column.data_type == "varchar[]"
        if column.name not in header.names:
            values = pa.nulls(len(table), pa.list_(pa.string()) if is_list else pa.string())
        else:
            values = fields[column.name]
            if header.dialect.is_padded:
                values = pc.utf8_ltrim(values, " ")
            if is_list:
                values, is_broken = lists.split(values, header.stream.missing_values["csv"])
                rule = pc.if_else(is_broken, f"mistyped_field:{column.name}", None)
                table = table.set_column(2, "broken", pc.coalesce(table["broken"], rule))
        table = table.append_column(f"text_{column.name}", values)
    return table


def _parse_csv(records: Records, header: _Header) -> pa.Table | None:
    """All fields as text, fast; None when a record has too few or too many, or stray quotes."""
    data = pa.py_buffer(records.data)[records.offsets[0] : records.offsets[-1]]
    if paired_quotes(data.to_pybytes(), header.dialect.delimiter) is None:
        return None
    width = max(len(header.names), len(_first_fields(records, header)))
    places = [f"\0{place}" for place in range(width)]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            pacsv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=places),
            pacsv.ParseOptions(newlines_in_values=True, delimiter=header.dialect.text),
            pacsv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(places, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    for place in places[len(header.names) :]:
        if pc.any(pc.not_equal(table[place], "")).as_py():
            return None
    table = table.select(places[: len(header.names)])
    return table.rename_columns([name or f"\0{n}" for n, name in enumerate(header.names)])


def _first_fields(records: Records, header: _Header) -> list[str]:
    texts = (text.decode(errors="replace") for text in records[:FIRST_RECORDS].texts())
    return next((csv_fields(text, header.dialect) for text in texts if text.strip()), [])


def _parse_csv_by_record(table: pa.Table, header: _Header) -> tuple[pa.Table, pa.Array]:
    """The same, one record at a time: exact on which record is broken."""
    rows: list[list[str | None]] = []
    broken: list[str | None] = []
    lines, texts, rules = (table[name].to_pylist() for name in ("line", "raw_text", "broken"))
    for line, text, rule in zip(lines, texts, rules, strict=True):
        row = header.parse(text)
        if not row:
            _require_no_swallowed_record(line, text, header)
        broken.append(rule if row or rule else "unreadable_line")
        rows.append([*row] if row else [None] * len(header.names))
    names = [name or f"\0{n}" for n, name in enumerate(header.names)]
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    if not columns:
        columns = [pa.array([], pa.string()) for _ in names]
    return pa.table(columns, names=names), pa.array(broken, pa.string())


def _require_no_swallowed_record(line: int, text: str, header: _Header) -> None:
    """Refuse a record that cannot be read because a quote made one of several."""
    whole_lines = text.rstrip("\r\n").replace("\r\n", "\n")
    if "\r" in whole_lines:  # that is what breaks it
        return
    first, *others = whole_lines.split("\n")
    if any(other.count(header.dialect.text) + 1 >= len(header.names) for other in others):
        raise _swallowed(line, first, len(others), header)


def _without_swallowed_records(table: pa.Table, fields: pa.Table, header: _Header) -> pa.Table:
    """The same for a record that can be read: two stray quotes may pair by chance.

    Each record that a field takes in brings as many delimiters as a record has. What members wrote
    costs its own row and not the file.
    """
    for column in header.stream.columns:
        if column.data_type not in ("varchar", "varchar[]") or column.name not in header.names:
            continue
        values = fields[column.name]
        rows = np.flatnonzero(
            pc.fill_null(pc.match_substring(values, "\n"), False).to_numpy(zero_copy_only=False)
        )
        for row in rows.tolist():
            value, n_lines = values[row].as_py(), values[row].as_py().count("\n")
            if value.count(header.dialect.text) != n_lines * (len(header.names) - 1):
                continue
            if column.pii != "free_text":
                line, text = table["line"][row].as_py(), table["raw_text"][row].as_py()
                raise _swallowed(line, text.partition("\n")[0], n_lines, header)
            is_it = np.zeros(len(table), np.bool_)
            is_it[row] = True
            broken = pc.if_else(pa.array(is_it), "unreadable_line", table["broken"])
            table = table.set_column(2, "broken", broken)
    return table


def _swallowed(line: int, text: str, n_lines: int, header: _Header) -> TornError:
    return TornError(
        f"a quote on line {line} takes the {n_lines:,} lines after it into its field, where"
        f" {len(header.names)} fields are wanted: close the quote, or double it",
        text,
    )
