"""`matinee nights` and `matinee notify`: what happened, and to whom it is said."""

from __future__ import annotations

from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, say
from matinee.errors import StorageError

NOTIFY = "Example: matinee notify"
NIGHTS = "Example: matinee nights"

app = typer.Typer(help="How the last nights ended, and why.", epilog=NIGHTS)


@app.callback(invoke_without_command=True)
def nights(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=400, help="How many nights.")] = 14,
    form: FormatOption = Format.table,
) -> None:
    """List the last nights, newest first: how each ended, and why."""
    if context.invoked_subcommand is None:
        from matinee import pipeline
        from matinee.settings import Settings

        emit(pipeline.list_nights(Settings(), limit), form, title="nights")


@app.command(epilog="Example: matinee nights show last")
def show(
    night: Annotated[str, typer.Argument(help="The id of a night, its start, or last.")] = "last",
    form: FormatOption = Format.table,
) -> None:
    """What one night did: steps, warnings, files set aside, cause, next command."""
    from matinee import pipeline
    from matinee.settings import Settings

    record = pipeline.record_of(Settings(), night)
    if form is Format.json:
        emit_one(record, form)
        return
    lists = {name: value for name, value in record.items() if isinstance(value, list)}
    emit_one({k: v for k, v in record.items() if k not in lists and v is not None}, form)
    for name in ("steps", "failed_rules", "warned_rules", "set_aside"):
        if lists[name]:
            emit(lists[name], form, title=name.replace("_", " "))
    if lists["warnings"]:
        emit([{"warning": one} for one in lists["warnings"]], form)


def notify(form: FormatOption = Format.table) -> None:
    """Send a test message to each target of notify.yml; exit code 6 if one did not take it."""
    from matinee import pipeline
    from matinee.settings import Settings

    results = pipeline.send_test(Settings())
    emit(results, form)
    if failed := [one["target"] for one in results if one["result"] != "sent"]:
        raise StorageError(f"target {', '.join(failed)} did not take the message")
    say("every target took the message")
