"""The tables of a home's warehouse, to be compared with those of another."""

import re
from pathlib import Path

import pyarrow as pa

from matinee import warehouse

BOOKKEEPING = re.compile(r"last_\w+|int_\w+__(changed|expired)")
"""Tables that list what a night had to build, not its results."""

STAGED = ("base_", "stg_", "rejected_", "known_", "received_")


def tables(home: Path) -> dict[str, pa.Table]:
    """Every built table by its name, rows in order; in one connection, for each costs more."""
    with warehouse.connect(home) as connection:
        found = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main'"
            " order by all"
        ).fetchall()
        return {
            name: connection.sql(f"select * from {name} order by all").to_arrow_table()
            for (name,) in found
            if not BOOKKEEPING.fullmatch(name)
        }


def after_staging(found: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables that do not say in which file a row came."""
    return {name: rows for name, rows in found.items() if not name.startswith(STAGED)}


def differing(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> list[str]:
    """The tables of two homes that are not equal."""
    assert list(one) == list(other)
    return [name for name in one if one[name] != other[name]]
