"""The rows of one landing file of any format, as tables of text."""

from collections.abc import Iterator

import pyarrow as pa

from matinee.landing.contract import Stream
from matinee.landing.csv_tables import open_csv
from matinee.landing.dialect import TornError, head, require_text
from matinee.landing.parquet_tables import open_parquet
from matinee.landing.read import (
    LandingFile,
    Opened,
    as_text,
    records_of,
    with_file,
    without_empty_lines,
)


def open_file(file: LandingFile, stream: Stream) -> Opened:
    """The rows of a file, and how they are read.

    Raises
    ------
    TornError
        Here or while iterating, when the file is empty, cut or cannot be what its name says.
    """
    if file.path.stat().st_size == 0:
        raise TornError("it is empty")
    if file.format == "parquet":
        return open_parquet(file, stream)
    if file.format == "csv":
        return open_csv(file, stream)
    return Opened(_json_tables(file))


def _json_tables(file: LandingFile) -> Iterator[pa.Table]:
    require_text(head(file.path), is_json=True)
    for records in records_of(file.path, is_quoted=False):
        yield with_file(without_empty_lines(as_text(records)), file)
