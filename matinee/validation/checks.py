"""Hold tables to their suites, inside the warehouse, without writing anything."""

import contextlib
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from matinee.errors import DataError
from matinee.validation.results import Checked, Validation
from matinee.validation.suites import load_suites

Progress = Callable[[int, int, str], None]
"""Called with how many tables are done, how many there are, and the name of one."""

# The library keeps its current context in a global, so two threads take turns.
_TURN = threading.Lock()

_EXAMPLES = 5
_QUERY = "unexpected_rows_expectation"


def check_all(*, database: Path, project: Path, progress: Progress | None = None) -> Validation:
    """Hold every guarded table of `database` to its suite; the caller decides what to do.

    Notes
    -----
    About 0.2 s a table, and 0.02 s per million rows and expectation; nothing leaves DuckDB but
    counts and a few examples. The file is open to read, and closed at the end.
    """
    suites = load_suites(project)
    results: list[Checked] = []
    with _opened(database) as warehouse:
        for done, (table, suite) in enumerate(suites.items()):
            if progress:
                progress(done, len(suites), table)
            results += _check(table, warehouse, suite)
    if progress:
        progress(len(suites), len(suites), table)
    return Validation(tuple(results))


def check(table: str, *, database: Path, suite: Any) -> Validation:
    """Hold one table of `database` to one suite."""
    with _opened(database) as warehouse:
        return Validation(tuple(_check(table, warehouse, suite)))


@contextlib.contextmanager
def _opened(database: Path) -> Iterator[Any]:
    """A Great Expectations data source on the warehouse."""
    if not database.is_file():
        raise DataError(f"no warehouse {database}: build it with `matinee run`")
    with _TURN, warnings.catch_warnings():
        # Of list columns, whose type the dialect cannot name; no expectation reads it.
        warnings.filterwarnings("ignore", message="Did not recognize type")
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
        from sqlalchemy.dialects import registry
        from sqlalchemy.pool import StaticPool

        # It tells of each temporary folder, aloud.
        logging.getLogger(ProgressBarsConfig.__module__).setLevel(logging.WARNING)
        registry.register("duckdb.gx", "matinee.validation.duckdb_gx", "GxDialect")
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        sources: Any = context.data_sources
        warehouse = sources.add_sql(
            name="warehouse",
            connection_string=f"duckdb+gx:///{database.resolve()}",
            # One connection for all, closed below: with a pool that closes each, results die
            # with their connection before they are read.
            kwargs={"poolclass": StaticPool, "connect_args": {"read_only": True}},
        )
        try:
            yield warehouse
        finally:
            warehouse.get_execution_engine().engine.dispose()
            warehouse.get_engine().dispose()


def _check(table: str, warehouse: Any, suite: Any) -> list[Checked]:
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    try:
        asset = warehouse.add_table_asset(name=table, table_name=table)
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
            # Asked again, for only a complete answer has the rows.
            answer = batch.validate(expectation, result_format="COMPLETE").to_json_dict()
        results.append(_checked(table, answer))
    return results


def _identity(configuration: Any) -> str:
    """One expectation among others: results come back in another order than they were asked."""
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
    """A result of the library as ours."""
    asked, found = answer["expectation_config"], answer["result"]
    error = _error(answer["exception_info"])
    by_query = asked["type"] == _QUERY
    broken_by = found.get("observed_value" if by_query else "unexpected_count") or 0
    raw = found.get("details", {}).get("unexpected_rows") if by_query else None
    examples = raw or found.get("partial_unexpected_list") or []
    return Checked(
        table=table,
        kind=asked["type"],
        rule={"description": asked["description"]} if by_query else _rule(asked["kwargs"]),
        notes=asked["notes"],
        severity=asked["severity"],
        success=bool(answer["success"]) and error is None,
        observed=None if by_query else found.get("observed_value"),
        unexpected_count=int(broken_by),
        examples=tuple(sorted({_example(one) for one in examples})[:_EXAMPLES]),
        error=error,
    )


def _example(value: Any) -> str:
    """A value, or the named values of a row, as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return str(value)


def _error(information: dict[str, Any]) -> str | None:
    """The message of what kept an expectation from being judged.

    The library gives one flat dict, or one for each metric that failed.
    """
    flat = [information] if "raised_exception" in information else list(information.values())
    messages = [
        str(one["exception_message"]).strip().splitlines()[0]
        for one in flat
        if one.get("raised_exception")
    ]
    return min(messages) if messages else None
