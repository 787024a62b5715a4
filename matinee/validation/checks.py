"""Hold tables to their suites, inside the warehouse, without writing anything."""

import contextlib
import itertools
import json
import logging
import re
import threading
import warnings
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matinee.columns import MEMBER_ID
from matinee.duckdb_paths import UNPARTITIONED, exact, literal
from matinee.errors import DataError
from matinee.progress import Progress
from matinee.validation.results import Checked, Validation
from matinee.validation.suites import import_library

# The library keeps its current context in a global, so two threads take turns.
_TURN = threading.Lock()
_NUMBERS = itertools.count()

NO_FILES: Mapping[str, Path] = MappingProxyType({})

_EXAMPLES = 5
_WORD = re.compile(r"\w+")
_QUERY = "unexpected_rows_expectation"


def check_all(
    suites: Mapping[str, Any],
    *,
    database: Path,
    as_of: datetime,
    files: Mapping[str, Path] = NO_FILES,
    progress: Progress | None = None,
) -> Validation:
    """Hold each table to its suite; the caller decides what to do.

    Parameters
    ----------
    suites
        By table: one of the warehouse, or one of `files`.
    as_of
        The instant of the night: of a table with `landed_on`, later days are not looked at.
    files
        The Parquet file, or folder of them, that stands for a table.

    Notes
    -----
    A query may name any table of the warehouse, any of `files`, and `night`, one row of
    `as_of` and `last_day`. The warehouse is open to read, and closed at the end; nothing leaves
    DuckDB but counts and a few examples.
    """
    results: list[Checked] = []
    with _opened(database, as_of, files, named=_named(suites)) as source:
        for done, (table, suite) in enumerate(suites.items()):
            if progress:
                progress(done, len(suites), table)
            results += _check(table, source, suite)
    if progress and suites:
        progress(len(suites), len(suites), table)
    return Validation(tuple(results))


def check(
    table: str,
    *,
    database: Path,
    suite: Any,
    as_of: datetime,
    files: Mapping[str, Path] = NO_FILES,
) -> Validation:
    """Hold one table to one suite."""
    return check_all({table: suite}, database=database, as_of=as_of, files=files)


@contextlib.contextmanager
def _opened(
    database: Path, as_of: datetime, files: Mapping[str, Path], *, named: Set[str]
) -> Iterator[Any]:
    """A Great Expectations data source on the tables named, and on all files."""
    if not database.is_file():
        raise DataError(f"no warehouse {database}: build it with `matinee run`")
    with _TURN, warnings.catch_warnings():
        # Of list columns, whose type the dialect cannot name; no expectation reads it.
        warnings.filterwarnings("ignore", message="Did not recognize type")
        import_library()
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
        from sqlalchemy.dialects import registry
        from sqlalchemy.pool import StaticPool

        # The library logs each temporary folder, from a logger that sets its own level.
        for name in ("great_expectations", ProgressBarsConfig.__module__):
            logging.getLogger(name).setLevel(logging.WARNING)
        registry.register("duckdb.gx", "matinee.validation.duckdb_gx", "GxDialect")
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        sources: Any = context.data_sources
        source = sources.add_sql(
            name="night",
            # A name, for the library connects more than once and must meet the same views.
            connection_string=f"duckdb+gx:///:memory:night-{next(_NUMBERS)}",
            # One connection for all, closed below: with a pool that closes each, results die
            # with their connection before they are read.
            kwargs={"poolclass": StaticPool},
        )
        try:
            with source.get_engine().connect() as connection:
                for statement in _views(connection, database, as_of, files, named):
                    connection.exec_driver_sql(statement)
            yield source
        finally:
            source.get_execution_engine().engine.dispose()
            source.get_engine().dispose()


def _named(suites: Mapping[str, Any]) -> set[str]:
    """Every table that a suite is of, and every word of its queries: tables are among them."""
    queries = (
        getattr(expectation, "unexpected_rows_query", "")
        for suite in suites.values()
        for expectation in suite.expectations
    )
    return {*suites, *(word for query in queries for word in _WORD.findall(query))}


