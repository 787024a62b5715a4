"""`matinee features`: services, training frames and online values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, say

app = typer.Typer(help="Features of members and titles, point in time.", no_args_is_help=True)

Service = Annotated[str, typer.Option(help="A service: `matinee features list` has them.")]


@app.command("list", epilog="Example: matinee features list")
def list_features(form: FormatOption = Format.table) -> None:
    """List the services, their views, the key of each, and its fields."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit(pipeline.list_features(Settings()), form, title="features")


@app.command(
    epilog="Example: matinee features frame --service member_title_v1 --entities pairs.parquet "
    "--output frame.parquet"
)
def frame(
    entities: Annotated[
        Path, typer.Option(help="Parquet: member_id or title_id or both, and event_timestamp.")
    ],
    output: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    service: Service = "member_title_v1",
) -> None:
    """Write the features of each row as they were known at its instant, for training.

    Rows of members who refuse personalisation are left out.
    """
    from matinee import pipeline
    from matinee.settings import Settings

    done = pipeline.feature_frame(Settings(), service, entities, output)
    say(f"{done.rows:,} rows with {done.columns} columns in {done.path}")
    if done.refused:
        say(f"{done.refused:,} rows left out: their members refuse personalisation")


@app.command(epilog="Example: matinee features online --service member_v1 --member m-000017")
def online(
    service: Service = "member_title_v1",
    member: Annotated[str, typer.Option(help="A member id.")] = "",
    title: Annotated[str, typer.Option(help="A title id.")] = "",
    form: FormatOption = Format.table,
) -> None:
    """Print what the online store holds of a member, of a title, or of both."""
    from matinee import pipeline
    from matinee.settings import Settings

    emit_one(pipeline.online_features(Settings(), service, member=member, title=title), form)
