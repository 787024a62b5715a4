"""`matinee simulate`: raw logs of a simulated service, or a day of its members at a real one."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from matinee.cli.output import Format, emit, progress, say_lines
from matinee.errors import ConfigError

EXAMPLE = "Example: matinee simulate --members 2000 --days 90 --seed 7"

MEMBERS, TITLES, DAYS, SEED = 600, 1500, 60, 1


def simulate(
    members: Annotated[
        int | None,
        typer.Option(
            min=1, max=10**8, help=f"Members on the first day, {MEMBERS}. With --play: at most."
        ),
    ] = None,
    titles: Annotated[
        int | None, typer.Option(min=1, max=10**7, help=f"Titles on the first day, {TITLES}.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3660, help=f"Days of logs, {DAYS}; more only adds days."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**31 - 1,
            help=f"The same seed gives the same bytes, {SEED}. With --play: the choices of the "
            "day; tastes stay those of the simulated logs.",
        ),
    ] = None,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing if logs have landed already.")
    ] = False,
    play: Annotated[
        str | None,
        typer.Option(
            help="Play the members for a day at a running `matinee serve --now` of this address."
        ),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(help="With --play: the day. Default: the one after the simulated logs."),
    ] = None,
) -> None:
    """Write the raw logs of a simulated service into the landing zone.

    With --play, its members use a running server instead: they see its pages, click, watch, rate
    and search by their planted tastes, and the events land by its API.
    """
    from matinee import pipeline
    from matinee.settings import Settings

    home = Settings().home
    if play is not None:
        _play(play, day, members=members, seed=seed, others=(titles, days, if_empty or None))
        return
    if day is not None:
        raise ConfigError("--day needs --play: the day that members play at a server")
    landing = home / "landing"
    if if_empty and landing.is_dir() and any(landing.iterdir()):
        return
    with progress("simulate a service") as step:
        simulated = pipeline.simulate(
            home.resolve(),
            members=MEMBERS if members is None else members,
            titles=TITLES if titles is None else titles,
            days=DAYS if days is None else days,
            seed=SEED if seed is None else seed,
            progress=step,
        )
    say_lines(simulated.summary())


def _play(
    url: str, day: str | None, *, members: int | None, seed: int | None, others: tuple[object, ...]
) -> None:
    from matinee import pipeline
    from matinee.settings import Settings

    if any(one is not None for one in others):
        raise ConfigError("--titles, --days and --if-empty are of simulated logs: not with --play")
    try:
        on = None if day is None else date.fromisoformat(day)
    except ValueError:
        raise ConfigError(f"--day must be a day like 2026-01-31, got {day!r}") from None
    with progress("play a day") as step:
        played = pipeline.play(
            Settings().home.resolve(), url, day=on, members=members, seed=seed, progress=step
        )
    emit(played.shelves(), Format.table)
    say_lines(played.summary())
