"""Commands for members' rights: erasure, consent, export, statement, pseudonyms, parameters."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import (
    Format,
    FormatOption,
    as_json,
    emit,
    emit_one,
    progress,
    say,
    say_lines,
)
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
    by: Annotated[str, typer.Option(help="Who requested it. Default: your login name.")] = "",
    form: FormatOption = Format.table,
) -> None:
    """Erase members from every file under MATINEE_HOME, and write a receipt."""
    from matinee import pipeline
    from matinee.rights.erase import UNFINISHED
    from matinee.settings import Settings

    settings = Settings()
    if not (settings.home / UNFINISHED).exists():  # else continue an interrupted erasure
        for member in members:
            pipeline.require_data(settings, member)
    with progress("erase members") as step:
        receipt, path = pipeline.forget(
            settings, members, by=by or getpass.getuser(), progress=step
        )
    if form is Format.json:
        emit_one(receipt.as_dict(), form)
        return
    emit(receipt.rows(), form, title="rows that named the members")
    for one in receipt.releases:
        say(f"release {one['before']} is now {one['after'] or 'removed'}")
    say(
        f"searched {receipt.files_searched:,} files: no member found; the search found all "
        f"{receipt.control_planted} planted files. Receipt: {path}",
    )
    if receipt.releases:
        say("A mirror has the old releases until the next `matinee releases push`.")
    say("The next `matinee run` builds all aggregates again without them.")


def consent(
    member: Annotated[str, typer.Argument(help="A member id.")] = "",
    purpose: Annotated[
        str, typer.Option(help="personalisation, insights or marketing.")
    ] = "personalisation",
    granted: Annotated[
        bool | None, typer.Option("--grant/--refuse", help="The member's choice; required.")
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Write a lost list of withdrawals again.")
    ] = False,
) -> None:
    """Record a member's consent. A refusal of personalisation applies from the next read on."""
    from matinee import pipeline
    from matinee.settings import Settings

    settings = Settings()
    if restore:
        refused = pipeline.restore_withdrawals(settings).since.get("personalisation", {})
        say(f"{len(refused):,} members refuse personalisation")
        return
    if not member:
        raise ConfigError("name the member, and the choice: --grant or --refuse")
    if granted is None:
        raise ConfigError("give the member's choice: --grant or --refuse")
    path, live = pipeline.record_choice(settings, member, purpose, granted=granted)
    verb = "granted" if granted else "refused"
    say(f"{member} {verb} {purpose}; landed as {path}")
    if not live or granted or purpose != "personalisation":
        return
    say(f"release {live} shows them the non-profiled list from now on")
    try:
        with pipeline.lease(settings, "consent"):
            reissued = pipeline.reissue_pages(settings, by=getpass.getuser())
    except BusyError as busy:
        say(
            f"{busy}. The next `receive` removes the member from the pages of releases",
        )
        return
    for one in reissued:
        line = f"release {one.before}, whose page showed them, is now {one.after or 'removed'}"
        say(line)


def export(
    member: Annotated[str, typer.Argument(help="A member id.")],
    output: Annotated[
        Path | None, typer.Option(help="A file to write. Default: standard output.")
    ] = None,
) -> None:
    """Write all data about a member as JSON, with the purposes of each column."""
    from matinee import pipeline
    from matinee.settings import Settings

    text = as_json(pipeline.export(Settings(), member))
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
        say(f"wrote {output}; it contains personal data: keep it safe")


def statement(
    member: Annotated[str, typer.Argument(help="A member id.")],
    form: FormatOption = Format.table,
) -> None:
    """List where a member's data was used: tables, features and releases, rows and reason."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit(pipeline.statement(Settings(), member), form, title=member)


def parameters(
    release: Annotated[str, typer.Argument(help="A release id or alias.")] = "live",
    output: Annotated[
        Path | None, typer.Option(help="An HTML page to write, for publication.")
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Print the parameters that decide which titles are shown, for publication."""
    from matinee import pipeline, report
    from matinee.settings import Settings

    main_parameters = pipeline.parameters(Settings(), release)
    if output is not None:
        output.write_text(report.parameters(main_parameters), encoding="utf-8")
        say(f"wrote {output}; it contains no personal data")
        return
    if form is Format.json:
        emit_one(main_parameters, form)
        return
    for about in ("about_members", "about_titles"):
        emit(main_parameters.pop(about), form, title=about.replace("_", " "))
    emit_one(main_parameters, form)


def pseudonymise(
    of: Annotated[
        str, typer.Option(help="Only print the pseudonym of this external member id.")
    ] = "",
) -> None:
    """Replace member ids by keyed pseudonyms in all logs not received yet, now and in future."""
    from matinee import landing
    from matinee.settings import Settings

    settings = Settings()
    home = settings.home.resolve()
    if of:
        typer.echo(landing.pseudonyms.name_of(home, of))
        return
    done = landing.pseudonyms.pseudonymise(home, landing.load(settings.project))
    say_lines(done.summary())
