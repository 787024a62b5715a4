"""Files with other column names: proposes a mapping to the contract, and lands them by it.

What lands has the names of the contract. A raw file with a column `user` in `landing/` could not be
cleaned of an erased member, so a mapping is applied before a file lands.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import yaml

from matinee.errors import ConfigError, DataError
from matinee.landing.contract import ARROW_TYPES, Column, Contract, Stream
from matinee.landing.receipt import Receipt
from matinee.landing.receive import receive
from matinee.landing.write import write

SYNONYMS: dict[str, tuple[str, ...]] = {
    "event_id": ("id", "uuid", "playid", "viewid", "ratingid", "searchid"),
    "event_at": (
        *("ts", "timestamp", "time", "date", "datetime", "startedat", "starttime", "start"),
        *("watchedat", "playedat", "createdat", "eventtime", "datecreated", "lastwatchdt"),
    ),
    "received_at": ("ingestedat", "loadedat", "servertime"),
    "member_id": ("user", "userid", "member", "profile", "profileid", "profilename", "customerid"),
    "title_id": (
        *("title", "movie", "movieid", "item", "itemid", "film", "filmid", "video", "videoid"),
        *("content", "contentid", "show", "showid", "programid"),
    ),
    "watched_seconds": (
        *("duration", "watched", "watchtime", "watchduration", "playduration", "secondswatched"),
        *("watchedminutes", "minuteswatched", "totaldur", "viewtime"),
    ),
    "runtime_seconds": ("runtime", "length", "movieruntime", "runtimeminutes", "totalduration"),
    "country": ("countrycode", "region", "market"),
    "device": ("devicetype", "platform", "client"),
    "value": ("rating", "stars", "score"),
    "query_text": ("query", "searchterm", "keyword", "displayedname"),
    "name": ("title", "movie", "moviename", "titlename", "film"),
    "title_kind": ("type", "kind", "contenttype", "itemtype"),
    "genres": ("genre", "categories", "listedin"),
    "released_on": ("releasedate", "released", "premiere"),
    "directors": ("director",),
    "actors": ("cast", "actor", "starring"),
    "countries": ("country", "productioncountries"),
}
"""Contract column -> other names of it, without case, spaces and underscores."""

CONVERSIONS = {
    "text": "cast({} as varchar)",
    "number": "try_cast({} as double)",
    "boolean": "try_cast({} as boolean)",
    "date": "try_cast({} as date)",
    "timestamp": "try_cast(try_cast({} as timestamptz) as timestamp)",
    "epoch_seconds": "make_timestamp(cast(try_cast({} as double) * 1000000 as bigint))",
    "epoch_milliseconds": "make_timestamp(cast(try_cast({} as double) * 1000 as bigint))",
    "clock": "epoch(try_cast({} as interval))",
    "minutes": "try_cast({} as double) * 60",
    "milliseconds": "try_cast({} as double) / 1000",
    "list": "list_transform(str_split_regex(cast({} as varchar), '[|,;]'), x -> trim(x))",
}
"""How a column is read: SQL with a place for its name."""

ROW_HASH = "row_hash"
"""The id of an event whose file has none: the same row gives the same id."""

CLOCK = re.compile(r"\d{1,3}:[0-5]\d(:[0-5]\d(\.\d+)?)?")
EPOCH_MILLISECONDS = 100_000_000_000
EPOCH_SECONDS = 100_000_000
SAMPLED = 1000


@dataclass(frozen=True)
class ColumnMapping:
    """How the columns of a file become those of a stream."""

    stream: str
    columns: Mapping[str, tuple[str, str]]
    """Contract column -> column of the file, and conversion."""
    unused: tuple[str, ...] = ()
    """Columns of the file that nothing is made of."""
    missing: tuple[str, ...] = ()
    """Required columns of the contract that no column of the file looks like."""

    def text(self) -> str:
        """As a file that people edit."""
        columns = {
            name: {"from": source, "as": how} if source else {"as": how}
            for name, (source, how) in self.columns.items()
        }
        return yaml.safe_dump(
            {"stream": self.stream, "columns": columns}, sort_keys=False, allow_unicode=True
        )


def propose(file: Path, contract: Contract, stream: str) -> ColumnMapping:
    """A mapping of a CSV or Parquet file to a stream, by names and by the first rows.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    wanted = _stream(contract, stream)
    rows = _query(file, f"select * from source limit {SAMPLED}")
    free = list(rows.column_names)
    columns: dict[str, tuple[str, str]] = {}
    for column in wanted.columns:
        source = _source_of(column.name, free)
        if source is None:
            continue
        columns[column.name] = (source, _conversion(column, source, rows[source].to_pylist()))
        if column.name != "event_at":
            free.remove(source)
    if "event_id" in wanted.names and "event_id" not in columns:
        columns["event_id"] = ("", ROW_HASH)
    if "event_at" in columns and "received_at" not in columns:
        columns["received_at"] = columns["event_at"]
    used = {source for source, _ in columns.values()}
    return ColumnMapping(
        stream,
        {name: columns[name] for name in wanted.names if name in columns},
        tuple(name for name in rows.column_names if name not in used),
        tuple(name for name in wanted.required if name not in columns),
    )