def _views(
    connection: Any,
    database: Path,
    as_of: datetime,
    files: Mapping[str, Path],
    named: Set[str],
) -> Iterator[str]:
    """What makes the tables of the night, no later row among them, and copies none."""
    # What does not fit into memory stays in the home, where an erasure finds what a crash left.
    yield f"set temp_directory = {literal(database.resolve().with_name('.spill'))}"
    yield f'attach {literal(database.resolve())} as "{database.stem}" (read_only)'
    yield (
        f"create table night as select timestamp '{as_of:%Y-%m-%d %H:%M:%S}' as as_of, "
        f"timestamp '{as_of:%Y-%m-%d %H:%M:%S}'::date - 1 as last_day"
    )
    found = connection.exec_driver_sql(
        "select table_name, bool_or(column_name = 'landed_on') from information_schema.columns "
        f"where table_catalog = '{database.stem}' group by table_name order by table_name"
    ).fetchall()
    for table, lands in found:
        if table not in named:
            continue
        known = " where landed_on <= (select last_day from night)" if lands else ""
        yield f'create view "{table}" as select * from "{database.stem}".main."{table}"{known}'
    for table, path in files.items():
        parts = literal(exact(path) + ("/*.parquet" if path.is_dir() else ""))
        yield f'create view "{table}" as select * from read_parquet({parts}, {UNPARTITIONED})'


def _check(table: str, source: Any, suite: Any) -> list[Checked]:
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    try:
        asset = source.add_table_asset(name=table, table_name=table)
    except TestConnectionError:
        raise DataError(f"no table {table} in the warehouse: build it with `matinee run`") from None
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    answers = {
        _identity(one.expectation_config): one.to_json_dict()
        for one in batch.validate(suite).results
    }
    results = []
    for expectation in suite.expectations:
        answer = answers[_identity(expectation.configuration)]
        if expectation.expectation_type == _QUERY and not answer["success"]:
            # Validated again, because only a complete result has the rows.
            answer = batch.validate(expectation, result_format="COMPLETE").to_json_dict()
        results.append(_checked(table, answer))
    return results


def _identity(configuration: Any) -> str:
    """One expectation among others: results come back in another order than the suite's."""
    return json.dumps(
        [configuration.type, _rule(configuration.kwargs)], sort_keys=True, default=str
    )


def _rule(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that say what is expected."""
    return {
        name: value
        for name, value in sorted(arguments.items())
        if name != "batch_id" and value is not None
    }


def _checked(table: str, answer: dict[str, Any]) -> Checked:
    """A result of Great Expectations as a `Checked`."""
    configuration, found = answer["expectation_config"], answer["result"]
    error = _error(answer["exception_info"])
    by_query = configuration["type"] == _QUERY
    broken_by = found.get("observed_value" if by_query else "unexpected_count") or 0
    raw = found.get("details", {}).get("unexpected_rows") if by_query else None
    raw = raw or found.get("partial_unexpected_list") or []
    examples = [] if configuration["kwargs"].get("column") == MEMBER_ID else map(_example, raw)
    return Checked(
        table=table,
        kind=configuration["type"],
        rule={"description": configuration["description"]}
        if by_query
        else _rule(configuration["kwargs"]),
        notes=configuration["notes"],
        accepts=configuration.get("meta", {}).get("accepts"),
        severity=configuration["severity"],
        success=bool(answer["success"]) and error is None,
        observed=None if by_query else found.get("observed_value"),
        unexpected_count=int(broken_by),
        examples=tuple(sorted(set(examples) - {""})[:_EXAMPLES]),
        error=error,
    )


def _example(value: Any) -> str:
    """A value, or the named values of a row, as text, without whose it is.

    It goes to logs and to Prefect's database, which erasure does not reach: both are outside
    the home.
    """
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items() if name != MEMBER_ID)
    return str(value)


def _error(information: dict[str, Any]) -> str | None:
    """The message of what kept an expectation from being evaluated.

    The library gives one flat dict, or one for each metric that failed.
    """
    flat = [information] if "raised_exception" in information else list(information.values())
    messages = [
        str(one["exception_message"]).strip().splitlines()[0]
        for one in flat
        if one.get("raised_exception")
    ]
    return min(messages) if messages else None
