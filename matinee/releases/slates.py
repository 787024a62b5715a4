"""Writes the slates of a release so that one member's slate can be read without the rest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.columns import MEMBER_ID, RANK, REASON, ROW_KIND, SCORE, SOURCE, TITLE_ID
from matinee.errors import DataError
from matinee.releases import files

SCHEMA = pa.schema(
    [
        pa.field(MEMBER_ID, pa.string(), nullable=False),
        pa.field(RANK, pa.int32(), nullable=False),
        pa.field(TITLE_ID, pa.string(), nullable=False),
        pa.field(SCORE, pa.float32()),
        pa.field(ROW_KIND, pa.string()),
        pa.field(REASON, pa.string()),
        pa.field(SOURCE, pa.string(), nullable=False),
    ]
)
"""The columns of a slate. `rank` starts at 1."""


def write_slates(
    folder: Path,
    blocks: Iterable[pa.Table],
    *,
    rows_per_part: int = 2_000_000,
    rows_per_group: int = 8_192,
) -> int:
    """Write blocks of members as `slates/part-*.parquet` under `folder`; return the rows.

    Parameters
    ----------
    blocks
        Tables with the columns of `SCHEMA`, in ascending order of member and rank over all
        blocks. The slate of a member is in one block, and therefore in one file.
    rows_per_group
        The minimum that a look-up reads: about 160 slates of 50.

    Raises
    ------
    DataError
        If the rows are out of order, with the first such row.
    """
    with SlateWriter(
        folder, "slates", rows_per_part=rows_per_part, rows_per_group=rows_per_group
    ) as writer:
        for block in blocks:
            writer.add(block)
    return writer.rows


class SlateWriter:
    """Writes `<name>/part-*.parquet` below a folder, block by block; see `write_slates`."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        rows_per_part: int = 2_000_000,
        rows_per_group: int = 8_192,
    ) -> None:
        self._folder = folder / name
        self._rows_per_part, self._rows_per_group = rows_per_part, rows_per_group
        self._folder.mkdir()
        self._part, self._number = _Part(self._folder, 0), 0
        self._last: tuple[str, int] | None = None
        self.rows = 0

    def __enter__(self) -> SlateWriter:
        return self

    def __exit__(self, *_: object) -> None:
        with files.storage_errors(self._folder):
            self._part.close()

    def add(self, block: pa.Table) -> None:
        """Write the lists of some members.

        Raises
        ------
        DataError
            If the rows are out of order, naming the first that is.
        """
        table = block.select(SCHEMA.names).cast(SCHEMA).combine_chunks()
        self._last = _checked_order(table, self._last)
        if self._part.rows and self._part.rows + table.num_rows > self._rows_per_part:
            self._part.close()
            self._number += 1
            self._part = _Part(self._folder, self._number)
        self._part.add(table, self._rows_per_group)
        self.rows += table.num_rows


class _Part:
    """One file being written; collects small blocks into row groups."""

    def __init__(self, folder: Path, number: int) -> None:
        path = folder / f"part-{number:04}.parquet"
        self._writer = pq.ParquetWriter(path, SCHEMA, **files.PARQUET)
        self._gathered: list[pa.Table] = []
        self._gathered_rows = 0
        self.rows = 0

    def add(self, table: pa.Table, rows_per_group: int) -> None:
        self._gathered.append(table)
        self._gathered_rows += table.num_rows
        self.rows += table.num_rows
        if self._gathered_rows >= rows_per_group:
            self._write(rows_per_group)

    def close(self) -> None:
        if self._gathered_rows:
            self._write(self._gathered_rows)
        self._writer.close()

    def _write(self, rows_per_group: int) -> None:
        self._writer.write_table(pa.concat_tables(self._gathered), row_group_size=rows_per_group)
        self._gathered, self._gathered_rows = [], 0


def _checked_order(table: pa.Table, last: tuple[str, int] | None) -> tuple[str, int] | None:
    """Check the order of a block and return the key of its last row."""
    if table.num_rows == 0:
        return last
    members, ranks = table[MEMBER_ID], table[RANK]
    first = (members[0].as_py(), ranks[0].as_py())
    if last is not None and first <= last:
        raise DataError(_out_of_order(0, first[1]))
    here, before = members.slice(1), members.slice(0, table.num_rows - 1)
    same = pc.equal(here, before)
    rises = pc.greater(ranks.slice(1), ranks.slice(0, table.num_rows - 1))
    is_after = pc.or_(pc.greater(here, before), pc.and_(same, rises))
    if not pc.all(is_after, min_count=0).as_py():
        row = pc.index(is_after, False).as_py() + 1
        raise DataError(_out_of_order(row, ranks[row].as_py()))
    return members[-1].as_py(), ranks[-1].as_py()


def _out_of_order(row: int, rank: int) -> str:
    return (
        f"slates are sorted by member and rank: rank {rank} in row {row} of a block is out of order"
    )
