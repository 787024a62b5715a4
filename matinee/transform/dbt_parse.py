"""dbt imported at less cost, its project parsed once for all homes, and its queries unlogged."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from matinee import cache
from matinee.duckdb_paths import exact, literal
from matinee.imports import large_import

ANY_HOME = "/matinee-home"
"""Stands for the home in a parsed project, so that every home can use it."""

PARSING = {"MATINEE_HOME": ANY_HOME, "MATINEE_THREADS": "1", "MATINEE_MEMORY_LIMIT": "1GB"}
"""The environment in which the project is parsed, whatever the settings of the night."""

_PARSERS = ("dbt-core", "dbt-common", "dbt-adapters", "dbt-duckdb", "dbt-semantic-interfaces")
_NOT_PARSED = {"target", "logs"}
_ENV_VAR = re.compile(rb"env_var\(\s*[\"'](\w+)")
_QUERY_EVENTS = ("ConnectionUsed", "SQLQuery", "SQLQueryStatus", "SQLCommit")


@contextmanager
def pinned(environment: Mapping[str, str]) -> Iterator[None]:
    """The variables of a call of dbt: those given, and none of dbt's own that a shell has.

    `DBT_TARGET`, `DBT_EXCLUDE_RESOURCE_TYPES` and sixty others are options of dbt: they would
    change what a night builds and tests. Profile and target are then those of the project.
    """
    names = {name for name in os.environ if name.upper().startswith("DBT_")} | set(environment)
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def import_library() -> None:
    """Import dbt and its adapter."""
    with large_import("dbt.cli.main"):
        import dbt.cli.main  # noqa: I001
        import dbt.adapters.duckdb.connections  # noqa: F401
        from dbt.adapters.duckdb.credentials import DuckDBCredentials

        # It parses the path of the warehouse as a URL, and takes a part of it for the name.
        name_of = staticmethod(lambda path: Path(path).stem)
        DuckDBCredentials.path_derived_database_name = name_of


def load(project: Path, home: Path, parse: Callable[[], Any]) -> Any:
    """The manifest of a dbt project for a home, as kept in the user's cache, or parsed now.

    Parameters
    ----------
    project
        The folder of `dbt_project.yml` and `profiles.yml`.
    parse
        Parses the project in the environment `PARSING`, without vars, and returns its manifest.
        It is called when no parse of the same files, versions and environment is kept.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder

    key = _key(project)
    packed = cache.read("dbt", key)
    if packed is None:
        # Files serve a next parse only; the flat graph is made again below.
        unused: dict[str, Any] = {"files": {}, "flat_graph": {}}
        packed = parse().to_msgpack(lambda document: extended_mashumaro_encoder(document | unused))
        cache.write("dbt", key, packed)
    manifest = Manifest.from_msgpack(
        packed, decoder=lambda data: _placed(extended_mashumuro_decoder(data), _quoted(home))
    )
    manifest.build_flat_graph()
    return manifest


def _key(project: Path) -> str:
    """A sha256 of all that a parse follows from: files, versions and environment."""
    files: dict[str, str] = {}
    env_vars: set[str] = set()
    for folder, folders, names in os.walk(project, followlinks=True):
        if Path(folder) == project:
            folders[:] = set(folders) - _NOT_PARSED
        for file in filter(Path.is_file, (Path(folder) / name for name in names)):
            content = file.read_bytes()
            env_vars.update(name.decode() for name in _ENV_VAR.findall(content))
            files[str(file)] = hashlib.sha256(content).hexdigest()
    environment = {
        name: value
        for name, value in (os.environ | PARSING).items()
        if name in env_vars or name.startswith("DBT_")
    }
    content_of = json.dumps(
        [[version(name) for name in _PARSERS], files, environment], sort_keys=True
    )
    return hashlib.sha256(content_of.encode()).hexdigest()


def _placed(document: Any, home: str) -> Any:
    """A parsed project with the paths of a home, `home` as it is written in `external_location`."""
    match document:
        case str():
            return document.replace(ANY_HOME, home) if ANY_HOME in document else document
        case dict():
            return {name: _placed(value, home) for name, value in document.items()}
        case list():
            return [_placed(value, home) for value in document]
        case _:
            return document


def _quoted(home: Path) -> str:
    """A home within the quotes of an `external_location`; dbt reads that as a `string.Template`."""
    return literal(exact(home))[1:-1].replace("$", "$$")


@contextmanager
def unlogged_queries() -> Iterator[None]:
    """Let dbt make no event of a query in this block.

    It makes three of each of a thousand queries a night, at a level that the log does not keep,
    for a tenth of the CPU time of a build. Events of nodes, warnings and errors stay.
    """
    from dbt.adapters.sql import connections

    fire = connections.fire_event
    before = {name: event for name, event in vars(connections).items() if name in _QUERY_EVENTS}
    vars(connections).update({name: lambda **_: None for name in before})
    connections.fire_event = lambda event, **how: None if event is None else fire(event, **how)
    try:
        yield
    finally:
        connections.fire_event = fire
        vars(connections).update(before)
