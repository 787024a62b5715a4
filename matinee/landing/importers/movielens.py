"""MovieLens in all the layouts it was ever given out in, told apart by which files are there.

============  ==========================================  ================================
layout        ratings                                     films
============  ==========================================  ================================
100k          u.data, tabs                                u.item, |, latin-1, u.user
recbole       ml-100k.inter, tabs                         .item, .user, .kg and .link
1m            ratings.dat, ::                             movies.dat, latin-1, users.dat
10m           ratings.dat, :: and half stars              movies.dat, tags.dat
csv           ratings.csv (latest, 20M, 25M, 32M)         movies.csv, tags.csv
============  ==========================================  ================================
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from matinee.errors import DataError
from matinee.landing.importers.history import (
    Ids,
    Imported,
    first_of_year,
    land,
    put_article_first,
    split_year,
)
from matinee.landing.importers.ratings import Ratings, staged
from matinee.landing.importers.set_files import Problems, csv_fields, lines, unix_second
from matinee.progress import Progress

IDS = Ids(name="movielens", member="ml-%s", title="ml-%d")

THEME_TITLES = 3
"""A tag becomes a theme when this many titles have it: fewer say nothing about another title."""
THEMES_A_TITLE = 20

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
COLLECTED_100K, COLLECTED_1M = 1998, 2000
"""When people gave their ages."""
GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
NO_GENRES = {"", "unknown", "(no genres listed)"}

Film = tuple[int, str, str, date | None, list[str]]
"""Line, number, name, first day of release, genres."""
Titles = list[dict[str, Any]]
People = dict[str, dict[str, Any]]
ReadFilms = Callable[[Path, Problems], tuple[Titles, People]]


def import_movielens(path: Path, *, home: Path, progress: Progress | None = None) -> Imported:
    """Land the MovieLens set in the folder `path`.

    Stars are doubled to 0 to 10, ids become `ml-<number>`.

    Raises
    ------
    DataError
        When the folder has no known layout, or not one rating can be read.
    """
    layout, ratings, read_films = _detect(path)
    problems = Problems()
    with staged(ratings, problems) as connection:
        titles, people = read_films(path, problems)
        return land(
            connection,
            home=home,
            ids=IDS,
            layout=layout,
            titles=titles,
            people=people,
            themes=_Tags(path, problems).themes_by,
            problems=problems,
            progress=progress,
        )


def _detect(path: Path) -> tuple[str, Ratings, ReadFilms]:
    def ratings(name: str, separator: str, header: str | None = None) -> Ratings:
        return Ratings(path / name, separator, header, minimum=0.5, maximum=5, scale=2)

    inter = sorted(path.glob("*.inter"))
    if (path / "u.data").exists() and (path / "u.item").exists():
        return "100k", ratings("u.data", "\t"), _films_100k
    if inter and inter[0].with_suffix(".item").exists():
        header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
        return "recbole", ratings(inter[0].name, "\t", header), _films_recbole
    if (path / "ratings.dat").exists() and (path / "movies.dat").exists():
        layout = "1m" if (path / "users.dat").exists() else "10m"
        return layout, ratings("ratings.dat", "::"), _films_dat
    if (path / "ratings.csv").exists() and (path / "movies.csv").exists():
        return "csv", ratings("ratings.csv", ",", "userId,movieId,rating,timestamp"), _films_csv
    raise DataError(
        f"no MovieLens in {path}: looked for u.data with u.item, *.inter with *.item,"
        " ratings.dat with movies.dat, and ratings.csv with movies.csv"
    )


# ---------- films and people of each layout


def _films_100k(path: Path, problems: Problems) -> tuple[Titles, People]:
    def films(item: Path) -> Iterator[Film]:
        for line, (number, full_name, day, _, _, *flags) in _fields(item, "|", 24, problems):
            name, year = split_year(full_name)
            genres = [g for g, flag in zip(GENRES_100K, flags, strict=True) if flag == "1"]
            yield line, number, name, _day(day) or year, genres

    people = _fields(path / "u.user", "|", 5, problems)
    return (
        _titles(path / "u.item", films(path / "u.item"), problems),
        _people(path / "u.user", people, problems),
    )


def _films_recbole(path: Path, problems: Problems) -> tuple[Titles, People]:
    base = sorted(path.glob("*.inter"))[0]
    item, user = base.with_suffix(".item"), base.with_suffix(".user")

    def films() -> Iterator[Film]:
        for line, (number, name, year, genres) in _fields(item, "\t", 4, problems, skip=1):
            yield line, number, name, first_of_year(year), genres.split()

    credits = _credits(base, problems)
    titles = [
        title | credits.get(title["title_id"], {}) for title in _titles(item, films(), problems)
    ]
    return titles, _people(user, _fields(user, "\t", 5, problems, skip=1), problems)


def _credits(base: Path, problems: Problems) -> dict[str, dict[str, list[str]]]:
    """Directors and actors of each film from the knowledge graph; its ids stand for names."""
    entities = {
        entity: number
        for _, (number, entity) in _fields(base.with_suffix(".link"), "\t", 2, problems, skip=1)
    }
    columns = {"film.film.directed_by": "directors", "film.film.actor": "actors"}
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _, (head, relation, tail) in _fields(base.with_suffix(".kg"), "\t", 3, problems, skip=1):
        if relation in columns and head in entities:
            found[entities[head]][columns[relation]].add(tail)
    return {
        number: {column: sorted(names) for column, names in people.items()}
        for number, people in found.items()
    }


def _films_dat(path: Path, problems: Problems) -> tuple[Titles, People]:
    movies = path / "movies.dat"
    films = (
        (line, number, *split_year(name), genres.split("|"))
        for line, (number, name, genres) in _fields(movies, "::", 3, problems)
    )
    people: People = {}
    for _, (number, gender, age, *_) in _fields(path / "users.dat", "::", 5, problems):
        # An age here is the least of a bracket, and 1 is everyone under 18: no year of birth.
        born = COLLECTED_1M - int(age) if age.isdecimal() and int(age) >= 18 else None
        people[number] = {"gender": gender or None, "birth_year": born}
    return _titles(movies, films, problems), people


def _films_csv(path: Path, problems: Problems) -> tuple[Titles, People]:
    movies = path / "movies.csv"
    films = (
        (line, number, *split_year(name), genres.split("|"))
        for line, (number, name, genres) in csv_fields(movies, 3, problems)
    )
    return _titles(movies, films, problems), {}


def _titles(path: Path, films: Iterable[Film], problems: Problems) -> Titles:
    titles = []
    for line, number, name, released_on, genres in films:
        if not number.isdecimal() or not name:
            problems.add(path, line, f"not a film: {number!r}, {name[:60]!r}")
            continue
        titles.append(
            {
                "title_id": number,
                "name": put_article_first(name),
                "released_on": released_on,
                "genres": [genre for genre in genres if genre not in NO_GENRES],
            }
        )
    return titles


def _people(path: Path, rows: Iterable[tuple[int, list[str]]], problems: Problems) -> People:
    people: People = {}
    for line, (number, age, gender, *_) in rows:
        if number.isdecimal() and age.isdecimal():
            people[number] = {"gender": gender or None, "birth_year": COLLECTED_100K - int(age)}
        else:
            problems.add(path, line, f"not a person: {number!r} of age {age!r}")
    return people


def _day(text: str) -> date | None:
    """`01-Jan-1995` as a date."""
    match = re.fullmatch(r"(\d{1,2})-([A-Z][a-z]{2})-(\d{4})", text)
    if match is None or match[2] not in MONTHS:
        return None
    try:
        return date(int(match[3]), MONTHS.index(match[2]) + 1, int(match[1]))
    except ValueError:
        return None


# ---------- lines of fields


def _fields(
    path: Path, separator: str, width: int, problems: Problems, *, skip: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line of an optional file; other widths are problems."""
    if not path.exists():
        return
    for line, text in lines(path):
        fields = text.split(separator)
        if line <= skip or not text:
            continue
        if len(fields) == width:
            yield line, fields
        else:
            problems.add(path, line, f"{len(fields)} fields where {width} are asked: {text[:80]!r}")


