"""`matinee import`: converts public datasets to landing files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import progress, say, say_lines
from matinee.errors import ConfigError

app = typer.Typer(help="Convert a public dataset to landing files.", no_args_is_help=True)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ConfigError(f"no folder {path}: give the folder of the unpacked dataset")
    return path


Source = Annotated[Path, typer.Argument(help="The folder of the dataset.", callback=_folder)]

PROBLEMS_SHOWN = 20


@app.command(epilog="Example: matinee import movielens ~/ml-latest-small")
def movielens(path: Source) -> None:
    """Import MovieLens 100K, 1M, 10M, 20M, 25M, 32M or latest; the layout is detected."""
    from matinee.landing import import_movielens
    from matinee.settings import Settings

    with progress("import MovieLens") as step:
        imported = import_movielens(path, home=Settings().home.resolve(), progress=step)
    _print_summary(imported.summary(), imported.problems)


@app.command(epilog="Example: matinee import movietweetings ~/movietweetings/latest")
def movietweetings(path: Source) -> None:
    """Import MovieTweetings: ratings.dat and movies.dat."""
    from matinee.landing import import_movietweetings
    from matinee.settings import Settings

    with progress("import MovieTweetings") as step:
        imported = import_movietweetings(path, home=Settings().home.resolve(), progress=step)
    _print_summary(imported.summary(), imported.problems)


@app.command(epilog="Example: matinee import kion ~/kion/data_original")
def kion(path: Source) -> None:
    """Import KION: interactions.csv, items.csv and, if there, users.csv."""
    from matinee.landing import import_kion
    from matinee.settings import Settings

    with progress("import KION") as step:
        imported = import_kion(path, home=Settings().home.resolve(), progress=step)
    _print_summary(imported.summary(), imported.problems)


File = Annotated[Path, typer.Argument(help="The exported file.")]


@app.command(epilog="Example: matinee import netflix ViewingActivity.csv")
def netflix(path: File) -> None:
    """Import ViewingActivity.csv of a Netflix data request: one member a profile."""
    from matinee.landing.importers.personal import import_netflix
    from matinee.settings import Settings

    imported = import_netflix(path, home=Settings().home.resolve())
    _print_summary(imported.summary(), imported.problems)


@app.command(epilog="Example: matinee import trakt history.json --member ada")
def trakt(
    path: File, member: Annotated[str, typer.Option(help="Whose history it is.")] = "me"
) -> None:
    """Import a history of Trakt, as JSON."""
    from matinee.landing.importers.personal import import_trakt
    from matinee.settings import Settings

    imported = import_trakt(path, home=Settings().home.resolve(), member=member)
    _print_summary(imported.summary(), imported.problems)


@app.command(epilog="Example: matinee import jellyfin PlaybackReportingBackup.tsv")
def jellyfin(path: File) -> None:
    """Import a backup of Jellyfin's Playback Reporting plugin."""
    from matinee.landing.importers.personal import import_jellyfin
    from matinee.settings import Settings

    imported = import_jellyfin(path, home=Settings().home.resolve())
    _print_summary(imported.summary(), imported.problems)


@app.command(epilog="Example: matinee import lastfm userid-timestamp-artid-artname.tsv")
def lastfm(path: File) -> None:
    """Import plays of Last.fm: user, time, artist id, artist, track id, track."""
    from matinee.landing.importers.personal import import_lastfm
    from matinee.settings import Settings

    imported = import_lastfm(path, home=Settings().home.resolve())
    _print_summary(imported.summary(), imported.problems)


def _print_summary(summary: str, problems: Sequence[str]) -> None:
    say_lines(summary)
    for problem in problems[:PROBLEMS_SHOWN]:
        say(f"  {problem}")
    if len(problems) > PROBLEMS_SHOWN:
        say(f"  and {len(problems) - PROBLEMS_SHOWN:,} more lines that could not be read")
