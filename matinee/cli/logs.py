"""`matinee receive`, `rejected` and `replay`: raw logs in, back out, and rejected rows."""

from __future__ import annotations

from typing import Annotated

import typer

from matinee.cli.nights import print_lines
from matinee.cli.output import Format, FormatOption, emit, progress, say, say_lines

LONGEST_TEXT = 120

StreamOption = Annotated[str | None, typer.Option(help="Only rows of this stream.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the top of the command line."""
    app.command(epilog="Example: matinee receive --withdraw plays/dt=2026-03-01/a.csv")(receive)
    app.command(epilog="Example: matinee rejected --stream plays --rule missing_field")(rejected)
    app.command(epilog="Example: matinee replay --stream plays && matinee run")(replay)


def receive(
    withdraw: Annotated[
        list[str] | None,
        typer.Option(help="Take a received file back first; its name is the one below landing/."),
    ] = None,
    accept_erasures: Annotated[
        bool,
        typer.Option(
            "--accept-erasures", help="Erase though more than one in twenty members ask at once."
        ),
    ] = False,
) -> None:
    """Take in what has landed, and nothing else of a night. A file is taken back with its rows."""
    from matinee import pipeline
    from matinee.settings import Settings

    settings = Settings()
    with pipeline.lease(settings, "receive"), progress("receive raw logs") as step:
        pipeline.receive(
            settings,
            step,
            accepted=frozenset({"erasures"} if accept_erasures else ()),
            withdraw=withdraw or (),
            tell=print_lines,
        )
    say("The next `matinee run` updates the tables.")


def rejected(
    stream: StreamOption = None,
    rule: Annotated[
        str | None, typer.Option(help="Only this rule; `missing_field` matches any column.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10**6, help="How many rows to list.")] = 20,
    form: FormatOption = Format.table,
) -> None:
    """List rejected rows: file, line, rule and text, newest first."""
    from matinee import pipeline
    from matinee.settings import Settings

    result = pipeline.rejected(Settings(), stream=stream, rule=rule, limit=limit)
    rows = result.rows
    if form is Format.table:
        rows = [row | {"raw_text": _cut(row["raw_text"])} for row in rows]
    if rows:
        emit(rows, form)
    elif form is Format.json:
        emit([], form)
    say_lines(result.summary())


def replay(stream: StreamOption = None) -> None:
    """Validate rejected rows again, after a change of the contract (`__sources.yml`).

    Rows of unknown titles or members need no replay: each night validates them again.
    """
    from matinee import pipeline
    from matinee.settings import Settings

    replayed = pipeline.replay(Settings(), stream=stream)
    print_lines(replayed.summary())
    if any(replayed.kept.values()):
        say("The accepted rows are in the tables after the next `matinee run`.")


def _cut(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
