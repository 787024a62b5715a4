"""`matinee benchmark` and `matinee tune`: compares models, and tunes the hybrid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from matinee.cli.output import Format, FormatOption, emit, emit_one, progress, talk
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
    protocol: Protocol = "time",
    models: Annotated[str, typer.Option(help="Comma-separated names. Default: all models.")] = "",
    tune: Annotated[
        int, typer.Option(min=0, help="Number of settings of each model to try on validation data.")
    ] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds; rows are means.")] = 1,
    form: FormatOption = Format.table,
    plot: Annotated[
        Path | None, typer.Option(help="Also plot NDCG with its intervals, as SVG.")
    ] = None,
) -> None:
    """Compare the hybrid with baselines on real ratings, under one protocol.

    Every title is ranked for every evaluated member, except titles the member has interacted with.
    `als` needs the extra `peers` of the package, and --tune needs the extra `tune`.
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
            protocol=protocol,  # type: ignore[arg-type]  # an unknown one is refused by name
            models=[name.strip() for name in models.split(",")] if models else [],
            trials=tune,
            seeds=seeds,
            progress=step,
        )
    if plot is not None:
        research_benchmark.plot({f"{data.resolve().name}, {protocol}": rows}, plot)
    if form is Format.json:
        emit(rows, form)
        return
    shown, more = zip(*(_split(row) for row in rows), strict=True)
    emit(shown, form, title=f"{data.resolve().name}, {protocol}: top 10")
    emit(more, form, title="beyond accuracy")
    texts = {row["model"]: research_benchmark.settings_text(row) for row in rows}
    chosen = [{"model": model, "settings": text} for model, text in texts.items() if text]
    if chosen:
        emit(chosen, form, title="chosen on validation data")


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
    talk.print(
        f"{tuned.trials} trials of {tuned.history}, {tuned.protocol}: validation NDCG "
        f"{tuned.best:.4f}, the defaults reach {tuned.default:.4f}. Written to {tuned.path}",
        markup=False,
        soft_wrap=True,
    )
    if form is Format.json:
        emit_one(tuned.parameters | {"ndcg": tuned.best, "default_ndcg": tuned.default}, form)
        return
    emit(tuned.rows(), form, title=f"{tuned.history}, {tuned.protocol}")


def _spread(row: dict[str, Any]) -> str:
    return f"{row['lowest_seed']:.4f} to {row['highest_seed']:.4f}"


def _split(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a row in two that fit a screen."""
    lead = row["hybrid_lead"]
    first = {
        "model": row["model"],
        "members": row["members"],
        "ndcg": row["ndcg"],
        "interval": f"{row['low']:.4f} to {row['high']:.4f}",
        **({"seeds": _spread(row)} if row["seeds"] > 1 else {}),
        "hybrid leads by": ""
        if lead is None
        else f"{lead:+.4f} ({row['lead_low']:+.4f} to {row['lead_high']:+.4f})",
        **{name: row[name] for name in ("recall", "precision", "map", "mrr", "hit_rate", "auc")},
        "CPU s": f"{row['cpu_seconds']:.1f}",
        "peak MB": f"{row['peak_mb']:.0f}",
    }
    rest = ("coverage", "gini", "novelty", "diversity", "serendipity", "calibration")
    cohorts = ("ndcg_heavy", "ndcg_light", "ndcg_cold")
    return first, {"model": row["model"], **{name: row[name] for name in (*rest, *cohorts)}}