def read_mapping(path: Path, contract: Contract) -> ColumnMapping:
    """A mapping from its file.

    Raises
    ------
    ConfigError
        If it names an unknown stream, column or conversion.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        stream = _stream(contract, document["stream"])
        columns = {
            name: (str(one.get("from") or ""), str(one["as"]))
            for name, one in document["columns"].items()
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} is no mapping ({error}): `matinee map FILE` writes one"
        ) from None
    for name, (source, how) in columns.items():
        if name not in stream.names:
            raise ConfigError(f"{path}: {stream.name} has no column {name}")
        if how not in CONVERSIONS and (how, source) != (ROW_HASH, ""):
            known = ", ".join([*CONVERSIONS, ROW_HASH])
            raise ConfigError(f"{path}: {name} is read as {how!r}; known are {known}")
    missing = tuple(name for name in stream.required if name not in columns)
    return ColumnMapping(stream.name, columns, missing=missing)


def apply(file: Path, mapping: ColumnMapping, contract: Contract) -> pa.Table:
    """The rows of a file with the columns of the contract.

    Raises
    ------
    DataError
        If required columns have no source, or the file lacks a column of the mapping.
    """
    stream = _stream(contract, mapping.stream)
    if mapping.missing:
        raise DataError(
            f"{stream.name} needs {', '.join(mapping.missing)}: name a column of the file for each "
            f"in the mapping (`from`, `as`)"
        )
    types = {column.name: column.data_type for column in stream.columns}
    selected = []
    for name, (source, how) in mapping.columns.items():
        sql = "md5(to_json(source)::varchar)" if how == ROW_HASH else _converted(source, how)
        if types[name] == "bigint":
            sql = f"cast(round({sql}) as bigint)"
        selected.append(f'{sql} as "{name}"')
    table = _query(file, f"select {', '.join(selected)} from source")
    schema = pa.schema([(name, ARROW_TYPES[types[name]]) for name in table.column_names])
    return table.cast(schema)


def preview(
    file: Path, mapping: ColumnMapping, contract: Contract, *, threads: int, memory_limit: str
) -> Receipt:
    """What the receive step would say of the mapped file, in a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), mapping.stream, date(2000, 1, 1), apply(file, mapping, contract), "map")
        return receive(
            home=Path(folder), contract=contract, threads=threads, memory_limit=memory_limit
        )


def titles_of(events: pa.Table) -> pa.Table:
    """A catalogue of the titles of events that have no other: the id is the name."""
    ids = events["title_id"].unique().drop_null()
    kinds = pa.array(["movie"] * len(ids))
    return pa.table({"title_id": ids, "name": ids, "title_kind": kinds})


def _stream(contract: Contract, name: object) -> Stream:
    found = contract.streams.get(str(name))
    if found is None:
        raise ConfigError(f"no stream {name!r}: it is one of {', '.join(contract.streams)}")
    return found


def _source_of(name: str, free: Sequence[str]) -> str | None:
    """The column of the file that looks like a column of the contract."""
    plain = {re.sub(r"[\W_]", "", one).lower(): one for one in reversed(free)}
    for candidate in (name.replace("_", ""), *SYNONYMS.get(name, ())):
        if candidate in plain:
            return plain[candidate]
    return None


def _conversion(column: Column, source: str, values: Sequence[Any]) -> str:
    """How the values of a column are read."""
    present = [value for value in values if value not in (None, "")]
    kind = column.data_type
    if kind == "varchar[]":
        return "list" if present and isinstance(present[0], str) else "text"
    if kind in ("boolean", "date"):
        return kind
    numbers = [number for number in map(_number, present) if number is not None]
    are_numbers = 2 * len(numbers) > len(present)
    if kind == "timestamp":
        middle = median(numbers) if are_numbers else 0.0
        if middle > EPOCH_MILLISECONDS:
            return "epoch_milliseconds"
        return "epoch_seconds" if middle > EPOCH_SECONDS else "timestamp"
    if kind == "varchar":
        return "text"
    if 2 * sum(CLOCK.fullmatch(str(value)) is not None for value in present) > len(present):
        return "clock"
    if column.name.endswith("_seconds"):
        words = source.lower()
        if "minute" in words or re.search(r"(^|[\W_])mins?($|[\W_])", words):
            return "minutes"
        if "milli" in words or re.search(r"(^|[\W_])ms($|[\W_])", words):
            return "milliseconds"
    return "number"


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _converted(source: str, how: str) -> str:
    quoted = '"' + source.replace('"', '""') + '"'
    return CONVERSIONS[how].format(quoted)


def _query(file: Path, sql: str) -> pa.Table:
    """The rows of a query on the file; every column of a CSV is text."""
    import duckdb

    is_parquet = file.name.endswith(".parquet")
    reader = "read_parquet($file)" if is_parquet else "read_csv($file, all_varchar = true)"
    if not file.is_file():
        raise DataError(f"no file {file}")
    try:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            rows: pa.Table = connection.sql(
                f"with source as (select * from {reader}) {sql}", params={"file": str(file)}
            ).to_arrow_table()
    except duckdb.Error as error:
        message = " ".join(str(error).split())
        raise DataError(f"{file} cannot be read by this mapping: {message}") from None
    return rows
