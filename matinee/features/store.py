"""One opened Feast store: quiet, and held by one thread at a time."""

import contextlib
import fcntl
import io
import logging
import string
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from matinee.duckdb_paths import exact
from matinee.errors import ConfigError
from matinee.imports import large_import

log = logging.getLogger(__name__)

SQLITE = "sqlite:///"

# Feast prints, warns, and shares one DuckDB connection in a process: callers take turns.
_TURN = threading.RLock()


@contextlib.contextmanager
def opened(home: Path, project: Path) -> Iterator[Any]:
    """The Feast store of `home`, configured by `<project>/feature_repo/feature_store.yaml`.

    The output of Feast goes to the log. Importing Feast costs half a second, once per process.
    """
    with _TURN, quiet():
        import_library()
        import ibis
        from feast import FeatureStore, RepoConfig

        file = project / "feature_repo" / "feature_store.yaml"
        if not file.is_file():
            raise ConfigError(f"no {file}: point MATINEE_PROJECT at a checkout of matinee")
        (home / "feast").mkdir(parents=True, exist_ok=True)
        ibis.set_backend(_engine(home.resolve() / "feast" / ".spill"))
        yield FeatureStore(
            config=RepoConfig(**_placed(yaml.safe_load(file.read_text()), home.resolve()))
        )


def import_library() -> None:
    """Import Feast without its run-time checks of argument types.

    To put them into every class, typeguard parses and compiles each of them again: three quarters
    of the CPU time of the import.
    """
    with large_import("feast"):
        import typeguard

        checked = typeguard.typechecked
        typeguard.typechecked = _as_it_is
        try:
            import feast  # noqa: F401
        finally:
            typeguard.typechecked = checked
        import ibis.backends.duckdb  # noqa: F401


def _placed(value: Any, home: Path) -> Any:
    """A configuration with a home in the place of `${MATINEE_HOME}`.

    It is the same that `feast` does on the command line, but after the file is parsed, and a home
    in a URL is quoted.
    """
    match value:
        case str() if value.startswith(f"{SQLITE}${{MATINEE_HOME}}"):
            below = value.removeprefix(f"{SQLITE}${{MATINEE_HOME}}")
            return f"{SQLITE}file:{quote(str(home))}{below}?uri=true"
        case str():
            return string.Template(value).substitute(MATINEE_HOME=home)
        case dict():
            return {name: _placed(one, home) for name, one in value.items()}
        case _:
            return value


def _as_it_is(target: Any = None, **_: object) -> Any:
    """In place of `typechecked`, which decorates with or without arguments."""
    return target or _as_it_is


@cache
def _engine(spill: Path) -> Any:
    """The DuckDB behind Feast. What does not fit into memory stays in the home: after a crash too,
    and there an erasure looks for it."""
    import ibis

    engine = ibis.duckdb.connect(temp_directory=str(spill))
    read = engine.read_parquet

    def read_files(path: str, **options: Any) -> Any:
        pattern = exact(path) + ("/*.parquet" if Path(path).is_dir() else "")
        return read(pattern, hive_partitioning=False, **options)

    engine.read_parquet = read_files
    return engine


@contextlib.contextmanager
def opened_to_write(home: Path, project: Path) -> Iterator[Any]:
    """The same, while no other process writes: they queue.

    Feast's SQL registry loses no apply, but of several that are the first to register a view
    all but one may fail on its version history (seen with 0.67).
    """
    (home / "feast").mkdir(parents=True, exist_ok=True)
    with (home / "feast" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with opened(home, project) as store:
            yield store


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what is printed to the log, and drop warnings: stdout is for data."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for line in filter(None, map(str.strip, output.getvalue().splitlines())):
            log.debug("feast: %s", line)
