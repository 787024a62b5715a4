"""`matinee init` and `matinee upgrade`: a project folder of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, say

INIT = "Example: matinee init myservice"
UPGRADE = "Example: matinee upgrade --write"


def init(folder: Annotated[Path, typer.Argument(help="The new folder.")]) -> None:
    """Write a project of your own: dbt models, features, expectations, flows and deploy files."""
    from matinee import pipeline

    project = pipeline.init(folder)
    say(f"project in {project}")
    say(f"next: source {project}/matinee.env && matinee simulate && matinee run")


def upgrade(
    folder: Annotated[Path, typer.Argument(help="The project.")] = Path(),
    write: Annotated[bool, typer.Option("--write", help="Do it; otherwise only list it.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """List what changed in the template since the project was made, and bring it in.

    Files that you edited and that changed in the template are left as they are; the template's is
    written beside them as NAME.new.
    """
    from dataclasses import asdict

    from matinee import pipeline

    emit([asdict(one) for one in pipeline.upgrade(folder, write=write)], form, title="changes")
