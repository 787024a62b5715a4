"""`matinee backup`, `matinee restore` and `matinee sandbox`: copies of a home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import say

BACKUP = "Example: matinee backup /backups/matinee.tar"
RESTORE = "Example: matinee restore /backups/matinee.tar /srv/matinee/home"
SANDBOX = "Example: matinee sandbox ../sandbox"

ERASURE = "an erasure does not reach it: remove it when you are done"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=BACKUP)(backup)
    app.command(epilog=RESTORE)(restore)
    app.command(epilog=SANDBOX)(sandbox)


def backup(file: Annotated[Path, typer.Argument(help="The tar file to write.")]) -> None:
    """Write all that a night cannot build again to a tar file. Waits for a night that runs.

    It holds the keys, so keep it encrypted and apart from the home.
    """
    from matinee import pipeline
    from matinee.settings import Settings

    done = pipeline.backup(Settings(), file, tell=say)
    say(f"{done.files:,} files, {done.bytes / 1e6:,.1f} MB in {done.path}; live is {done.live}")
    say(f"it holds the keys and the logs of members; {ERASURE}")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `matinee backup` wrote.")],
    home: Annotated[Path, typer.Argument(help="The new home, a folder that is not there yet.")],
) -> None:
    """Write a backup to a new home and verify its live release."""
    from matinee import pipeline

    done = pipeline.restore(file, home)
    say(f"{done.files:,} files in {done.path}; live is {done.live} and verifies")
    say(f"next: MATINEE_HOME={done.path} matinee run")


def sandbox(
    folder: Annotated[Path, typer.Argument(help="The copy, a folder that is not there yet.")],
) -> None:
    """Copy the home, to change models and run nights there. Waits for a night that runs."""
    from matinee import pipeline
    from matinee.settings import Settings

    done = pipeline.sandbox(Settings(), folder, tell=say)
    say(f"{done.files:,} files, {done.bytes / 1e6:,.1f} MB; next: export MATINEE_HOME={done.path}")
    say(f"it is a copy of members' data; {ERASURE}")
