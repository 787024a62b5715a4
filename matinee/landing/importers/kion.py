"""KION, the public set of a streaming service: who watched what, how long and which part of it.

=================  ====================================  ==================================
file               columns                               become
=================  ====================================  ==================================
interactions.csv   user_id, item_id, last_watch_dt,      plays, one per member and title
                   total_dur, watched_pct
items.csv          item_id, content_type, title, ...     titles; `items_en.csv` in English
users.csv          user_id, age, sex, ...                members, optional; `users_en.csv`
=================  ====================================  ==================================

Columns are found by name, so that an index column or another order is no obstacle.

A row sums up all viewings of a title by a member. It becomes one play, at midnight of the day of
the last viewing, for no time of day is known. `watched_seconds` is `total_dur`, at most a day. The
play's `runtime_seconds` is what makes its completion equal to `watched_pct`: `watched_seconds`
divided by it. It is plausible from a minute to a day. Where it is not, or the part is unknown or
0, the play has no runtime, and the warehouse assumes one (var `assumed_runtime_seconds`).

Not taken over: `income`; `kids_flg`, which says that there are children in the household and not
that the profile is a child's; `for_kids`, which `age_rating` has more exactly; `studios`.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from matinee.errors import DataError
from matinee.landing.importers.history import PLAYS, Ids, Imported, first_of_year, land
from matinee.landing.importers.set_files import (
    FIRST_SECOND,
    LAST_SECOND,
    Problems,
    csv_fields,
    lines,
)
from matinee.landing.importers.staging import Parsing, database, stage
from matinee.progress import Progress

if TYPE_CHECKING:
    import duckdb

IDS = Ids(name="kion", member="ki-%s", title="ki-%d")

INTERACTIONS = ("user_id", "item_id", "last_watch_dt", "total_dur", "watched_pct")
ITEMS = ("item_id", "content_type", "title")
USERS = ("user_id", "age", "sex")

TITLE_KINDS = {"film": "movie", "series": "series"}
GENDERS = {"\N{CYRILLIC CAPITAL LETTER EM}": "M", "\N{CYRILLIC CAPITAL LETTER ZHE}": "F"}
GENDERS |= {"M": "M", "F": "F"}
"""Cyrillic in the original files, Latin in the English ones."""

COLLECTED = 2021
"""When people were of the ages that the set gives."""

LONGEST_PLAY = 24 * 60 * 60
"""Seconds of a play that count: months of a series are summed in one row."""
SHORTEST_RUNTIME, LONGEST_RUNTIME = 60, 24 * 60 * 60
"""The runtimes in seconds that are plausible: a short film, and all of a series."""

TITLE_COLUMNS = {
    "countries": pa.list_(pa.string()),
    "minimum_age": pa.int64(),
    "synopsis": pa.string(),
}


def import_kion(path: Path, *, home: Path, progress: Progress | None = None) -> Imported:
    """Land the KION set in the folder `path`; ids become `ki-<number>`.

    Raises
    ------
    DataError
        When the folder has no interactions.csv with items.csv, a file lacks a column, a quote takes
        other rows into its field, or not one play can be read.
    """
    interactions = path / "interactions.csv"
    items = _first_of(path, "items.csv", "items_en.csv")
    if items is None or not interactions.exists():
        raise DataError(
            f"no KION in {path}: looked for interactions.csv with items.csv or items_en.csv"
        )
    problems = Problems()
    with database() as connection:
        _stage(connection, interactions, problems)
        titles, keywords = _titles(items, problems)
        return land(
            connection,
            home=home,
            ids=IDS,
            layout="kion",
            titles=titles,
            people=_people(_first_of(path, "users.csv", "users_en.csv"), problems),
            themes=lambda _: keywords,
            problems=problems,
            progress=progress,
            events=PLAYS,
            title_columns=TITLE_COLUMNS,
        )


def _first_of(folder: Path, *names: str) -> Path | None:
    return next((folder / name for name in names if (folder / name).exists()), None)


# ---------- plays


PARSED = """
    with fields as (
        select line, raw_text,
            string_split(replace(trim(raw_text, chr(13) || chr(10)), '"', ''), ',') as f
        from chunk
    ),

    cells as (
        select line, raw_text, len(f) as width,
            f[$user_id] as member_number,
            f[$item_id] as title_number,
            try_cast(epoch(try_cast(f[$last_watch_dt] as timestamp)) as bigint) as second,
            try_cast(f[$total_dur] as double) as duration,
            nullif(f[$watched_pct], '') as part_text,
            try_cast(part_text as double) as part
        from fields
    )

    select line, raw_text, member_number, title_number, second,
        cast(least(duration, $longest_play) as bigint) as watched_seconds,
        round(watched_seconds * 100 / nullif(part, 0)) as runtime,
        coalesce(
            width = $width
            and regexp_full_match(member_number, '[0-9]{1,18}')
            and regexp_full_match(title_number, '[0-9]{1,18}')
            and second >= $first and second < $last
            and duration between 0 and 1e12
            and (part_text is null or part between 0 and 100),
            false
        ) as is_good
    from cells
