"""`matinee releases`: look at, check, promote, roll back and compare published versions."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, talk

app = typer.Typer(help="Look at, check, promote and compare releases.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A release id, or live, previous, candidate.")]
Url = Annotated[str, typer.Argument(help="A store: s3://bucket/prefix, file:///mnt/releases, ...")]
Also = Annotated[list[str] | None, typer.Argument(help="Releases to bring along without a name.")]
At = Annotated[str, typer.Option("--store", help="The URL of a store. Default: this home.")]
By = Annotated[str, typer.Option(help="Who answers for it. Default: your login name.")]
Why = Annotated[str, typer.Option(help="Why, for the audit trail.")]


@app.command("list", epilog="Example: matinee releases list")
def list_releases(url: At = "", form: FormatOption = Format.table) -> None:
    """Every release, newest first."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit(pipeline.list_releases(Settings(), url), form, title="releases")


@app.command(epilog="Example: matinee releases show live")
def show(
    name: Name = "live",
    full: Annotated[
        bool, typer.Option("--full", help="All gate lines, metrics, streams and warnings.")
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """One release on one screen: gate, metrics, slates, rows, next commands."""
    from matinee.cli.screen import show as show_screen
    from matinee.settings import Settings

    show_screen(Settings(), name, form, full=full)


@app.command(epilog="Example: matinee releases verify live")
def verify(name: Name = "live", url: At = "", form: FormatOption = Format.table) -> None:
    """Check every byte of a release, its signature and the audit trail behind it."""
    from dataclasses import asdict

    from matinee.releases import Remote, Store, mirror
    from matinee.settings import Settings

    store = Store.of(Settings().home)
    if url:
        verified = mirror.verify_at(Remote.at(url), name, keys=store.keys)
    else:
        verified = store.verify(name)
    emit_one(asdict(verified), form)


@app.command(epilog="Example: matinee releases push s3://bucket/matinee")
def push(url: Url, also: Also = None, by: By = "", form: FormatOption = Format.table) -> None:
    """Send the releases that have a name, signed, and who refused; let the names there follow."""
    from dataclasses import asdict

    from matinee.operations import sync
    from matinee.releases import Remote
    from matinee.settings import Settings

    remote = Remote.at(url)
    if not remote.is_exclusive:
        talk.print(
            f"{remote.name} may let two pushes at the same moment both succeed: push from one "
            f"machine only (docs/reliability.md)",
            markup=False,
            soft_wrap=True,
        )
    by = by or getpass.getuser()
    with progress("push"):
        moved = sync.push(Settings(), remote, also or (), at=datetime.now(UTC), by=by)
    emit_one(asdict(moved), form)


@app.command(epilog="Example: matinee releases pull s3://bucket/matinee")
def pull(url: Url, also: Also = None, form: FormatOption = Format.table) -> None:
    """Bring the releases that have a name there, verify each, then let the names here follow."""
    from dataclasses import asdict

    from matinee.operations import sync
    from matinee.releases import Remote
    from matinee.settings import Settings

    with progress("pull"):
        moved = sync.pull(Settings(), Remote.at(url), also or ())
    emit_one(asdict(moved), form)


@app.command(epilog="Example: matinee releases rebuild live")
def rebuild(name: Name = "live", form: FormatOption = Format.table) -> None:
    """Run its night again from its landing files and compare; 5 when anything differs."""
    from dataclasses import asdict

    from matinee import pipeline
    from matinee.settings import Settings

    rebuilt = pipeline.rebuild(Settings(), name, progress=progress)
    told = asdict(rebuilt) | {"is_same": rebuilt.is_same}
    if form is Format.json:
        emit_one(told, form)
    else:
        partings = told.pop("partings")
        emit_one(told, form)
        if partings:
            emit(partings, form, title="what differs, the first stage first")
    rebuilt.raise_if_parted()


@app.command(epilog="Example: matinee releases promote candidate --why 'looked at by hand'")
def promote(
    name: Name = "candidate",
    override: Annotated[
        list[str] | None, typer.Option(help="A gate rule to pass over; may be repeated.")
    ] = None,
    by: By = "",
    why: Why = "",
) -> None:
    """Make a release live. A red gate asks for --override RULE --by WHO --why TEXT.

    An override is printed on the card: the release is published again, with the same content.
    """
    from matinee import pipeline
    from matinee.settings import Settings

    named = by if override else by or getpass.getuser()
    alias = pipeline.promote(
        Settings(), name, at=datetime.now(UTC), by=named, why=why, overrides=override or []
    )
    talk.print(f"live is {alias.release_id}")


@app.command(epilog="Example: matinee releases rollback --why 'slates full of one film'")
def rollback(by: By = "", why: Why = "") -> None:
    """Make the previous release live again."""
    from matinee.releases import Store
    from matinee.settings import Settings

    alias = Store.of(Settings().home).rollback(
        at=datetime.now(UTC), by=by or getpass.getuser(), why=why
    )
    talk.print(f"live is {alias.release_id}")


@app.command(epilog="Example: matinee releases diff previous live")
def diff(
    before: Annotated[str, typer.Argument(help="A release id or alias.")] = "previous",
    after: Annotated[str, typer.Argument(help="A release id or alias.")] = "live",
    form: FormatOption = Format.table,
) -> None:
    """What changed: overlap of slates, movers, metrics, gate, features, files."""
    from dataclasses import asdict

    from matinee.releases import Store
    from matinee.settings import Settings

    changed = asdict(Store.of(Settings().home).diff(before, after))
    if form is Format.json:
        emit_one(changed, form)
        return
    emit_one({name: value for name, value in changed.items() if not isinstance(value, list)}, form)
    for name, rows in changed.items():
        if isinstance(rows, list) and rows:
            emit(rows, form, title=name)


@app.command(epilog="Example: matinee releases gc --keep 14")
def gc(keep: Annotated[int, typer.Option(min=1, help="How many of the newest stay.")] = 14) -> None:
    """Remove old releases that no alias stands for, and what crashes left behind."""
    from matinee.releases import Store
    from matinee.settings import Settings

    store = Store.of(Settings().home)
    swept = store.sweep()
    removed = store.gc(keep, at=datetime.now(UTC), by=getpass.getuser())
    talk.print(f"removed {len(removed)} releases and {len(swept)} leftovers")
