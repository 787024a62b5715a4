"""`matinee audience` and `matinee brief`: questions of people who market and buy titles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, say

ReleaseOption = Annotated[str, typer.Option(help="A release id or alias.")]


def audience(
    title: Annotated[str, typer.Argument(help="A title id, or a name.")],
    share: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="The share of members that is the audience.")
    ] = 0.2,
    campaign: Annotated[
        Path | None,
        typer.Option(help="A CSV file to write, with the ids of members who allow marketing."),
    ] = None,
    purpose: Annotated[str, typer.Option(help="What the campaign is for.")] = "",
    release: ReleaseOption = "live",
    form: FormatOption = Format.table,
) -> None:
    """Print who would most likely watch a title: how many, in which segments and countries."""
    from matinee import pipeline
    from matinee.settings import Settings

    found = pipeline.title_audience(
        Settings(), title, release=release, share=share, campaign=campaign, purpose=purpose
    )
    _show(found, form, ("segments", "countries", "calibration"))
    if campaign:
        say(f"{found['campaign']['members']:,} members in {campaign}")


def _show(found: dict[str, Any], form: Format, lists: tuple[str, ...]) -> None:
    """One JSON object, or its plain fields and then a table for each list."""
    if form is Format.json:
        emit_one(found, form)
        return
    emit_one({key: one for key, one in found.items() if not isinstance(one, list | dict)}, form)
    for name in lists:
        if found[name]:
            emit(found[name], form, title=name.replace("_", "-"))


AUDIENCE = "Example: matinee audience 'The Matrix' --format json"


def brief(
    genres: Annotated[str, typer.Option(help="Genres, with commas between them.")] = "",
    themes: Annotated[str, typer.Option(help="Themes, with commas between them.")] = "",
    people: Annotated[str, typer.Option(help="Directors and actors, with commas.")] = "",
    language: Annotated[str, typer.Option(help="The original language.")] = "",
    runtime: Annotated[str, typer.Option(help="Minutes.")] = "",
    release: ReleaseOption = "live",
    form: FormatOption = Format.table,
) -> None:
    """Print what a title that does not exist yet would be: its audience, titles alike, gaps."""
    from matinee import pipeline
    from matinee.settings import Settings

    found = pipeline.brief(
        Settings(),
        genres=_listed(genres),
        themes=_listed(themes),
        people=_listed(people),
        language=language.strip(),
        runtime=runtime.strip(),
        release=release,
    )
    _show(found, form, ("segments", "countries", "look_alikes", "cannibalised", "gaps"))


def _listed(text: str) -> list[str]:
    """Comma-separated values, without repeats."""
    return list(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))


BRIEF = "Example: matinee brief --genres Drama,Comedy --themes dark --language en --runtime 105"
