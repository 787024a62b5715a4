"""Files of ratings, which several public sets have: member, title, value and Unix time a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.errors import DataError
from matinee.landing.importers.set_files import (
    FIRST_SECOND,
    LAST_SECOND,
    UNITS_PER_SECOND,
    Problems,
    lines,
)
from matinee.landing.importers.staging import Parsing, database, stage

if TYPE_CHECKING:
    import duckdb

PARSED = """
    select line, raw_text, f[1] as member_number, f[2] as title_number,
        try_cast(f[3] as double) * $scale as value,
        coalesce(
            list_filter(
                [try_cast(try_cast(f[4] as double) / unit as bigint) for unit in $units],
                lambda one: one >= $first and one < $last
            )[1],
            try_cast(epoch(try_cast(f[4] as timestamp)) as bigint)
        ) as second,
        coalesce(
            len(f) = 4
            and regexp_full_match(f[1], '[0-9]{1,18}')
            and regexp_full_match(f[2], '[0-9]{1,18}')
            and try_cast(f[3] as double) between $minimum and $maximum
            and second >= $first and second < $last,
            false
        ) as is_good
    from (
        select line, raw_text,
            string_split(replace(trim(raw_text, chr(13) || chr(10)), '"', ''), $separator) as f
        from chunk
    )
"""
"""The lines of a file of ratings."""


RATING = ("1", "31", "2.5", "1260759144")
"""A member, a title, a value and a time, as a set writes them."""


@dataclass(frozen=True)
class Ratings:
    """How a file of member, title, value and Unix time is laid out."""

    path: Path
    separator: str
    header: str | None
    """The first line, where the layout has one."""
    minimum: float
    maximum: float
    scale: float
    """What a value is multiplied by to reach 0 to 10."""


@contextmanager
def staged(ratings: Ratings, problems: Problems) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the table `ratings` (member_number, title_number, value, second, line)."""
    if ratings.header is not None:
        found = next(lines(ratings.path), (1, ratings.header))[1].strip()
        if found.replace('"', "").lower() != ratings.header.lower():
            raise DataError(f"{ratings.path}: its header is {found!r}, not {ratings.header!r}")
    with database() as connection:
        has_header = ratings.header is not None
        stage(connection, ratings.path, _parsing(ratings), problems, has_header=has_header)
        yield connection


def _parsing(ratings: Ratings) -> Parsing:
    return Parsing(
        table="ratings",
        noun="rating",
        columns={
            "member_number": "varchar",
            "title_number": "varchar",
            "value": "double",
            "second": "bigint",
            "line": "bigint",
        },
        parsed=PARSED,
        selected="member_number, title_number, value, second, line",
        wanted=(
            f"like {ratings.separator.join(RATING)!r}, the value from {ratings.minimum:g} to"
            f" {ratings.maximum:g}, the time in Unix seconds or milliseconds and not before 1990"
        ),
        values={
            "scale": ratings.scale,
            "minimum": ratings.minimum,
            "maximum": ratings.maximum,
            "separator": ratings.separator,
            "first": FIRST_SECOND,
            "last": LAST_SECOND,
            "units": list(UNITS_PER_SECOND),
        },
    )
