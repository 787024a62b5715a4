"""`matinee dp-counts`: differentially private counts."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, say

EXAMPLE = "Example: matinee dp-counts --epsilon 0.25 --days 28"


def dp_counts(
    epsilon: Annotated[str, typer.Option(help="Privacy budget to spend of each day, out of 1.")],
    days: Annotated[int, typer.Option(min=1, max=3660, help="Number of last closed days.")] = 28,
    by: Annotated[str, typer.Option(help="Who requests them. Default: your login name.")] = "",
    form: FormatOption = Format.table,
) -> None:
    """Count members by day and genre with noise; spends privacy budget."""
    from matinee.rights.dp_counts import noisy_counts
    from matinee.settings import Settings

    counts = noisy_counts(
        Settings(), epsilon, days, at=datetime.now(UTC), by=by or getpass.getuser()
    )
    if form is Format.json:
        emit_one(asdict(counts), form)
        return
    emit(counts.rows, form, title="members by day and genre, with noise")
    say(f"scale of the noise {counts.scale}; budget left {counts.left}")
