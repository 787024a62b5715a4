"""What members may ask for: to be forgotten, to know, to say no."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, talk

Members = Annotated[list[str], typer.Argument(help="Member ids.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the top of the command line."""
    app.command(epilog="Example: matinee forget m-000017")(forget)
    example = "Example: matinee consent m-000017 --purpose personalisation --refuse"
    app.command(epilog=example)(consent)


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


def consent(
    member: Annotated[str, typer.Argument(help="A member id.")],
    purpose: Annotated[
        str, typer.Option(help="personalisation, insights or marketing.")
    ] = "personalisation",
    granted: Annotated[
        bool, typer.Option("--grant/--refuse", help="What the member said.")
    ] = False,
) -> None:
    """Write down a member's choice. A refusal of personalisation holds from the next read on."""
    from matinee import pipeline
    from matinee.settings import Settings

    path, live = pipeline.choose(Settings(), member, purpose, granted=granted)
    word = "granted" if granted else "refused"
    talk.print(f"{member} {word} {purpose}; landed as {path}", markup=False, soft_wrap=True)
    if live and purpose == "personalisation" and not granted:
        talk.print(f"release {live} shows them the list for all from now on", markup=False)
