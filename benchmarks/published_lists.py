"""NDCG@10 of the lists that a night would publish, beside each part, by the judge's functions.

    python -m benchmarks.published_lists SET PROTOCOL

SET as for `benchmarks.combination`; PROTOCOL is `time` or `last`. `tests/real/judge.py`, which
imports nothing of matinee, splits the set and evaluates. From the training part: new-account cap,
weights from its own validation splits, calibration of the next visit. Nothing of dbt, Great
Expectations or Feast runs. The parts are evaluated on members with a history only.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.combination import CONTEXTS, line
from matinee.models import fits, hybrid
from matinee.models.combination import Combination
from matinee.models.default_weights import default_weights
from matinee.models.frame import Frame
from matinee.night import combine, evaluate
from matinee.night.frame import CUTS, EVALUATED
from matinee.night.ranker import Ranker
from matinee.research import benchmark, datasets
from matinee.settings import Settings
from tests.real import judge

PLACES = 50
"""Places of a list before the member's own titles are left out."""


def whole(folder: Path, settings: Settings) -> Frame:
    """All of a training part as of the midnight after its last rating, nothing held out."""
    data = datasets.read(folder, settings)
    last = data.signals["interacted_at"].to_numpy().max().astype("datetime64[D]").astype(datetime)
    midnight = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return data.frame(midnight, data.signals, data.signals.slice(0, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("protocol", choices=list(CONTEXTS))
    folder, protocol = vars(parser.parse_args()).values()
    context, settings, started = CONTEXTS[protocol], Settings(), time.process_time()
    with tempfile.TemporaryDirectory() as temporary:
        judge.split(folder, protocol, Path(temporary))
        frame = whole(Path(temporary), settings)
        data = pd.read_parquet(Path(temporary) / "held_out.parquet")
    data = data.drop_duplicates(["user", "item"])
    users, items = np.unique(data.user), np.unique([*judge.items(folder), *data.item])
    part = judge.Part(data, data.held_out.to_numpy(), users, items, liked=False)

    numbers = hybrid.Hyperparameters(seed=settings.seed)
    published = fits.fit_all(frame, numbers)
    names = published.parts.names
    splits = benchmark.validation_splits(frame, context, (EVALUATED, *CUTS))
    chosen = combine.choose(
        {name: fits.fit_all(one, numbers) for name, one in splits.items()}, names
    )

    tweets = judge.is_movietweetings(data)
    members = [f"{'mt' if tweets else 'ml'}-{user}" for user in users[part.members]]
    columns = {(f"tt{item:07d}" if tweets else f"ml-{item}"): n for n, item in enumerate(items)}
    column = np.array([columns.get(title, -1) for title in frame.titles.ids.to_pylist()] + [-1])
    rows, seen = frame.members.rows(members), frame.seen()
    truth, known = part.truth[part.members], rows >= 0

    def ndcg(weights, calibration: float) -> np.ndarray:
        ranker = Ranker(
            published, Combination(names, {context: weights}), seen,
            [None] * len(frame.members), PLACES, calibration_weight=calibration,
        )  # fmt: skip
        (lists,) = ranker.lists(
            rows, country=None, allowed=frame.in_catalogue, contexts=(context,)
        ).values()
        return judge.ndcg(column[ranker.published(rows, lists, context=context).rows], truth)

    weights = chosen.weights[context]
    lists = {
        "published": ndcg(weights, settings.calibration_weight),
        "without calibration": ndcg(weights, 0.0),
        "default weights alone, without calibration": ndcg(default_weights(context, names), 0.0),
    }
    line("| list | members | NDCG@10 (95 %) |")
    line("|---|---|---|")
    for name, values in lists.items():
        line(f"| {name} | {len(values):,} | {judge.interval(values)} |")
        if not known.all():
            line(f"| {name}, with a history | {known.sum():,} | {judge.interval(values[known])} |")
    for name in names:
        ranked = evaluate.baseline(
            published.parts, name, rows[known], excluded=seen[rows[known]],
            allowed=frame.in_catalogue,
        )  # fmt: skip
        values = judge.ndcg(column[ranked], truth[np.flatnonzero(known)])
        line(f"| {name} alone, with a history | {known.sum():,} | {judge.interval(values)} |")
    line(f"\n{time.process_time() - started:.0f} CPU seconds")


if __name__ == "__main__":
    main()
