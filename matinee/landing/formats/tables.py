"""The rows of one landing file of any format, as tables of text."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pyarrow as pa

from matinee.landing.contract import Stream
from matinee.landing.files import LandingFile, Source, TornError, opened
from matinee.landing.formats.csv_tables import open_csv
from matinee.landing.formats.dialect import require_text
from matinee.landing.formats.parquet_tables import open_parquet
from matinee.landing.read import Opened, as_text, records_of, with_file, without_empty_lines


def open_file(file: LandingFile, stream: Stream) -> Opened:
    """The rows of a file, and how they are read.

    Raises
    ------
    TornError
        Here or while iterating, when the file is empty, cut, cannot be what its name says, or has
        other bytes than `file.sha256`.
    """
    with ExitStack() as stack:
        source = stack.enter_context(opened(file))
        if source.size == 0:
            raise TornError("it is empty")
        if file.format == "parquet":
            found = open_parquet(source, stream)
        elif file.format == "csv":
            found = open_csv(source, stream)
        else:
            found = Opened(_json_tables(source))
        return replace(found, tables=_checked(found.tables, source, stack.pop_all()))


def _checked(tables: Iterator[pa.Table], source: Source, stack: ExitStack) -> Iterator[pa.Table]:
    """The tables, and at their end the check of what was read; then the file is closed."""
    with stack:
        yield from tables
        source.check()


def _json_tables(source: Source) -> Iterator[pa.Table]:
    require_text(source.head(), is_json=True)
    for records in records_of(source, is_quoted=False):
        yield with_file(without_empty_lines(as_text(records)), source.file)