"""
"""The lines of interactions.csv."""

SELECTED = """
    member_number, title_number, watched_seconds,
    case when runtime between $shortest and $longest then cast(runtime as bigint) end,
    second, line
"""


def _stage(connection: "duckdb.DuckDBPyConnection", path: Path, problems: Problems) -> None:
    """Fill the table `plays`."""
    header = _header(path, INTERACTIONS)
    parsing = Parsing(
        table="plays",
        noun="play",
        columns={
            "member_number": "varchar",
            "title_number": "varchar",
            "watched_seconds": "bigint",
            "runtime_seconds": "bigint",
            "second": "bigint",
            "line": "bigint",
        },
        parsed=PARSED,
        selected=SELECTED,
        wanted=(
            "like '176549,9506,2021-05-11,4250,72.0': member, title, day, seconds watched, and the"
            " part watched from 0 to 100 or nothing"
        ),
        values={name: header.index(name) + 1 for name in INTERACTIONS}
        | {"width": len(header), "longest_play": LONGEST_PLAY}
        | {"first": FIRST_SECOND, "last": LAST_SECOND},
        selected_values={"shortest": SHORTEST_RUNTIME, "longest": LONGEST_RUNTIME},
    )
    stage(connection, path, parsing, problems, has_header=True)


# ---------- titles and people


def _titles(path: Path, problems: Problems) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Rows of the contract's `titles`, and the keywords of each title."""
    titles: list[dict[str, Any]] = []
    keywords: dict[str, list[str]] = {}
    for line, row in _rows(path, ITEMS, problems):
        number, name = row["item_id"], row["title"] or row.get("title_orig", "")
        kind = TITLE_KINDS.get(row["content_type"])
        if not number.isdecimal() or not name or kind is None:
            found = (number, row["content_type"], name[:60])
            problems.add(path, line, f"not a title: {', '.join(map(repr, found))}")
            continue
        titles.append(
            {
                "title_id": number,
                "name": name,
                "title_kind": kind,
                "released_on": first_of_year(row.get("release_year", "").removesuffix(".0")),
                "genres": _list(row, "genres"),
                "directors": _list(row, "directors", "directors_translated"),
                "actors": _list(row, "actors", "actors_translated"),
                "countries": _list(row, "countries"),
                "minimum_age": _age(row.get("age_rating", "")),
                "synopsis": row.get("description") or None,
            }
        )
        keywords[number] = _list(row, "keywords")
    return titles, keywords


def _list(row: Mapping[str, str], *names: str) -> list[str]:
    """The distinct values of a cell with commas, in its order; of the first column there is."""
    text = next((row[name] for name in names if name in row), "")
    return list(dict.fromkeys(one for part in text.split(",") if (one := part.strip())))


def _age(text: str) -> int | None:
    """`16.0` as the youngest viewer in years."""
    years = text.removesuffix(".0")
    return int(years) if re.fullmatch(r"\d{1,2}", years) else None


def _people(path: Path | None, problems: Problems) -> dict[str, dict[str, Any]]:
    """Year of birth and gender by number. An age is the least of its bracket, as `age_25_34`."""
    people: dict[str, dict[str, Any]] = {}
    alike: dict[tuple[int | None, str | None], dict[str, Any]] = {}  # a million rows, few values
    for line, row in _rows(path, USERS, problems) if path else ():
        number, age, sex = (row[name] for name in USERS)
        match = re.fullmatch(r"age_(\d{1,3})_(\d{1,3}|inf)", age)
        if not number.isdecimal() or (age and not match) or (sex and sex not in GENDERS):
            problems.add(path or Path(), line, f"not a person: {number!r} of {age!r}, {sex!r}")
            continue
        key = COLLECTED - int(match[1]) if match else None, GENDERS.get(sex)
        people[number] = alike.setdefault(key, {"birth_year": key[0], "gender": key[1]})
    return people


# ---------- rows by the names of their columns


def _rows(
    path: Path, required: tuple[str, ...], problems: Problems
) -> Iterator[tuple[int, dict[str, str]]]:
    header = _header(path, required)
    for line, fields in csv_fields(path, len(header), problems):
        yield line, {name: field.strip() for name, field in zip(header, fields, strict=True)}


def _header(path: Path, required: tuple[str, ...]) -> list[str]:
    header = next(csv.reader([next(lines(path), (1, ""))[1]]), [])
    if missing := [name for name in required if name not in header]:
        raise DataError(
            f"{path}: no column {', '.join(missing)} in its header {','.join(header)[:200]!r}"
        )
    return header
