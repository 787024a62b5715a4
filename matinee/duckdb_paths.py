"""Paths in the SQL of DuckDB: as data, whatever characters they have.

DuckDB reads a path as text between quotes, as a pattern and as a hive partition (`key=value`). It
also takes what is after a `?` in the path of a database for options, and a backslash in a pattern
for a slash; neither can be written in another way, so that `Settings` refuses a home with one.
"""

from pathlib import Path

UNPARTITIONED = "hive_partitioning = false"
"""An option of `read_parquet`: no folder of the path is a column."""


def literal(value: object) -> str:
    """A text or a path as a literal of SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def exact(path: Path | str) -> str:
    """A path as a pattern that matches this path and no other.

    >>> exact("/a[1]/b?.parquet")
    '/a[[]1]/b[?].parquet'
    """
    return "".join(f"[{one}]" if one in "*?[" else one for one in str(path))
