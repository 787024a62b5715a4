"""The warehouse, built by dbt in this process. The only module that knows dbt."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import yaml

from matinee.errors import (
    BusyError,
    ConfigError,
    DataError,
    IntegrityError,
    MatineeError,
    RefusedError,
    StorageError,
)
from matinee.imports import rare_collections
from matinee.progress import Progress
from matinee.transform import dbt_parse, structure

Query = Callable[[str], list[dict[str, Any]]]
"""Runs a SELECT and gives its rows."""

NIGHTLY = {"as_of", "changed_models", "code_sha256"}
"""Vars that a build sets itself."""

BROKEN = {"error", "runtime error", "partial success"}
FAILED = {"fail"}

OTHER_COLUMNS = ("out of sync", "Binder Error")
"""Parts of messages on an incremental table whose columns are not those of its model."""

NOT_BUILT = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "exposure"]

BY_HAND = ["resource_type:snapshot+", "tag:by_hand"]
"""Snapshots depend on which nights ran, and what a night builds never may."""


@dataclass(frozen=True)
class Built:
    """What a build was made of, and how it went."""

    manifest_sha256: str
    """Of the project's code and promises; the same for the same checkout, wherever it runs."""

    models: int
    tests_passed: int
    tests_warned: int

    seconds: Mapping[str, float]
    """How long each node took. A measurement: never part of a digest."""

    note: str = ""
    """Which incremental tables were built whole because code or contract changed, if any were."""


def build(
    *,
    project: Path,
    home: Path,
    as_of: datetime,
    threads: int,
    memory_limit: str,
    vars: Mapping[str, object] | None = None,
    full_refresh: bool = False,
    progress: Progress | None = None,
    query: Query | None = None,
) -> Built:
    """Build and test every model of the warehouse from what was received.

    Parameters
    ----------
    as_of : datetime
        The end of the last day that counts: a midnight, UTC.
    vars : mapping, optional
        Values for dbt vars other than those in `dbt_project.yml`.
    full_refresh : bool
        Stage all batches again instead of only the new ones. The tables come out the same.
    query : callable, optional
        Gives the rows of a SELECT on the warehouse, so that a failed test can name its values.

    Raises
    ------
    ConfigError
        If `as_of` is not a midnight in UTC.
    DataError
        If nothing was received, or a model cannot be built.
    RefusedError
        If a data test fails, or none ran.
    IntegrityError
        If one fails that says `failure: integrity` in its meta: rows were lost.
    BusyError
        If another process has the warehouse open.
    StorageError
        If the disk is full.
    """
    if as_of.tzinfo is None or as_of.astimezone(UTC).time() != time():
        raise ConfigError(f"as_of must be a midnight in UTC, got {as_of.isoformat()}")
    dbt = _Dbt(project, home, threads, memory_limit, query)
    command = ["build", *NOT_BUILT, "--exclude", *BY_HAND]
    values = {**(vars or {}), "as_of": as_of.astimezone(UTC).date().isoformat()}
    before = {} if full_refresh else structure.read(home)
    note = ""
    try:
        if full_refresh:
            ran, manifest = dbt.run([*command, "--full-refresh"], vars=values, progress=progress)
        else:
            ran, manifest = dbt.run(command, vars=values, progress=progress, before=before)
            note = structure.note(structure.changed(before, manifest))
    except _OtherColumnsError as error:  # by hand, or by a model that takes all columns of another
        ran, manifest = dbt.run([*command, "--full-refresh"], vars=values, progress=progress)
        note = f"built everything whole: {error.table} had other columns than its model gives"
    structure.write(home, manifest)
    built = replace(_built(ran.results, manifest), note=note)
    if not built.tests_passed + built.tests_warned:
        raise RefusedError(
            f"dbt ran {built.models} models and not one data test, so nothing is known of the "
            f"tables: run `matinee run` with the tests of {dbt.project} in place"
        )
    return built


def check_units(*, project: Path, home: Path, threads: int, memory_limit: str) -> int:
    """Run the models' unit tests against a built warehouse, and return how many passed.

    Raises
    ------
    RefusedError
        If one fails.
    """
    dbt = _Dbt(project, home, threads, memory_limit)
    ran, _ = dbt.run(["test", "--select", "test_type:unit"])
    return len(ran.results)


