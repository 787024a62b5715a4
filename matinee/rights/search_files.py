"""Searches one file for members by what its first bytes say it is, whatever its name."""

from __future__ import annotations

import codecs
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather, orc

from matinee import landing, warehouse
from matinee.columns import MEMBER_ID
from matinee.errors import StorageError
from matinee.landing.files import TornError
from matinee.landing.formats.dialect import detect
from matinee.landing.formats.members import (
    Owner,
    has_member_column,
    left_in_dictionaries,
    mentions,
    owned,
)
from matinee.landing.formats.parquet_tables import TORN_PARQUET, first_line
from matinee.privacy import Forgotten, Traces, is_member_field
from matinee.provenance import TooDeepError
from matinee.rights.file_bytes import (
    ARCHIVES,
    BLOCK_BYTES,
    BYTE_ORDER_MARKS,
    DUCKDB,
    GZIP,
    HEAD_BYTES,
    SQLITE,
    ZLIB,
    blocks,
    entity_id,
    gzip_header,
    inflated,
    is_text,
    is_utf8,
    is_zlib,
)

TEXT_SUFFIXES = {".json", ".jsonl", ".csv", ".txt", ".md", ".html", ".log", ".sql", ".yml"}
COMPRESSED_SUFFIXES = {".parquet", ".gz"}
MOST_LAYERS = 4
"""How deep compressed data is unpacked."""
LONGEST_DOCUMENT = 256 << 20
KEYED_BY_MEMBER = "simulator/truth.json"
ENTITY_KEY = "entity_key"
"""The column of Feast's online store that holds the id, behind its length."""

"""What pyarrow raises on a damaged file."""


@dataclass(frozen=True)
class Found:
    """What a file holds of the members."""

    rows: int = 0
    """Rows, lines and documents of theirs, by a field of member ids."""
    mentions: int = 0
    """Other rows and lines, and binary files, with a distinctive id as a token."""
    reason: str | None = None
    """Why it cannot be searched to its end, None when it was."""


