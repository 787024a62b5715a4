"""A public data set's events, titles and people, landed as one backfill.

Events land under the last day of the history, with `received_at` = `event_at`. Members land under
its first day, and titles too, so that the catalogue is known before any cut in time; what
members wrote about titles later (tags) lands as one more snapshot a year, never before its day.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from matinee import durable
from matinee.errors import DataError
from matinee.landing.importers.set_files import (
    Problems,
)
from matinee.landing.write import place, write
from matinee.progress import Progress

if TYPE_CHECKING:
    import duckdb

ARTICLE = re.compile(
    r"(?P<name>.+), (?P<article>The|A|An|La|Le|Les|L'|Il|Lo|El|Los|Las|Das|Der|Die|Den|Det|De|O|Os)"
    r"(?P<rest> \(.*)?"
)
YEAR = re.compile(r"(?P<name>.*?)\s*\((?P<year>\d{4})(?:[-\N{EN DASH}]\s?\d{0,4})?\)\s*")


@dataclass(frozen=True)
class Imported:
    """What an import landed."""

    layout: str
    files: tuple[Path, ...]
    first_day: date
    last_day: date
    members: int
    titles: int
    stream: str
    """What members did: `ratings` or `plays`."""
    events: int
    problems: tuple[str, ...]
    """What could not be read, by file and line: the first thousand."""
    problem_count: int

    def summary(self) -> str:
        """One line."""
        return (
            f"{self.layout}: {self.events:,} {self.stream} of {self.titles:,} titles by "
            f"{self.members:,} members, {self.first_day} to {self.last_day}; "
            f"{self.problem_count:,} lines could not be read"
        )


@dataclass(frozen=True)
class Events:
    """How a set's events land: their stream, and its columns beside ids and times, in SQL.

    They are staged in a table of the stream's name, with member_number, title_number, second, line.
    """

    stream: str
    columns: str


RATINGS = Events("ratings", "'stars' as rating_kind, value")
PLAYS = Events("plays", "watched_seconds, runtime_seconds")


@dataclass(frozen=True)
class Ids:
    """How a set's numbers are spelt here, in SQL's printf: never the same in two sets."""

    name: str
    member: str
    title: str


def split_year(name: str) -> tuple[str, date | None]:
    """`Toy Story (1995)` into the name and the first day of the year."""
    match = YEAR.fullmatch(name)
    released_on = first_of_year(match["year"]) if match else None
    return (match["name"], released_on) if match and released_on else (name.strip(), None)


def first_of_year(year: str) -> date | None:
    """The first of January, of a year in which there were films."""
    is_year = re.fullmatch(r"\d{4}", year) and 1870 <= int(year) <= 2100
    return date(int(year), 1, 1) if is_year else None


def put_article_first(name: str) -> str:
    """`Usual Suspects, The` as people say it."""
    match = ARTICLE.fullmatch(name)
    if match is None:
        return name
    space = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{space}{match['name']}{match['rest'] or ''}"


def land(
    connection: "duckdb.DuckDBPyConnection",
    *,
    home: Path,
    ids: Ids,
    layout: str,
    titles: Sequence[Mapping[str, Any]],
    people: Mapping[str, Mapping[str, Any]],
    themes: Callable[[datetime], Mapping[str, list[str]]],
    problems: Problems,
    progress: Progress | None = None,
    events: Events = RATINGS,
    title_columns: Mapping[str, pa.DataType] | None = None,
) -> Imported:
    """Write the staged events, the titles and the members into the landing zone.

    Parameters
    ----------
    titles : rows of the contract's `titles` whose `title_id` is still the set's own number
        Movies, where a row has no `title_kind`.
    people : what is known of a member, by the set's number, beside the day of joining
    themes : what titles were about as far as members had said by an instant; empty when never
    title_columns : further columns of the contract that the titles have
    """
    tell = progress or (lambda done, total, what: None)
    stream = events.stream
    low, high, n_events = connection.execute(
        f"select min(second), max(second), count(*) from {stream}"
    ).fetchone() or (0, 0, 0)
    _require_readable(problems, n_events, stream, len(titles))
    first_day, last_day = (datetime.fromtimestamp(second, UTC).date() for second in (low, high))

    tell(0, 2, f"{n_events} {stream} from {first_day} to {last_day}")
    files = [
        place(
            home,
            stream,
            last_day,
            f"{ids.name}.parquet",
            lambda path: _copy_events(connection, ids, events, path),
        )
    ]
    members = _members(connection, ids, people, first_day, stream)
    files.append(write(home, "members", first_day, members, ids.name))

    tell(1, 2, f"{len(titles)} titles and {len(members)} members")
    files += [
        write(home, "titles", day, _titles(titles, ids, known, title_columns or {}), ids.name)
        for day, known in _snapshots(themes, first_day, last_day)
    ]
    files += _carry_forward(home)
    return Imported(
        layout=layout,
        files=tuple(files),
        first_day=first_day,
        last_day=last_day,
        members=len(members),
        titles=len(titles),
        stream=stream,
        events=n_events,
        problems=tuple(problems.texts),
        problem_count=problems.count,
    )


def _require_readable(problems: Problems, n_events: int, stream: str, n_titles: int) -> None:
    """Refuse a set of which most could not be read."""
    if not n_titles:
        raise DataError(f"not one title could be read: {'; '.join(problems.texts[:3])}")
    if problems.count > n_events + n_titles:
        raise DataError(
            f"{problems.count:,} lines could not be read, more than the {n_events:,} {stream} and"
            f" {n_titles:,} titles that could; the first: {problems.texts[0]}"
        )


def _snapshots(
    themes: Callable[[datetime], Mapping[str, list[str]]], first_day: date, last_day: date
) -> Iterator[tuple[date, Mapping[str, list[str]]]]:
    """The days on which the catalogue lands, and the themes that are known then and new."""
    before: Mapping[str, list[str]] | None = None
    years = [date(year, 1, 1) for year in range(first_day.year + 1, last_day.year + 1)]
    for day in sorted({first_day, *years, last_day}):
        known = themes(datetime(day.year, day.month, day.day, tzinfo=UTC))
        if known != before:
            yield day, known
        before = known


def _copy_events(
    connection: "duckdb.DuckDBPyConnection", ids: Ids, events: Events, path: Path
) -> None:
    connection.execute(
        f"""
        copy (
            select member_id || '-' || title_id || '-' || second as event_id,
                make_timestamp(second * 1000000) as event_at, event_at as received_at,
                member_id, title_id, {events.columns}
            from (
                select *, printf($member, member_number) as member_id,
                    printf($title, title_number::bigint) as title_id
                from {events.stream}
            )
            order by second, line
        ) to $path (format parquet, compression zstd)
        """,
        {"member": ids.member, "title": ids.title, "path": str(path)},
    )


def _members(
    connection: "duckdb.DuckDBPyConnection",
    ids: Ids,
    people: Mapping[str, Mapping[str, Any]],
    first_day: date,
    stream: str,
) -> pa.Table:
    joined = dict(
        connection.execute(
            "select member_number, make_timestamp(min(second) * 1000000)::date"
            f" from {stream} group by member_number"
        ).fetchall()
    )
    rows = [
        {
            "member_id": ids.member % number,
            "joined_on": joined.get(number, first_day),
            "birth_year": people.get(number, {}).get("birth_year"),
            "gender": people.get(number, {}).get("gender"),
        }
        for number in sorted(joined.keys() | people.keys(), key=int)
    ]
    schema = pa.schema(
        [
            ("member_id", pa.string()),
            ("joined_on", pa.date32()),
            ("birth_year", pa.int64()),
            ("gender", pa.string()),
        ]
    )
    return pa.Table.from_pylist(rows, schema)


def _titles(
    titles: Sequence[Mapping[str, Any]],
    ids: Ids,
    themes: Mapping[str, list[str]],
    columns: Mapping[str, pa.DataType],
) -> pa.Table:
    lists = pa.list_(pa.string())
    schema = pa.schema(
        [
            ("title_id", pa.string()),
            ("name", pa.string()),
            ("title_kind", pa.string()),
            ("released_on", pa.date32()),
            ("genres", lists),
            ("themes", lists),
            ("directors", lists),
            ("actors", lists),
            *columns.items(),
        ]
    )
    rows = [
        {"title_kind": "movie"}
        | dict(title)
        | {
            "title_id": ids.title % int(title["title_id"]),
            "themes": themes.get(title["title_id"]),
        }
        for title in sorted(titles, key=lambda title: int(title["title_id"]))
    ]
    return pa.Table.from_pylist(rows, schema)


def _carry_forward(home: Path) -> list[Path]:
    """Let each set's snapshot be there on the days of another set's later ones.

    A snapshot is everything under one `dt`: a title that is absent from the newest is retired, and
    one set must not retire the other's.
    """
    carried: list[Path] = []
    for stream in ("titles", "members"):
        days = sorted((home / "landing" / stream).glob("dt=*"))
        for name in ("movielens", "movietweetings", "kion"):
            newest: Path | None = None
            for day in days:
                path = day / f"{name}.parquet"
                if path.exists():
                    newest = path
                elif newest is not None:
                    landed_on = date.fromisoformat(day.name.removeprefix("dt="))
                    copy = partial(_copy, newest)
                    carried.append(place(home, stream, landed_on, path.name, copy))
    return carried


def _copy(path: Path, draft: Path) -> None:
    try:
        draft.write_bytes(durable.read_plain(path.parents[2], path.parts[-3:]))
    except durable.NotPlainError as error:
        raise DataError(f"{path} is {error}: land a copy") from None
