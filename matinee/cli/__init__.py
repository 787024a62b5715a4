"""The command line. Every command calls one function of `pipeline` or opens a release, and prints.

Engines are imported inside commands: `matinee --help` must answer within a second.
"""

from __future__ import annotations

import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import ablate, explain, importing, logs, privacy, quality, releases, trends
from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, talk
from matinee.errors import ConfigError, InterruptError, MatineeError, StorageError, spelt

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog=ablate.EXAMPLE)(ablate.ablate)
app.command(epilog=explain.EXAMPLE)(explain.explain)
app.command(epilog=quality.BENCHMARK)(quality.benchmark)
app.command(epilog=quality.TUNE)(quality.tune)
app.command(epilog=trends.EXAMPLE)(trends.trends)
app.add_typer(importing.app, name="import")
app.add_typer(releases.app, name="releases")
privacy.register(app)
logs.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("matinee"))
        raise typer.Exit


@app.callback()
def options(
    is_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print it and exit."),
    ] = False,
) -> None:
    """From a streaming service's raw logs to published, versioned recommendations."""


def main() -> None:
    """Run the command line; every refusal is one line on stderr and an exit code (`errors.py`)."""
    try:
        app()
    except MatineeError as error:
        talk.print(f"matinee: {spelt(str(error))}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == InterruptError.exit_code:
            talk.print("matinee: interrupted")
        raise
    except OSError as error:  # a home that cannot be read or written, wherever it was first touched
        where = f"{error.filename}: " if error.filename else ""
        told = f"matinee: {where}{error.strerror or error}; check the disk and its rights"
        talk.print(told, markup=False, soft_wrap=True)
        sys.exit(StorageError.exit_code)


def day(text: str | None, option: str = "--as-of") -> date | None:
    """A day of the calendar, as a command line argument."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} must be a day like 2026-01-31, got {text!r}") from None


@app.command(epilog="Example: matinee run --as-of 2026-02-28")
def run(
    as_of: Annotated[
        str | None,
        typer.Option(help="The last day that counts. Default: the newest landed day."),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build every table from all received logs.")
    ] = False,
    first: Annotated[
        str | None, typer.Option("--from", help="Backfill: the first day of a range of nights.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Its last day. Default: the newest landed day.")
    ] = None,
    accept_volume: Annotated[
        bool,
        typer.Option(
            "--accept-volume", help="Go on though far more or fewer rows landed than usual."
        ),
    ] = False,
    accept_erasures: Annotated[
        bool,
        typer.Option(
            "--accept-erasures", help="Erase though more than one in twenty members ask at once."
        ),
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """Run the night here and now, without Prefect, and publish a release.

    With --from, a night for each day of the range, in order.
    """
    from matinee.cli import nights
    from matinee.settings import Settings

    begins, ends = day(first, "--from"), day(last, "--to")
    if begins is None:
        if ends is not None:
            raise ConfigError("--to needs --from: the first day of the range")
        asked = {"volume": accept_volume, "erasures": accept_erasures}
        accepted = frozenset(name for name, is_accepted in asked.items() if is_accepted)
        nights.run(Settings(), day(as_of), full_refresh=full_refresh, form=form, accepted=accepted)
    elif accept_volume or accept_erasures:
        option = "--accept-volume" if accept_volume else "--accept-erasures"
        raise ConfigError(f"{option} is said of one night: not with --from")
    elif as_of is not None:
        raise ConfigError("--as-of and --from exclude each other: one night, or a range of them")
    else:
        nights.backfill(
            Settings(),
            begins,
            ends,
            full_refresh=full_refresh,
            form=form,
        )


@app.command(epilog="Example: matinee simulate --members 2000 --days 90 --seed 7")
def simulate(
    members: Annotated[int, typer.Option(min=1, help="Members on the first day.")] = 600,
    titles: Annotated[int, typer.Option(min=1, help="Titles on the first day.")] = 1500,
    days: Annotated[int, typer.Option(min=1, help="Days of logs; more days only add.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed writes the same bytes.")] = 1,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing when logs have landed already.")
    ] = False,
) -> None:
    """Write the raw logs of an invented service into the landing zone."""
    from matinee import pipeline
    from matinee.settings import Settings

    settings = Settings()
    landing = settings.home / "landing"
    if if_empty and landing.is_dir() and any(landing.iterdir()):
        return
    with progress("simulate a service") as step:
        simulated = pipeline.simulate(
            settings.home.resolve(),
            members=members,
            titles=titles,
            days=days,
            seed=seed,
            progress=step,
        )
    talk.print(simulated.summary(), markup=False)


@app.command(epilog="Example: matinee recommend m-000017 --k 5")
def recommend(
    member: Annotated[str, typer.Argument(help="A member id.")],
    k: Annotated[int, typer.Option(min=1, help="How many titles.")] = 10,
    release: Annotated[str, typer.Option(help="A release id or alias.")] = "live",
    form: FormatOption = Format.table,
) -> None:
    """One member's slate, best first, with a reason for each title."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit(pipeline.recommend(Settings(), member, k=k, release=release), form, title=member)


@app.command(epilog="Example: matinee similar 'The Matrix'")
def similar(
    title: Annotated[str, typer.Argument(help="A title id, or a name.")],
    k: Annotated[int, typer.Option(min=1, help="How many titles.")] = 10,
    release: Annotated[str, typer.Option(help="A release id or alias.")] = "live",
    form: FormatOption = Format.table,
) -> None:
    """The titles nearest to one title in the model of a release."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit(pipeline.similar(Settings(), title, k=k, release=release), form, title=title)


@app.command(epilog="Example: matinee doctor --format json")
def doctor(
    of_landing: Annotated[
        bool,
        typer.Option("--landing", help="Every landing file that was not received, and why."),
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """Versions, paths, the warehouse and the live release: paste this into an issue."""
    from matinee import pipeline
    from matinee.settings import Settings

    if of_landing:
        emit(pipeline.unreceived(Settings()), form, title="not received")
        return
    emit_one(pipeline.doctor(Settings()), form)


@app.command(epilog="Example: matinee docs")
def docs() -> None:
    """Build the dbt documentation site and print where it is."""
    from matinee import pipeline
    from matinee.settings import Settings

    path: Path = pipeline.docs(Settings())
    typer.echo(path)
