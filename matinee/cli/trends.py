"""`matinee trends`: numbers that may leave the house."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, talk

EXAMPLE = "Example: matinee trends --epsilon 0.25 --days 28"


def trends(
    epsilon: Annotated[str, typer.Option(help="How much of each day's budget of 1 it may cost.")],
    days: Annotated[int, typer.Option(min=1, help="How many of the last closed days.")] = 28,
    by: Annotated[str, typer.Option(help="Who asks. Default: your login name.")] = "",
    form: FormatOption = Format.table,
) -> None:
    """Members by day and genre with noise, for others to read; spends privacy budget."""
    from matinee.rights import dp_counts
    from matinee.settings import Settings

    told = dp_counts.noisy_counts(
        Settings(), epsilon, days, at=datetime.now(UTC), by=by or getpass.getuser()
    )
    if form is Format.json:
        emit_one(asdict(told), form)
        return
    emit(told.rows, form, title="members by day and genre, with noise")
    talk.print(f"scale of the noise {told.scale}; {told.left} of the budget is left")
