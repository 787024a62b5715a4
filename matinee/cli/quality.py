"""`matinee benchmark` and `matinee tune`: compares models, and tunes the hybrid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, say
from matinee.errors import ConfigError

BENCHMARK = "Example: matinee benchmark --data ~/ml-latest-small --protocol last"

TUNE = "Example: matinee tune --data ~/ml-latest-small --protocol last --budget-seconds 600"

Data = Annotated[
    Path,
    typer.Option("--data", help="A folder of MovieLens or MovieTweetings, or a MATINEE_HOME."),
]
Protocol = Annotated[
    str,
    typer.Option(help="Protocol: time, last, holdout, cold-titles or cold-members."),
]


def benchmark(
    data: Data,
    protocol: Annotated[
        str, typer.Option(help="Protocols with commas between. Default: all four.")
    ] = "time,last,holdout,successive",
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also a row for each part that is left out.")
    ] = False,
    form: FormatOption = Format.table,
    plot: Annotated[
        Path | None, typer.Option(help="Also plot NDCG with its intervals, as SVG.")
    ] = None,
) -> None:
    """Evaluate what a night would publish beside baselines, on real ratings.

    All titles are ranked for every member who is evaluated, seen titles left out. `time` and
    `holdout` evaluate lists for the next visit, `last` and `successive` those of a session.
    """
    from matinee.research import benchmark as research_benchmark
    from matinee.settings import Settings

    if plot is not None and not plot.resolve().parent.is_dir():
        raise ConfigError(
            f"no folder {plot.resolve().parent} for the plot: create it, then run again"
        )
    with progress("compare models") as step:
        rows = research_benchmark.run(
            data,
            Settings(),
            protocols=[name.strip() for name in protocol.split(",")],
            ablate=ablate,
            progress=step,
        )
    if plot is not None:
        research_benchmark.plot(rows, plot)
    if form is Format.json:
        emit(rows, form)
        return
    emit([_shown(row) for row in rows], form, title=f"{data.resolve().name}: NDCG@10")


def tune(
    data: Data,
    protocol: Protocol = "last",
    budget_seconds: Annotated[
        float, typer.Option(min=0, help="No trial starts after this time.")
    ] = 600,
    form: FormatOption = Format.table,
) -> None:
    """Tune the hyperparameters of the hybrid, on validation data only.

    A second run continues where the first stopped. No setting is changed: the result is printed and
    written under MATINEE_HOME. Needs the extra `tune` of the package.
    """
    from matinee.research import tune as research_tune
    from matinee.settings import Settings

    with progress("tune hyperparameters") as step:
        tuned = research_tune.tune(
            data,
            Settings(),
            protocol=protocol,  # type: ignore[arg-type]  # an unknown one is refused by name
            budget_seconds=budget_seconds,
            progress=lambda done, best: step(done, done, f"{done} trials, best {best:.4f}"),
        )
    say(
        f"{tuned.trials} trials of {tuned.history}, {tuned.protocol}: validation NDCG "
        f"{tuned.best:.4f}, the defaults reach {tuned.default:.4f}. Written to {tuned.path}",
    )
    if form is Format.json:
        emit_one(tuned.parameters | {"ndcg": tuned.best, "default_ndcg": tuned.default}, form)
        return
    emit(tuned.rows(), form, title=f"{tuned.history}, {tuned.protocol}")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the benchmark as people read it."""
    lead = row["lead"]
    return {
        "protocol": row["protocol"],
        "model": row["model"],
        "members": row["members"],
        "ndcg@10": f"{row['mean']:.4f} ({row['low']:.4f} to {row['high']:.4f})",
        "published leads by": ""
        if lead is None
        else f"{lead:+.4f} ({row['lead_low']:+.4f} to {row['lead_high']:+.4f})",
    }
