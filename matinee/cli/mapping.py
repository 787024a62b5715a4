"""`matinee map`: own logs with other column names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import say, say_lines
from matinee.errors import ConfigError

EXAMPLE = "Example: matinee map plays.csv --stream plays --output plays.yml"


def map_file(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    stream: Annotated[str, typer.Option(help="The stream of the contract.")] = "plays",
    mapping: Annotated[Path | None, typer.Option(help="A mapping, instead of a proposal.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the mapping to this file.")] = None,
    land: Annotated[
        str, typer.Option(help="Land the file as received on this day, as in 2026-01-31.")
    ] = "",
    with_titles: Annotated[
        bool, typer.Option("--with-titles", help="Land its titles too, by their ids as names.")
    ] = False,
) -> None:
    """Propose how the columns of a file become those of the contract, and land it.

    Without --land, print the mapping and what would be rejected. With it, --mapping is required.
    """
    from matinee import pipeline
    from matinee.cli import day
    from matinee.settings import Settings

    settings, landed_on = Settings(), day(land or None, "--land")
    found = pipeline.map_file(settings, file, stream=stream, mapping=mapping)
    if landed_on is None:
        typer.echo(found.mapping.text(), nl=False)
    if found.mapping.unused:
        say(f"not used: {', '.join(found.mapping.unused)}")
    if found.mapping.missing:
        say(f"no column found for: {', '.join(found.mapping.missing)}; write them into the mapping")
    say_lines(found.preview)
    if output is not None:
        output.write_text(found.mapping.text(), encoding="utf-8")
        say(f"next: edit {output}, then matinee map {file} --mapping {output} --land DAY")
    if landed_on is not None:
        if mapping is None:
            raise ConfigError("--land needs --mapping: a file that `matinee map --output` wrote")
        for path in pipeline.land_mapped(
            settings, file, mapping=mapping, landed_on=landed_on, with_titles=with_titles
        ):
            say(f"landed {path}")