class _Tags:
    """What members said titles are about, as far as they had by an instant."""

    def __init__(self, path: Path, problems: Problems) -> None:
        dat, table = path / "tags.dat", path / "tags.csv"
        rows = _fields(dat, "::", 4, problems) if dat.exists() else csv_fields(table, 4, problems)
        self.said: list[tuple[int, str, str]] = []
        for line, (_, number, tag, time) in rows:
            theme = " ".join(tag.lower().split())
            second = unix_second(time)
            if second is not None and number.isdecimal() and theme:
                self.said.append((second, number, theme))
            else:
                problems.add(dat if dat.exists() else table, line, f"not a tag: {tag[:60]!r}")
        self.said.sort()

    def themes_by(self, instant: datetime) -> Mapping[str, list[str]]:
        """Themes by title: the most often said first, then by name."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        limit = instant.timestamp()
        for _, number, theme in takewhile(lambda said: said[0] < limit, self.said):
            counts[number][theme] += 1
        spread = Counter(theme for themes in counts.values() for theme in themes)
        found = {
            number: sorted(
                (theme for theme in themes if spread[theme] >= THEME_TITLES),
                key=lambda theme: (-themes[theme], theme),
            )[:THEMES_A_TITLE]
            for number, themes in counts.items()
        }
        return {number: themes for number, themes in found.items() if themes}
