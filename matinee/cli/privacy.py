"""What members may ask for: to be forgotten, to know, to say no."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, as_json, emit, emit_one, progress, talk
from matinee.errors import BusyError, ConfigError

Members = Annotated[list[str], typer.Argument(help="Member ids.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the top of the command line."""
    app.command(epilog="Example: matinee forget m-000017")(forget)
    example = "Example: matinee consent m-000017 --purpose personalisation --refuse"
    app.command(epilog=example)(consent)
    app.command(epilog="Example: matinee export m-000017 --output m-000017.json")(export)
    app.command(epilog="Example: matinee statement m-000017")(statement)
    app.command(epilog="Example: matinee pseudonymise --of 4711")(pseudonymise)
    app.command(epilog="Example: matinee parameters live --output parameters.html")(parameters)


def forget(
    members: Members,
    by: Annotated[str, typer.Option(help="Who asked. Default: your login name.")] = "",
    form: FormatOption = Format.table,
) -> None:
    """Remove members from every file under MATINEE_HOME, and prove it with a receipt."""
    from dataclasses import asdict

    from matinee import pipeline
    from matinee.rights.erase import UNFINISHED
    from matinee.settings import Settings

    settings = Settings()
    if not (settings.home / UNFINISHED).exists():  # else it goes on where it was cut short
        for member in members:
            pipeline.export(settings, member)  # refuses an id of whom nothing is held
    with progress("forget") as step:
        receipt, path = pipeline.erase_members(
            settings, members, by=by or getpass.getuser(), progress=step
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
    if receipt.releases:
        talk.print("A mirror still has the old releases until the next `matinee releases push`.")
    talk.print("Sums that counted them are built again by the next `matinee run`.")


def consent(
    member: Annotated[str, typer.Argument(help="A member id.")],
    purpose: Annotated[
        str, typer.Option(help="personalisation, insights or marketing.")
    ] = "personalisation",
    granted: Annotated[
        bool | None, typer.Option("--grant/--refuse", help="What the member said; one is needed.")
    ] = None,
) -> None:
    """Write down a member's choice. A refusal of personalisation holds from the next read on."""
    from matinee import pipeline
    from matinee.settings import Settings

    if granted is None:
        raise ConfigError("say what the member said: --grant or --refuse")
    settings = Settings()
    path, live = pipeline.record_choice(settings, member, purpose, granted=granted)
    word = "granted" if granted else "refused"
    talk.print(f"{member} {word} {purpose}; landed as {path}", markup=False, soft_wrap=True)
    if not live or granted or purpose != "personalisation":
        return
    talk.print(f"release {live} shows them the list for all from now on", markup=False)
    try:
        with pipeline.lease(settings, "consent"):
            moved = pipeline.reissue_pages(settings, by=getpass.getuser())
    except BusyError as busy:
        talk.print(
            f"{busy}. The next receipt of logs takes them off the pages of releases",
            markup=False,
            soft_wrap=True,
        )
        return
    for one in moved:
        told = f"release {one.before}, whose page showed them, is now {one.after or 'removed'}"
        talk.print(told, markup=False, soft_wrap=True)


def export(
    member: Annotated[str, typer.Argument(help="A member id.")],
    output: Annotated[
        Path | None, typer.Option(help="A file to write. Default: standard output.")
    ] = None,
) -> None:
    """Everything held of a member as JSON, with what each column is used for."""
    from matinee import pipeline
    from matinee.settings import Settings

    text = as_json(pipeline.export(Settings(), member))
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
        talk.print(f"wrote {output}; it names a member: keep it safe", markup=False)


def statement(
    member: Annotated[str, typer.Argument(help="A member id.")],
    form: FormatOption = Format.table,
) -> None:
    """Where a member's data was used: which tables, features and releases, how often and why."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit(pipeline.statement(Settings(), member), form, title=member)


def parameters(
    release: Annotated[str, typer.Argument(help="A release id or alias.")] = "live",
    output: Annotated[
        Path | None, typer.Option(help="An HTML page to write, for everyone to read.")
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """What decides which titles are shown, for everyone to read."""
    from matinee import pipeline, report
    from matinee.settings import Settings

    told = pipeline.parameters(Settings(), release)
    if output is not None:
        output.write_text(report.parameters(told), encoding="utf-8")
        talk.print(f"wrote {output}; it names nobody", markup=False)
        return
    if form is Format.json:
        emit_one(told, form)
        return
    for about in ("about_members", "about_titles"):
        emit(told.pop(about), form, title=about.replace("_", " "))
    emit_one(told, form)


def pseudonymise(
    of: Annotated[
        str, typer.Option(help="Only say what this outside member id is called here.")
    ] = "",
) -> None:
    """Give members keyed pseudonyms in all logs not received yet, and in all that will come."""
    from matinee import landing
    from matinee.settings import Settings

    settings = Settings()
    home = settings.home.resolve()
    if of:
        typer.echo(landing.pseudonyms.name_of(home, of))
        return
    done = landing.pseudonyms.pseudonymise(home, landing.load(settings.project))
    talk.print(done.summary(), markup=False)
