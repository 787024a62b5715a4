"""MovieTweetings: ratings of 0 to 10 posted by people who post rarely, on IMDb's ids."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee.errors import DataError
from matinee.landing.importers.history import (
    Ids,
    Imported,
    land,
    split_year,
)
from matinee.landing.importers.ratings import Ratings, staged
from matinee.landing.importers.set_files import Problems, lines
from matinee.progress import Progress

IDS = Ids(name="movietweetings", member="mt-%s", title="tt%07d")


def import_movietweetings(path: Path, *, home: Path, progress: Progress | None = None) -> Imported:
    """Land the set in the folder `path`; values stay as they are, ids become `mt-` and `tt`.

    `users.dat`, which ties numbers to accounts elsewhere, is not read.

    Raises
    ------
    DataError
        When the folder has no ratings.dat with movies.dat, or not one rating can be read.
    """
    if not (path / "ratings.dat").exists() or not (path / "movies.dat").exists():
        raise DataError(f"no MovieTweetings in {path}: looked for ratings.dat with movies.dat")
    problems = Problems()
    ratings = Ratings(path / "ratings.dat", "::", None, minimum=0, maximum=10, scale=1)
    with staged(ratings, problems) as connection:
        return land(
            connection,
            home=home,
            ids=IDS,
            layout="movietweetings",
            titles=_titles(path / "movies.dat", problems),
            people={},
            themes=_no_themes,
            problems=problems,
            progress=progress,
        )


def _titles(path: Path, problems: Problems) -> list[dict[str, Any]]:
    titles = []
    for line, text in lines(path):
        fields = text.split("::")
        if len(fields) != 3 or not fields[0].isdecimal():
            problems.add(path, line, f"not a film: {text[:80]!r}")
            continue
        name, released_on = split_year(fields[1])
        genres = [genre for genre in fields[2].split("|") if genre]
        titles.append(
            {"title_id": fields[0], "name": name, "released_on": released_on, "genres": genres}
        )
    return titles


def _no_themes(instant: datetime) -> Mapping[str, list[str]]:
    return {}
