"""`matinee explain`: the contributions to a score."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one


def explain(
    member: Annotated[str, typer.Argument(help="A member id.")],
    title: Annotated[str, typer.Argument(help="A title id or a name; in the slate or not.")],
    release: Annotated[str, typer.Option(help="A release id or alias.")] = "live",
    form: FormatOption = Format.table,
) -> None:
    """Print the exact contributions to one member's score of one title, largest first."""
    from matinee import pipeline
    from matinee.settings import Settings

    explanation = asdict(pipeline.explain(Settings(), member, title, release=release))
    if form is Format.json:
        emit_one(explanation, form)
        return
    fields = {name: value for name, value in explanation.items() if not isinstance(value, list)}
    emit_one(fields, form)
    emit(explanation["groups"], form, title="contributions to the score")


EXAMPLE = "Example: matinee explain m-000017 'The Matrix'"