class FileSearch:
    """Searches the files of a home.

    Parameters
    ----------
    is_full : whether other cells than member ids are searched in databases and tables too, and the
        bytes of binary files
    """

    def __init__(self, home: Path, traces: Traces, *, is_full: bool = True) -> None:
        self.home = home
        self.traces = traces
        self.is_full = is_full
        self._header = landing.header_of(home)
        self._streams: dict[str, bool] = {}

    def search(self, path: Path, name: str) -> Found:
        """What the file holds; `name` is its path below the home."""
        with path.open("rb") as file:
            head = file.read(16)
            if head.startswith(SQLITE) or head[8:12] == DUCKDB:
                return self._database(path, head)
            file.seek(0)
            return self._content(file, name, layer=0)

    def _content(self, file: IO[bytes], name: str, *, layer: int) -> Found:
        """Of a file that is open at its start, also of what another was unpacked to."""
        head = file.read(HEAD_BYTES)
        file.seek(0)
        for signature, what in ARCHIVES.items():
            if head.startswith(signature):
                return Found(reason=f"it is {what}, which is not opened")
        if head.startswith(SQLITE) or head[8:12] == DUCKDB:
            return Found(reason="it is a compressed database")
        if head.startswith(b"PAR1"):
            return self._parquet(file, name)
        if head.startswith((b"ARROW1", b"FEA1", b"ORC")):
            return self._tables(file, head)
        if head.startswith(GZIP) or (head.startswith(ZLIB) and is_zlib(head)):
            return self._unpacked(file, head, name, layer)
        suffix = Path(name).suffix
        if suffix in COMPRESSED_SUFFIXES and not layer:
            return Found(reason=f"it is not what {suffix} says")
        for mark, encoding in BYTE_ORDER_MARKS.items():
            if head.startswith(mark):
                text = codecs.EncodedFile(file, "utf-8", encoding, errors="replace")
                return self._text(cast("IO[bytes]", text), name)
        if Path(name.removesuffix(".gz")).suffix in TEXT_SUFFIXES or is_text(head):
            return self._text(file, name)
        return self._binary(file)

    # ---------- compressed data

    def _unpacked(self, file: IO[bytes], head: bytes, name: str, layer: int) -> Found:
        if layer == MOST_LAYERS:
            return Found(reason=f"it is packed more than {MOST_LAYERS} times")
        # The name and the comment in the header of gzip.
        mention = int(head.startswith(GZIP) and self.traces.mentioned(gzip_header(head)))
        with tempfile.TemporaryFile(dir=self.home) as plain:
            reason = None
            try:
                for block in inflated(file, is_gzip=head.startswith(GZIP)):
                    plain.write(block)
            except (EOFError, OSError, zlib.error) as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                reason = f"it is cut or damaged: {error}"
            plain.seek(0)
            inner = name.removesuffix(".gz")
            found = self._content(cast("IO[bytes]", plain), inner, layer=layer + 1)
        return replace(found, mentions=found.mentions + mention, reason=found.reason or reason)

    # ---------- text

    def _text(self, file: IO[bytes], name: str) -> Found:
        plain_name = name.removesuffix(".gz")
        if plain_name.endswith(".json") and not name.startswith("landing/"):
            found = self._document(file, name)
            if found is not None:
                return found
        stream = self._stream(plain_name)
        has_members = self._has_members(stream) if stream else False
        if plain_name.endswith(".csv"):
            return self._csv(file, has_members)
        owner = Owner(self.traces, None, has_members=has_members)
        return self._lines(file, owner)

    def _document(self, file: IO[bytes], name: str) -> Found | None:
        text = file.read(LONGEST_DOCUMENT)
        is_whole = not file.read(1)
        file.seek(0)
        try:
            found = is_whole and self.traces.in_json(
                text, is_document=True, is_keyed=name == KEYED_BY_MEMBER
            )
        except TooDeepError:
            return None
        if not is_whole or found is None:
            return None
        lines = self._lines(file, Owner(self.traces, None, has_members=False))
        return Found(int(found), lines.mentions)

    def _lines(self, file: IO[bytes], owner: Owner) -> Found:
        rows = mentions = 0
        for data, offsets in blocks(file):
            for row in self.traces.suspects(data, offsets).tolist():
                line = data[offsets[row] : offsets[row + 1]]
                if owner.belongs(line):
                    rows += 1
                else:
                    mentions += self.traces.mentioned(line)
        return Found(rows, mentions)

    def _csv(self, file: IO[bytes], has_members: bool) -> Found:
        dialect = detect(file.read(HEAD_BYTES), (MEMBER_ID,))
        file.seek(0)
        try:
            records = landing.records_of(file, is_quoted=True, delimiter=dialect.delimiter)
            return self._records(records, Owner(self.traces, dialect, has_members=has_members))
        except TornError:  # a quote that never closes: line by line, then
            file.seek(0)
            lines = (
                landing.Records(data, offsets, np.arange(len(offsets) - 1))
                for data, offsets in blocks(file)
            )
            return self._records(lines, Owner(self.traces, dialect, has_members=has_members))

    def _records(self, blocks: Iterable[landing.Records], owner: Owner) -> Found:
        rows = mentions = 0
        for block in blocks:
            theirs = owner.rows(block)
            rows += len(theirs)
            data = block.data[: block.offsets[-1]]
            others = set(self.traces.suspects(data, block.offsets).tolist()).difference(theirs)
            for row in others:
                start, end = block.offsets[row : row + 2]
                mentions += self.traces.mentioned(data[start:end])
        return Found(rows, mentions)

    def _stream(self, name: str) -> str | None:
        """The stream of a log below `landing/`, of which a broken line may be a member's."""
        is_log = name.endswith((".jsonl", ".json", ".csv"))
        return name.split("/")[1] if is_log and name.startswith("landing/") else None

    def _has_members(self, stream: str) -> bool:
        if stream not in self._streams:
            self._streams[stream] = landing.has_members(self.home, stream)
        return self._streams[stream]

    # ---------- tables

    def _parquet(self, file: IO[bytes], name: str) -> Found:
        mask = landing.mask_of(self.home, self.home / name)
        try:
            with pq.ParquetFile(file) as parquet:
                schema = parquet.schema_arrow
                columns = None
                if not self.is_full and mask is owned:
                    columns = [one.name for one in schema if has_member_column(pa.schema([one]))]
                    if not columns:
                        return Found()
                groups: Sequence[int] = range(parquet.num_row_groups)
                if mask is owned and not self.is_full and not name.startswith("landing/"):
                    groups = self._groups(parquet, columns or [])
                if not groups:
                    return Found()
                batches = parquet.iter_batches(row_groups=list(groups), columns=columns)
                found = self._batches(batches, mask)
                texts = (parquet.metadata.metadata or {}).items() if self.is_full else ()
                named = sum(self.traces.mentioned(text) for key, text in texts if key != _SCHEMA)
                return replace(found, mentions=found.mentions + named)
        except TORN_PARQUET as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            return Found(reason=f"its Parquet cannot be read: {first_line(error)}")

    def _groups(self, parquet: pq.ParquetFile, columns: list[str]) -> Sequence[int]:
        """The row groups whose statistics leave room for one of the ids; of our own files only."""
        groups = range(parquet.num_row_groups)
        if isinstance(self.traces, Forgotten) or not self.traces.ids:
            return groups
        if any(pa.types.is_nested(parquet.schema_arrow.field(one).type) for one in columns):
            return groups
        places = [
            n for n in range(len(parquet.schema.names)) if parquet.schema.column(n).path in columns
        ]
        return [one for one in groups if self._may_hold(parquet.metadata.row_group(one), places)]

    def _may_hold(self, group: pq.RowGroupMetaData, places: list[int]) -> bool:
        for place in places:
            bounds = group.column(place).statistics
            if bounds is None or not bounds.has_min_max or not isinstance(bounds.min, str):
                return True
            if any(bounds.min <= one <= bounds.max for one in self.traces.ids):
                return True
        return False

    def _tables(self, file: IO[bytes], head: bytes) -> Found:
        try:
            if head.startswith(b"ORC"):
                reader = orc.ORCFile(file)
                tables: Iterator[Any] = (reader.read_stripe(n) for n in range(reader.nstripes))
            elif head.startswith(b"FEA1"):
                tables = iter(feather.read_table(file).to_batches())
            else:
                arrow = pa.ipc.open_file(file)
                tables = (arrow.get_batch(n) for n in range(arrow.num_record_batches))
            return self._batches(tables, owned)
        except TORN_PARQUET as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            return Found(reason=f"it cannot be read: {first_line(error)}")

    def _batches(self, batches: Iterator[Any], mask: Callable[[pa.Table, Traces], Any]) -> Found:
        rows = named = 0
        for batch in batches:
            table = pa.Table.from_batches([batch]) if len(batch) else batch.schema.empty_table()
            theirs = mask(table, self.traces)
            rows += int(theirs.sum())
            if not theirs.any() and left_in_dictionaries(table, self.traces):
                rows += 1
            if self.is_full:
                named += int((mentions(table, self.traces) & ~theirs).sum())
        return Found(rows, named)

    # ---------- databases and bytes

    def _database(self, path: Path, head: bytes) -> Found:
        if not is_utf8(path):
            return Found(reason="no library opens it by such a name")
        try:
            found = self._sqlite(path) if head.startswith(SQLITE) else self._duckdb(path)
        except (sqlite3.Error, StorageError, UnicodeError) as error:
            return Found(reason=f"its database cannot be read: {first_line(error)}")
        if not self.is_full or found.rows or found.mentions:
            return found
        with path.open("rb") as file:
            return self._binary(file)

    def _sqlite(self, path: Path) -> Found:
        rows = named = 0
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.text_factory = bytes
            tables = connection.execute("select name from sqlite_master where type = 'table'")
            for (table,) in tables.fetchall():
                quoted = table.decode().replace('"', '""')
                cursor = connection.execute(f'select * from "{quoted}"')
                names = [column[0] for column in cursor.description]
                for row in cursor:
                    is_theirs = any(map(self._is_cell, names, row))
                    rows += is_theirs
                    named += not is_theirs and any(map(self._is_mention, row))
        return Found(rows, named)

    def _is_cell(self, name: str, cell: object) -> bool:
        if name == ENTITY_KEY and isinstance(cell, bytes):
            return self.traces.includes(entity_id(cell))
        if not is_member_field(name):
            return False
        return self.traces.includes(
            cell.decode(errors="replace") if isinstance(cell, bytes) else cell
        )

    def _is_mention(self, cell: object) -> bool:
        return (
            self.is_full
            and isinstance(cell, bytes)
            and self.traces.may_be_in(cell)
            and self.traces.mentioned(cell)
        )

    def _duckdb(self, path: Path) -> Found:
        rows = sum(warehouse.search(path, self.traces).values())
        if not self.is_full:
            return Found(rows)
        named = sum(
            int((mentions(table, self.traces) & ~owned(table, self.traces)).sum())
            for table in warehouse.texts(path)
        )
        return Found(rows, named)

    def _binary(self, file: IO[bytes]) -> Found:
        """Bytes of which nothing is known, or what a database has beside its rows."""
        if not self.is_full:
            return Found()
        last = b""
        file.seek(0)
        while block := file.read(BLOCK_BYTES):
            if self.traces.in_bytes(last + block):
                return Found(mentions=1)
            last = block[-HEAD_BYTES:]
        return Found()


_SCHEMA = b"ARROW:schema"
