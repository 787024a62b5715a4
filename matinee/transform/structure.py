"""What each incremental table was built from, so that the next build knows which to build whole.

dbt adds rows to an incremental table. When its code, its columns, a macro or the contract of its
stream has changed since, the rows that are there are of another shape.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.provenance import parse_json

PATH = "warehouse/dbt/structure.json"
WAREHOUSE = "warehouse/matinee.duckdb"
LISTED = 3
"""Tables that a note names."""


def read(home: Path) -> dict[str, str] | None:
    """Table -> hash of the last build: empty when it left none, None without a warehouse."""
    if not (home / WAREHOUSE).is_file():
        return None
    try:
        found = parse_json((home / PATH).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(home: Path, manifest: Any) -> None:
    """Leave the hashes for the next build."""
    text = json.dumps(_tables(manifest), indent=1, sort_keys=True) + "\n"
    durable.replace(home / PATH, text.encode())


def changed(before: Mapping[str, str] | None, manifest: Any) -> list[str]:
    """The incremental tables that are not as in the last build, by name."""
    if before is None:
        return []
    return sorted(name for name, one in _tables(manifest).items() if before.get(name) != one)


def note(tables: Sequence[str]) -> str:
    """One line for the operator; empty when no table is built whole."""
    if not tables:
        return ""
    more = f" and {len(tables) - LISTED} more" if len(tables) > LISTED else ""
    listed = ", ".join(tables[:LISTED])
    return f"built {listed}{more} whole: code, columns or contract changed since the last build"


def macros(manifest: Any) -> dict[str, str]:
    """The macros of the project."""
    return {
        macro.unique_id: macro.macro_sql
        for macro in manifest.macros.values()
        if macro.package_name == "matinee"
    }


def contract(manifest: Any) -> dict[str, dict[str, str]]:
    """Columns and types of each stream."""
    return {source.unique_id: _types(source.columns) for source in manifest.sources.values()}


def sha256(value: object) -> str:
    """The hash of a value in its JSON form."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _tables(manifest: Any) -> dict[str, str]:
    of_macros, streams = sha256(macros(manifest)), contract(manifest)
    return {
        node.name: sha256(
            [
                node.raw_code,
                _types(node.columns),
                of_macros,
                [streams[one] for one in sorted(node.depends_on.nodes) if one in streams],
            ]
        )
        for node in manifest.nodes.values()
        if node.resource_type == "model" and node.config.materialized == "incremental"
    }


def _types(columns: Mapping[str, Any]) -> dict[str, str]:
    return {name: column.data_type for name, column in columns.items()}
