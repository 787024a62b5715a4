"""`matinee releases`: list, show, verify, promote, roll back, compare and mirror releases."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, say

app = typer.Typer(help="List, verify, promote and compare releases.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A release id, or live, previous, candidate.")]
Url = Annotated[str, typer.Argument(help="A store: s3://bucket/prefix, file:///mnt/releases, ...")]
Extra = Annotated[list[str] | None, typer.Argument(help="Other releases to transfer, by id.")]
At = Annotated[str, typer.Option("--store", help="The URL of a store. Default: this home.")]
By = Annotated[str, typer.Option(help="Who is responsible. Default: your login name.")]
Why = Annotated[str, typer.Option(help="Why, for the audit trail.")]


@app.command("list", epilog="Example: matinee releases list")
def list_releases(url: At = "", form: FormatOption = Format.table) -> None:
    """List every release, newest first."""
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
    """Check the aliases, the audit trail, the signature of a release and every byte of it."""
    from dataclasses import asdict

    from matinee.releases import Remote, Store, mirror
    from matinee.settings import Settings

    store = Store.of(Settings().home)
    if url:
        verified = mirror.verify_remote(Remote.open(url), name, keys=store.keys)
    else:
        verified = store.verify(name)
    say(f"verified: {verified.release_id} is as it was signed")
    emit_one(asdict(verified), form)


@app.command(epilog="Example: matinee releases push s3://bucket/matinee")
def push(url: Url, extra: Extra = None, by: By = "", form: FormatOption = Format.table) -> None:
    """Send consent withdrawals, the releases with an alias, and the aliases to a store."""
    from dataclasses import asdict

    from matinee.operations import sync
    from matinee.releases import Remote
    from matinee.settings import Settings

    remote = Remote.open(url)
    if not remote.has_exclusive_create:
        say(
            f"{remote.name} does not exclude two pushes at the same time: push from one machine "
            f"only (docs/reference/mirrors.md)",
        )
    by = by or getpass.getuser()
    with progress("push"):
        result = sync.push(Settings(), remote, extra or (), at=datetime.now(UTC), by=by)
    emit_one(asdict(result), form)


@app.command(epilog="Example: matinee releases pull s3://bucket/matinee")
def pull(url: Url, extra: Extra = None, form: FormatOption = Format.table) -> None:
    """Fetch withdrawals and the releases with an alias from a store, verify, set the aliases."""
    from dataclasses import asdict

    from matinee.operations import sync
    from matinee.releases import Remote
    from matinee.settings import Settings

    with progress("pull"):
        result = sync.pull(Settings(), Remote.open(url), extra or ())
    emit_one(asdict(result), form)


@app.command(epilog="Example: matinee releases rebuild live")
def rebuild(name: Name = "live", form: FormatOption = Format.table) -> None:
    """Run the night of a release again from its landing files; exit code 5 if it differs."""
    from matinee import pipeline
    from matinee.settings import Settings

    rebuilt = pipeline.rebuild(Settings(), name, progress=progress)
    result = rebuilt.as_dict()
    if form is Format.json:
        emit_one(result, form)
    else:
        differences = result.pop("partings")
        emit_one(result, form)
        if differences:
            emit(differences, form, title="differences, the first stage first")
    rebuilt.raise_if_different()


@app.command(epilog="Example: matinee releases promote candidate --why 'checked by hand'")
def promote(
    name: Name = "candidate",
    override: Annotated[
        list[str] | None, typer.Option(help="A failed gate rule to override; may be repeated.")
    ] = None,
    by: By = "",
    why: Why = "",
) -> None:
    """Make a release live. A failed gate needs --override RULE --by WHO --why TEXT.

    An override is printed on the card: the release is reissued with the same content.
    """
    from matinee import pipeline
    from matinee.settings import Settings

    person = by if override else by or getpass.getuser()
    alias = pipeline.promote(
        Settings(), name, at=datetime.now(UTC), by=person, why=why, overrides=override or []
    )
    say(f"live is {alias.release_id}")


@app.command(epilog="Example: matinee releases rollback --why 'slates full of one film'")
def rollback(by: By = "", why: Why = "") -> None:
    """Make the previous release live again."""
    from matinee.releases import Store
    from matinee.settings import Settings

    alias = Store.of(Settings().home).rollback(
        at=datetime.now(UTC), by=by or getpass.getuser(), why=why
    )
    say(f"live is {alias.release_id}")


@app.command(epilog="Example: matinee releases diff previous live")
def diff(
    before: Annotated[str, typer.Argument(help="A release id or alias.")] = "previous",
    after: Annotated[str, typer.Argument(help="A release id or alias.")] = "live",
    form: FormatOption = Format.table,
) -> None:
    """Compare two releases: slates, movers, metrics, gate, features, files."""
    from dataclasses import asdict

    from matinee.releases import Store
    from matinee.settings import Settings

    difference = asdict(Store.of(Settings().home).diff(before, after))
    if form is Format.json:
        emit_one(difference, form)
        return
    fields = {name: value for name, value in difference.items() if not isinstance(value, list)}
    emit_one(fields, form)
    for name, rows in difference.items():
        if isinstance(rows, list) and rows:
            emit(rows, form, title=name)


@app.command(epilog="Example: matinee releases gc --keep 14")
def gc(
    keep: Annotated[
        int, typer.Option(min=1, max=10**6, help="Days to keep: of each the newest release.")
    ] = 14,
) -> None:
    """Remove releases of old days without an alias, older ones of a day, and remains of crashes."""
    from matinee.releases import Store
    from matinee.settings import Settings

    store = Store.of(Settings().home)
    swept = store.sweep()
    removed = store.gc(keep, at=datetime.now(UTC), by=getpass.getuser())
    say(f"removed {len(removed)} releases and {len(swept)} remains of crashes")


@app.command(epilog="Example: matinee releases repair")
def repair() -> None:
    """Write aliases.json again as the signed audit trail says."""
    from matinee.releases import Store
    from matinee.settings import Settings

    live = Store.of(Settings().home).repair().live
    say(f"live is {live.release_id if live else 'no release'}")


@app.command("rotate-key", epilog="Example: matinee releases rotate-key --why yearly")
def rotate_key(by: By = "", why: Why = "") -> None:
    """Replace the signing key by a new one. What the old one signed stays trusted."""
    from matinee.releases import Store, key_changes
    from matinee.settings import Settings

    store = Store.of(Settings().home)
    key = key_changes.rotate_key(store, at=datetime.now(UTC), by=by or getpass.getuser(), why=why)
    say(
        f"releases are signed by key {key[:16]} from now on: copy {store.keys}/{key[:16]}.pub to "
        f"the machines that verify"
    )


@app.command("trust-key", epilog="Example: matinee releases trust-key other.pub --why 'trainer 2'")
def trust_key(
    public: Annotated[Path, typer.Argument(help="A public key (.pub).", exists=True)],
    by: By = "",
    why: Why = "",
) -> None:
    """Trust a public key, by a line of the audit trail that the signing key signs."""
    from matinee.releases import Store, key_changes
    from matinee.settings import Settings

    store, person = Store.of(Settings().home), by or getpass.getuser()
    key = key_changes.trust_key(store, public, at=datetime.now(UTC), by=person, why=why)
    say(f"releases signed by key {key[:16]} are trusted from now on")


@app.command(
    "revoke-key", epilog="Example: matinee releases revoke-key 0123456789abcdef --why leaked"
)
def revoke_key(
    key: Annotated[str, typer.Argument(help="The first 16 digits of its id: its .pub's name.")],
    by: By = "",
    why: Why = "",
) -> None:
    """Never trust a key again, by a line of the audit trail that the signing key signs.

    If the signing key itself leaked, run rotate-key first, and revoke the old one.
    """
    from matinee.releases import Store, key_changes
    from matinee.settings import Settings

    store, person = Store.of(Settings().home), by or getpass.getuser()
    found = key_changes.revoke_key(store, key, at=datetime.now(UTC), by=person, why=why)
    say(
        f"key {found[:16]} signs nothing from now on; keep its .pub, which verifies the lines "
        f"before; look at those in {store.root}/audit.jsonl, then push"
    )
