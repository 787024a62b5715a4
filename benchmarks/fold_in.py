"""What following a member between two nights brings, without a fit: the protocol `successive`.

    python -m benchmarks.fold_in SET...

Parts are fitted on all but the last tenth of the ratings; each later rating is then predicted, by
the session lists of what was known before it. NDCG@10, all titles ranked, seen ones left out, with
the lead over the lists that know nothing since the cut (95 %, bootstrap over predictions).

`refit` fits everything again at every quarter of what is held out, as a night would.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.combination import line
from matinee.evaluation import metrics
from matinee.models import fits, hybrid
from matinee.models.fold_in import folded_in
from matinee.night import combine, evaluate
from matinee.night.evaluate import Split
from matinee.research import benchmark, datasets
from matinee.settings import Settings

PENALTIES = (1.0, 3.0, 10.0)

QUARTERS = 4


def ndcg(fit: fits.Fit, chosen: combine.Chosen) -> np.ndarray:
    """Of each prediction, in the order of its members."""
    truth = fit.frame.truth()
    members = np.flatnonzero(np.diff(truth.indptr))
    weights = chosen.weights["session"]
    split = Split("session", fit, (weights, weights))
    ranker = evaluate.ranker_of(split, chosen, size=10)
    shown = evaluate.versions(ranker, split, chosen, combine.COMBINATION, members, ()).shown
    values = np.zeros(truth.shape[0])
    values[members] = metrics.ndcg(shown, truth[members])
    return values


def refit(frame, hyperparameters: hybrid.Hyperparameters, chosen: combine.Chosen) -> np.ndarray:
    """Predictions of each quarter by a model that was fitted on all before it."""
    times = frame.held_out["interacted_at"].to_numpy()
    bounds = np.quantile(times.astype(np.int64), np.linspace(0, 1, QUARTERS + 1))
    values = []
    for begin, end in pairwise(bounds):
        at = times.astype(np.int64)
        is_before = at < begin
        inside = (at >= begin) & ((at < end) | (end == bounds[-1]))
        if not inside.any():
            continue
        one = replace(
            frame,
            as_of=datetime.fromtimestamp(begin / 1e6, UTC),
            signals=pa.concat_tables([frame.signals, frame.held_out.filter(pa.array(is_before))]),
            held_out=frame.held_out.filter(pa.array(inside)),
        )
        later = benchmark.successive(fits.fit_all(one, hyperparameters), penalty=None)
        values.append(ndcg(later, chosen))
    return np.concatenate(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--refit", action="store_true")
    settings = Settings()
    arguments = parser.parse_args()
    line("| set | predictions | lists | NDCG@10 | lead on the frozen lists |")
    line("|---|---|---|---|---|")
    for folder in arguments.sets:
        history = datasets.read(folder, settings)
        frame = history.hold_out("time", seed=settings.seed)
        hyperparameters = hybrid.Hyperparameters(seed=settings.seed)
        validation = benchmark.validation_splits(frame, "session", ())
        fitted = {name: fits.fit_all(one, hyperparameters) for name, one in validation.items()}
        outer = fits.fit_all(frame, hyperparameters)
        chosen = combine.choose(fitted, outer.parts.names)
        frozen = ndcg(benchmark.successive(outer, knows_events=False, penalty=None), chosen)
        rows = {"frozen": frozen}
        rows["events in the linear parts"] = ndcg(benchmark.successive(outer, penalty=None), chosen)
        for penalty in PENALTIES:
            name = f"and the vector folded in, penalty {penalty:g}"
            rows[name] = ndcg(benchmark.successive(outer, penalty=penalty), chosen)
        for name, values in rows.items():
            own, lead = metrics.bootstrap_columns(np.column_stack([values, values - frozen]), 1)
            line(
                f"| {folder.name} | {len(values):,} | {name} | {own.mean:.4f} | {lead.mean:+.4f}"
                f" ({lead.low:+.4f} to {lead.high:+.4f}) |"
            )
        if arguments.refit:
            again = refit(frame, hyperparameters, chosen)
            line(
                f"| {folder.name} | {len(again):,} | refit at each quarter | {again.mean():.4f} | |"
            )
        vectors = outer.parts.by_name[fits.HYBRID].warm
        liked = outer.parts.history.matrix().indices[:20].astype(np.intp)
        began = time.process_time()
        for row in range(min(200, len(vectors.members))):
            folded_in(vectors.members[row], vectors.titles, liked)
        solves = min(200, len(vectors.members))
        took = (time.process_time() - began) / solves * 1e6
        line(f"| {folder.name} | {solves} | one solve, 20 titles | {took:.0f} us CPU | |")


if __name__ == "__main__":
    main()