def docs(*, project: Path, home: Path, threads: int, memory_limit: str) -> Path:
    """Write the pages that describe every model, and return the one file they are in."""
    dbt = _Dbt(project, home, threads, memory_limit)
    dbt.run(["docs", "generate", "--static"])
    return dbt.folder / "target" / "static_index.html"


def project_vars(project: Path) -> dict[str, Any]:
    """The dbt vars and their defaults: the one place where weights and half-lives are set."""
    file = project / "dbt_project" / "dbt_project.yml"
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no {file}: set MATINEE_PROJECT to the checkout") from None
    found: dict[str, Any] = document["vars"]
    return found


class _OtherColumnsError(Exception):
    """An incremental table has other columns than its model gives now."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


class _Dbt:
    """dbt for one project and home: paths, environment and what its failures mean."""

    def __init__(
        self,
        project: Path,
        home: Path,
        threads: int,
        memory_limit: str,
        query: Query | None = None,
    ) -> None:
        self.query = query
        self.project = (project / "dbt_project").resolve()
        self.home = home.resolve()
        self.folder = self.home / "warehouse" / "dbt"
        self.log = self.folder / "logs" / "dbt.log"
        self.vars = project_vars(project)
        self.environment = {
            "MATINEE_HOME": str(self.home),
            "MATINEE_THREADS": str(threads),
            "MATINEE_MEMORY_LIMIT": memory_limit,
        }

    def run(
        self,
        command: Sequence[str],
        *,
        vars: Mapping[str, object] | None = None,
        progress: Progress | None = None,
        before: Mapping[str, str] | None = None,
    ) -> tuple[Any, Any]:
        """The result of a command, and the manifest it ran on.

        Incremental tables that are not as in `before` are dropped first, so that dbt builds them
        whole.
        """
        if not (self.home / "received").is_dir():
            raise DataError(f"nothing received in {self.home}: run `matinee run` on some logs")
        self.folder.mkdir(parents=True, exist_ok=True)
        with dbt_parse.pinned({}):  # dbt reads some of its variables when it is imported
            dbt_parse.import_library()
        with rare_collections(), dbt_parse.unlogged_queries(), self._session(self.environment):
            manifest = dbt_parse.load(self.project, self.home, self._parse)
            values = {**(vars or {}), "code_sha256": _code(manifest, self.vars | dict(vars or {}))}
            if before is not None:
                values["changed_models"] = structure.changed(before, manifest)
            result = self._invoke(
                [*command, "--vars", json.dumps(values)], manifest=manifest, progress=progress
            )
        return result, manifest

    def _parse(self) -> Any:
        # Without vars, which the build is given: a parse then holds for every night.
        with self._session(dbt_parse.PARSING):
            return self._invoke(["parse", "--no-write-json"])

    @contextmanager
    def _session(self, environment: Mapping[str, str]) -> Iterator[None]:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        try:
            with dbt_parse.pinned(environment):
                yield
        finally:
            # Left open, the file would be locked for everyone else.
            DuckDBConnectionManager.close_all_connections()

    def _invoke(
        self, command: Sequence[str], *, manifest: Any = None, progress: Progress | None = None
    ) -> Any:
        from dbt.cli.main import dbtRunner

        callbacks = [] if progress is None else [_Reporter(progress)]
        ran = dbtRunner(manifest=manifest, callbacks=callbacks).invoke(
            [
                *command,
                *("--project-dir", str(self.project), "--profiles-dir", str(self.project)),
                *("--target-path", str(self.folder / "target")),
                *("--log-path", str(self.log.parent), "--log-level-file", "info"),
                *("--log-level", "none", "--no-use-colors"),
                # One model at a time: each may use all threads and all memory of DuckDB.
                *("--threads", "1"),
            ]
        )
        if isinstance(ran.exception, KeyboardInterrupt):
            raise ran.exception  # dbt hands it over as a result like any other
        if ran.exception is not None:
            raise _error("dbt", str(ran.exception), self.log)
        is_full = "--full-refresh" in command or command[0] != "build"
        self._check(getattr(ran.result, "results", []), is_full=is_full)
        return ran.result

    def _check(self, results: Sequence[Any], *, is_full: bool) -> None:
        """Raise what a failure among the results means; a broken model before a failed test."""
        for result in results:
            if result.status in BROKEN:
                message = result.message or ""
                is_incremental = result.node.config.materialized == "incremental"
                if is_incremental and not is_full and any(one in message for one in OTHER_COLUMNS):
                    raise _OtherColumnsError(result.node.name)
                raise _error(result.node.name, message, self.log)
        failed = [result for result in results if result.status in FAILED]
        if failed:
            named = "; ".join(f"{one.node.name}: {self._failures(one)}" for one in failed)
            is_broken = any(_means(result) == "integrity" for result in failed)
            raise (IntegrityError if is_broken else RefusedError)(
                f"{len(failed)} dbt test(s) failed: {named} (log: {self.log})"
            )

    def _failures(self, result: Any) -> str:
        """What the rows of a failed test say in their column `failure`, the most frequent first."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        sql = result.node.compiled_code or ""
        if self.query is None or " as failure" not in sql:  # a test that came with dbt
            return _one_line(result.message or "")
        DuckDBConnectionManager.close_all_connections()  # or the file cannot be opened again
        counted = f"select failure, count(*) as row_count from (\n{sql}\n) group by failure"
        rows = self.query(f"{counted} order by 2 desc, 1")
        named = "; ".join(f"{row['failure']} ({row['row_count']:,} row(s))" for row in rows[:3])
        return named + (f" and {len(rows) - 3:,} more" if len(rows) > 3 else "")


