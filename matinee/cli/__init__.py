"""The command line. Every command calls one function of the package and prints the result.

Engines are imported inside commands, so that `matinee --help` takes less than a second.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import (
    ablate,
    audience,
    copies,
    dp_counts,
    explain,
    features,
    history,
    importing,
    insights,
    logs,
    mapping,
    privacy,
    project,
    quality,
    releases,
    serve,
    simulate,
)
from matinee.cli.output import Format, FormatOption, emit, emit_one, say
from matinee.errors import ConfigError, InterruptError, MatineeError, StorageError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog=ablate.EXAMPLE)(ablate.ablate)
app.command(epilog=explain.EXAMPLE)(explain.explain)
app.command(epilog=quality.BENCHMARK)(quality.benchmark)
app.command(epilog=quality.TUNE)(quality.tune)
app.command(epilog=dp_counts.EXAMPLE)(dp_counts.dp_counts)
app.command(epilog=history.NOTIFY)(history.notify)
app.add_typer(history.app, name="nights")
app.command(epilog=audience.AUDIENCE)(audience.audience)
app.command(epilog=audience.BRIEF)(audience.brief)
app.add_typer(features.app, name="features")
app.command(epilog=simulate.EXAMPLE)(simulate.simulate)
app.command(epilog=project.INIT)(project.init)
app.command(epilog=project.UPGRADE)(project.upgrade)
app.command("map", epilog=mapping.EXAMPLE)(mapping.map_file)
app.add_typer(importing.app, name="import")
app.command(epilog=serve.SERVE)(serve.serve)
app.add_typer(serve.tokens, name="tokens")
app.add_typer(insights.app, name="insights")
app.add_typer(releases.app, name="releases")
privacy.register(app)
copies.register(app)
logs.register(app)


def _version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(version("matinee"))
        raise typer.Exit


MINUTE = timedelta(minutes=1)

ContextOption = Annotated[
    str,
    typer.Option(help="next_visit: the days after the night; session: right after the last title."),
]


@app.callback()
def options(
    is_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """From a streaming service's raw logs to published, versioned recommendations."""
    from matinee.settings import unknown_variables

    for warning in unknown_variables(os.environ):
        say(f"matinee: {warning}")


def main() -> None:
    """Run the command line; every error is one line on stderr and an exit code (`errors.py`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal of another encoding, or bytes of a path
            stream.reconfigure(errors="backslashreplace")
    try:
        _refuse_other_bytes(sys.argv[1:])
        app()
    except MatineeError as error:
        say(f"matinee: {error}")
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == InterruptError.exit_code:
            say("matinee: interrupted")
        raise
    except OSError as error:  # a home that cannot be read or written
        where = f"{error.filename}: " if error.filename else ""
        message = f"matinee: {where}{error.strerror or error}; check the disk and its permissions"
        say(message)
        sys.exit(StorageError.exit_code)


def _refuse_other_bytes(arguments: list[str]) -> None:
    """Refuse an argument that is not UTF-8: no id or path of ours has such bytes."""
    for number, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise ConfigError(
                f"argument {number} is not UTF-8: {os.fsencode(argument)!r}; write it in UTF-8"
            ) from None


def day(text: str | None, option: str = "--as-of") -> date | None:
    """Parse a date argument; None stays None."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} must be a day like 2026-01-31, got {text!r}") from None


