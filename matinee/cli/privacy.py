"""What members may ask for: to be forgotten."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, talk

Members = Annotated[list[str], typer.Argument(help="Member ids.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the top of the command line."""
    app.command(epilog="Example: matinee forget m-000017")(forget)


def forget(
    members: Members,
    by: Annotated[str, typer.Option(help="Who asked. Default: your login name.")] = "",
    form: FormatOption = Format.table,
) -> None:
    """Remove members from every file under MATINEE_HOME, and prove it with a receipt."""
    from dataclasses import asdict

    from matinee import pipeline
    from matinee.settings import Settings

    with progress("forget") as step:
        receipt, path = pipeline.forget(
            Settings(), members, by=by or getpass.getuser(), progress=step
        )
    if form is Format.json:
        emit_one(asdict(receipt), form)
        return
    emit(receipt.rows(), form, title="rows that named them")
    for moved in receipt.releases:
        talk.print(f"release {moved['before']} is now {moved['after'] or 'removed'}")
    talk.print(
        f"searched {receipt.files_searched:,} files and found nothing; the search saw all "
        f"{receipt.control_planted} planted files. Receipt: {path}",
        markup=False,
        soft_wrap=True,
    )
    talk.print("Sums that counted them are built again by the next `matinee run`.")