class _Reporter:
    """Turns dbt's events into progress."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.done = 0
        self.total = 0
        self.lock = threading.Lock()

    def __call__(self, event: Any) -> None:
        with self.lock:
            if event.info.name == "LogStartLine":
                self.total = event.data.total
            elif event.info.name == "NodeFinished":
                self.done += 1
                self.progress(self.done, self.total, event.data.node_info.node_name)


def _error(node: str, message: str, log: Path) -> MatineeError:
    text = _one_line(message)
    if "Could not set lock" in text or "Conflicting lock" in text:
        return BusyError(
            f"another process has the warehouse open: wait for it, or stop it ({text})"
        )
    if "No space left" in text or "failed to offload data block" in text:
        return StorageError(f"{node}: the disk is full: make room and run again ({text})")
    return DataError(f"dbt could not build {node}: {text} (log: {log})")


def _means(result: Any) -> object:
    """What a test says of its own failure, in `meta.failure`."""
    return result.node.config.meta.get("failure")


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _built(results: Sequence[Any], manifest: Any) -> Built:
    tests = [result for result in results if result.node.resource_type == "test"]
    return Built(
        manifest_sha256=_digest(manifest),
        models=sum(result.node.resource_type == "model" for result in results),
        tests_passed=sum(result.status == "pass" for result in tests),
        tests_warned=sum(result.status == "warn" for result in tests),
        seconds={
            result.node.name: round(result.execution_time, 3)
            for result in results
            if result.node.resource_type != "operation"
        },
    )


def _code(manifest: Any, vars: Mapping[str, object]) -> str:
    """Of what decides how tables are summed: incremental ones built by other code are of no use."""
    said = {
        "models": {
            node.unique_id: node.raw_code
            for node in manifest.nodes.values()
            if node.resource_type == "model"
        },
        "macros": structure.macros(manifest),
        "contract": structure.contract(manifest),
        "vars": {name: vars[name] for name in vars if name not in NIGHTLY},
    }
    return structure.sha256(said)


def _digest(manifest: Any) -> str:
    """Of code and promises only: no times, ids of runs, or places on a disk."""
    said = {
        "nodes": {
            node.unique_id: [
                node.raw_code,
                node.config.materialized,
                node.description,
                node.config.meta,
                {name: column.to_dict() for name, column in node.columns.items()},
            ]
            for node in manifest.nodes.values()
        },
        "sources": {
            source.unique_id: [
                source.config.meta,
                {name: column.to_dict() for name, column in source.columns.items()},
            ]
            for source in manifest.sources.values()
        },
        "macros": structure.macros(manifest),
    }
    return structure.sha256(said)
