"""One opened Feast store: quiet, and held by one thread at a time.

Its registry is built in memory from `feature_repo/` each time. Feast runs the transformations that
it finds in a registry, so a registry file is code, and none is read: `feast/registry.db` is written
by the night for the `feast` command.
"""

import contextlib
import fcntl
import importlib
import io
import logging
import os
import string
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
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
        fields = config(home, project)
        import_library()
        import ibis
        from feast import FeatureStore, RepoConfig

        from matinee.features import memory_registry

        (home / "feast").mkdir(parents=True, exist_ok=True)
        ibis.set_backend(_engine(home.resolve() / "feast" / ".spill"))
        store = FeatureStore(config=RepoConfig(**fields | {"registry": memory_registry.CONFIG}))
        _register(store, declared(home, project))
        yield store


def _register(store: Any, things: list[Any]) -> None:
    """Put what is declared into the registry of a store, and touch no online table."""
    from feast import Entity, FeatureService

    for thing in things:
        if isinstance(thing, FeatureService):
            store.registry.apply_feature_service(thing, store.project)
        elif isinstance(thing, Entity):
            store.registry.apply_entity(thing, store.project)
        else:
            store.registry.apply_data_source(thing.batch_source, store.project)
            store.registry.apply_feature_view(thing, store.project)


def config(home: Path, project: Path) -> dict[str, Any]:
    """The fields of `<project>/feature_repo/feature_store.yaml`, for a home."""
    file = project / "feature_repo" / "feature_store.yaml"
    if not file.is_file():
        raise ConfigError(f"no {file}: point MATINEE_PROJECT at a checkout of matinee")
    fields: dict[str, Any] = _placed(yaml.safe_load(file.read_text()), home.resolve())
    return fields


def declared(home: Path, project: Path) -> list[Any]:
    """Everything that the files of `feature_repo/` define, once each, in order of kind and name."""
    from feast import Entity, FeatureService, FeatureView

    with _imported(project / "feature_repo", home) as modules:
        things: dict[tuple[str, str], Any] = {
            (type(thing).__name__, getattr(thing, "name", "")): thing
            for module in modules
            for thing in vars(module).values()
            if isinstance(thing, (Entity, FeatureView, FeatureService))
        }
    return [things[key] for key in sorted(things)]


@contextlib.contextmanager
def _imported(folder: Path, home: Path) -> Iterator[list[ModuleType]]:
    """The repo's files, imported afresh for `home` and forgotten again.

    Feast's own convention is a folder of scripts that import one another by bare name and
    learn where the data is as they load, so two homes in one process need two imports.
    """
    names = sorted(path.stem for path in folder.glob("*.py"))
    modules = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    before = os.environ.get("MATINEE_HOME")
    os.environ["MATINEE_HOME"] = str(home.resolve())
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(str(folder.resolve()))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(modules)
        if before is None:
            del os.environ["MATINEE_HOME"]
        else:
            os.environ["MATINEE_HOME"] = before


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
    """The same, while no other process writes: they queue."""
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
