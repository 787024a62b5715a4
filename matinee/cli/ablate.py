"""`matinee ablate`: the hybrid with and without demographic features."""

from __future__ import annotations

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, shown

EXAMPLE = "Example: matinee ablate --format json"


def ablate(form: FormatOption = Format.table) -> None:
    """Fit last night's hybrid again without country, plan and language, and compare."""
    from matinee.evaluation.gate import line
    from matinee.research import ablate as research_ablate
    from matinee.settings import Settings

    with progress("fit with and without demographics") as step:
        ablation = research_ablate.ablate(Settings(), step)
    if form is Format.json:
        emit_one({"rows": ablation.rows, "verdict": ablation.verdict.facts()}, form)
        return
    emit(ablation.rows, form, title="the hybrid with and without demographics")
    typer.echo(shown(line(ablation.verdict.status, ablation.verdict.text)))