def age(text: str) -> timedelta:
    """Parse an age such as 26h, 90m or 2d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", text.strip())
    if not match:
        raise ConfigError(f"--live-max-age must be an age like 26h, 90m or 2d, got {text!r}")
    return float(match[1]) * {"m": MINUTE, "h": 60 * MINUTE, "d": 1440 * MINUTE}[match[2]]


@app.command(epilog="Example: matinee run --as-of 2026-02-28")
def run(
    as_of: Annotated[
        str | None,
        typer.Option(help="The last day of data. Default: the newest landed day."),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build every table from all received rows.")
    ] = False,
    full_evaluation: Annotated[
        bool,
        typer.Option("--full-evaluation", help="Evaluate every model, and choose weights anew."),
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
            "--accept-volume", help="Continue although far more or fewer rows landed than usual."
        ),
    ] = False,
    accept_erasures: Annotated[
        bool,
        typer.Option(
            "--accept-erasures", help="Erase although more than 5 % of members request it at once."
        ),
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """Run a night in this process, without Prefect, and publish a release.

    With --from, run a night for each day of the range, in order.
    """
    from matinee.cli import nights
    from matinee.settings import Settings

    begins, ends = day(first, "--from"), day(last, "--to")
    if begins is None:
        if ends is not None:
            raise ConfigError("--to needs --from: the first day of the range")
        options = {"volume": accept_volume, "erasures": accept_erasures}
        accepted = frozenset(name for name, is_set in options.items() if is_set)
        nights.run(
            Settings(),
            day(as_of),
            full_refresh=full_refresh,
            form=form,
            accepted=accepted,
            full_evaluation=full_evaluation,
        )
    elif accept_volume or accept_erasures or full_evaluation:
        option = "--accept-volume" if accept_volume else "--accept-erasures"
        option = "--full-evaluation" if full_evaluation else option
        raise ConfigError(f"{option} is for one night: not with --from")
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


@app.command(epilog="Example: matinee recommend m-000017 --k 5")
def recommend(
    member: Annotated[str, typer.Argument(help="A member id.")],
    k: Annotated[int, typer.Option(min=1, max=10_000, help="How many titles.")] = 10,
    release: Annotated[str, typer.Option(help="A release id or alias.")] = "live",
    context: ContextOption = "next_visit",
    form: FormatOption = Format.table,
) -> None:
    """Print one member's slate, best first, with a reason for each title."""
    from matinee import pipeline
    from matinee.settings import Settings

    rows = pipeline.recommend(Settings(), member, k=k, release=release, context=context)
    emit(rows, form, title=member)


@app.command(epilog="Example: matinee slates --context session --output session.parquet")
def slates(
    output: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    context: ContextOption = "next_visit",
    release: Annotated[
        str, typer.Option(help="A release id or alias. Default: live, else candidate.")
    ] = "",
) -> None:
    """Every member's slate as a Parquet file: member_id, rank from 1, title_id."""
    from matinee import pipeline
    from matinee.settings import Settings

    count = pipeline.slates(Settings(), output, context=context, release=release)
    say(f"{count:,} members' slates in {output}")


@app.command(epilog="Example: matinee similar 'The Matrix'")
def similar(
    title: Annotated[str, typer.Argument(help="A title id, or a name.")],
    k: Annotated[int, typer.Option(min=1, max=10_000, help="How many titles.")] = 10,
    release: Annotated[str, typer.Option(help="A release id or alias.")] = "live",
    form: FormatOption = Format.table,
) -> None:
    """Print the titles nearest to one title in the model of a release."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit(pipeline.similar(Settings(), title, k=k, release=release), form, title=title)


@app.command(epilog="Example: matinee doctor --format json")
def doctor(
    of_landing: Annotated[
        bool,
        typer.Option("--landing", help="List every landing file that was not received, and why."),
    ] = False,
    live_max_age: Annotated[
        str, typer.Option(help="Exit with code 3 if live is older, as in 26h, 90m or 2d.")
    ] = "",
    form: FormatOption = Format.table,
) -> None:
    """Print versions, paths, the warehouse and the live release, for a bug report.

    With --live-max-age, check the age of live, and notify the targets of notify.yml when that
    changes. Nothing is printed if it is in order.
    """
    from matinee import pipeline
    from matinee.settings import Settings

    if live_max_age:
        now, limit = datetime.now(UTC), age(live_max_age)
        pipeline.live_age(Settings(), now=now, limit=limit, tell=say)
        pipeline.check_live_age(Settings(), limit, now=now)
        return

    if of_landing:
        emit(pipeline.unreceived(Settings()), form, title="not received")
        return
    emit_one(pipeline.doctor(Settings()), form)


@app.command(epilog="Example: matinee docs")
def docs() -> None:
    """Build the dbt documentation site and print its path."""
    from matinee import pipeline
    from matinee.settings import Settings

    path: Path = pipeline.docs(Settings())
    typer.echo(path)
