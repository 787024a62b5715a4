"""One stream's new files into Parquet: chunks of text, one query each, two files out."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from matinee import durable
from matinee.errors import printable_name
from matinee.landing import check
from matinee.landing.contract import FORMATS, Stream
from matinee.landing.drift import renamed
from matinee.landing.files import LandingFile, TornError
from matinee.landing.formats.tables import open_file

if TYPE_CHECKING:
    import duckdb

CHUNK_BYTES = 64 << 20
"""Text that is checked at once: what bounds memory, whatever the size of a file."""

MOST_TABLES = 256
"""Tables that wait side by side: one of one row takes a hundred times its bytes."""

LIKELY = 1000
"""Unknown columns among which a renamed one is looked for."""


@dataclass(frozen=True)
class Example:
    """One row that broke a rule."""

    file: str
    line: int
    value: str | None
    """What broke it, where anybody may see that."""

    def __str__(self) -> str:
        where = f"{self.file} line {self.line}"
        return where if self.value is None else f"{printable_name(self.value)!r} in {where}"


@dataclass
class Intake:
    """What became of the files of one stream; counts are by file name."""

    torn: dict[str, str] = field(default_factory=dict)
    """Why a file as a whole could not be taken in."""
    torn_lines: dict[str, str] = field(default_factory=dict)
    """A line of such a file, to show and not to keep: it may name a member."""
    rows: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    """Columns that the contract does not know, each with the files that have it."""
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns of the contract that a file has, in the contract's order."""
    examples: dict[str, Example] = field(default_factory=dict)
    """Rule -> the first row that broke it."""
    naive: Counter[str] = field(default_factory=Counter)
    """Rows with a time that has no offset."""
    notes: list[str] = field(default_factory=list)
    """What was read in another way than it is written, the file first."""


def take_in(
    connection: "duckdb.DuckDBPyConnection",
    stream: Stream,
    files: list[LandingFile],
    kept: Path,
    rejected: Path,
    *,
    among: str | None = None,
) -> Intake:
    """Write the rows of whole files into the folders `kept` and `rejected`.

    With `among`, a table of the connection, only rows whose file and line are in it.

    Whether a file is whole is known for certain only at its end, when its first rows may be
    written already: if one is torn, all is done again without it. Torn files are rare.
    """
    torn: dict[str, str] = {}
    torn_lines: dict[str, str] = {}
    while True:
        for folder in (kept, rejected):
            shutil.rmtree(folder, ignore_errors=True)
        whole = [file for file in files if file.name not in torn]
        intake = _Attempt(connection, stream, kept, rejected, among).run(whole)
        if not intake.torn:
            intake.torn, intake.torn_lines = torn, torn_lines
            return intake
        torn |= intake.torn
        torn_lines |= intake.torn_lines


class _Attempt:
    def __init__(
        self,
        connection: "duckdb.DuckDBPyConnection",
        stream: Stream,
        kept: Path,
        rejected: Path,
        among: str | None,
    ) -> None:
        self.connection = connection
        self.stream = stream
        self.among = f"semi join {among} using (file, line)" if among else ""
        self.folders = {"rule is null": kept, "rule is not null": rejected}
        self.intake = Intake()
        self.columns: dict[str, set[str]] = {}
        self.part = 0

    def run(self, files: list[LandingFile]) -> Intake:
        for format in FORMATS:
            same = [file for file in files if file.format == format]
            for chunk in self._chunks(same):
                self._write(chunk, format)
        for name, columns in sorted(self.columns.items()):
            unknown = sorted(columns - set(self.stream.names))
            missing = [column for column in self.stream.required if column not in columns]
            if missing and columns:
                self.intake.torn[name] = _missing(missing[0], unknown)
                self.intake.torn_lines[name] = ", ".join(sorted(columns))
            self.intake.columns[name] = tuple(n for n in self.stream.names if n in columns)
            for column in unknown:
                self.intake.unknown.setdefault(column, []).append(name)
        for folder in self.folders.values():
            if folder.exists():
                durable.sync(folder.parent)
        return self.intake

    def _chunks(self, files: list[LandingFile]) -> Iterator[pa.Table]:
        """Tables of about CHUNK_BYTES; nothing more once a file has proved torn."""
        pending: list[pa.Table] = []
        size = 0
        for file in files:
            try:
                opened = open_file(file, self.stream)
                self.columns[file.name] = set(opened.columns or ())
                self.intake.notes += [f"{file.name} {note}" for note in opened.notes]
                self.intake.rows[file.name] = 0
                for table in opened.tables:
                    pending.append(table)
                    size += table.nbytes
                    if len(pending) == MOST_TABLES:
                        pending = [_compact(pending)]
                    if size >= CHUNK_BYTES:
                        if not self.intake.torn:
                            yield pa.concat_tables(pending)
                        pending, size = [], 0
            except TornError as error:
                self.intake.torn[file.name] = str(error)
                if error.example is not None:
                    self.intake.torn_lines[file.name] = error.example
        if pending and not self.intake.torn:
            yield pa.concat_tables(pending)

    def _write(self, chunk: pa.Table, format: str) -> None:
        run = self.connection.execute
        self.connection.register("chunk", chunk)
        if format == "jsonl":
            for name, key in run(check.keys()).fetchall():
                self.columns[name].add(key)
        checked = check.checked(self.stream, format=format)
        run(f"create or replace temp table checked as select * from ({checked}) {self.among}")
        self.connection.unregister("chunk")
        for condition, folder in self.folders.items():
            (n_rows,) = run(f"select count(*) from checked where {condition}").fetchone() or (0,)
            if n_rows:
                names = self.stream.names if condition == "rule is null" else ("rule", "raw_text")
                columns = ", ".join(f'"{name}"' for name in ("file", "line", "landed_on", *names))
                folder.mkdir(parents=True, exist_ok=True)
                self._copy(f"select {columns} from checked where {condition}", folder)
        self.part += 1
        for name, rows, broken, naive in run(
            "select file, count(*), count(rule), count(*) filter (is_naive and rule is null)"
            " from checked group by file"
        ).fetchall():
            self.intake.rows[name] += rows
            self.intake.rejected[name] += broken
            if naive:
                self.intake.naive[name] += naive
        for rule, rows, first in run(
            "select rule, count(*), arg_min(struct_pack(file, line, example), (file, line))"
            " from checked where rule is not null group by rule"
        ).fetchall():
            self.intake.rules[rule] += rows
            self.intake.examples.setdefault(
                rule, Example(first["file"], first["line"], first["example"])
            )
        run("drop table checked")

    def _copy(self, query: str, folder: Path) -> None:
        path = folder / f"part-{self.part:05d}.parquet"
        unfinished = path.with_suffix(".tmp")
        self.connection.execute(
            f"copy ({query}) to $path (format parquet, compression zstd)", {"path": str(unfinished)}
        )
        durable.put(unfinished, path)


def _compact(tables: list[pa.Table]) -> pa.Table:
    """The rows of many tables in one, each column in one piece."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _missing(column: str, unknown: list[str]) -> str:
    closest = renamed(column, unknown[:LIKELY])
    hint = (
        f"; the closest column it has is {printable_name(closest)}: rename that" if closest else ""
    )
    return f"it has no column {column}, which is required{hint}"
