"""How much of the planted taste is in the first places of the models of the last evaluation.

`python -m benchmarks.planted` reads `simulator/truth.json` and `work/` under MATINEE_HOME, which
`matinee simulate` and `matinee run` left, and prints a row a model. The generator knows what every
title is worth to every member, so the evaluation covers all members and all titles.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import numpy as np
import pyarrow.compute as pc

from matinee.evaluation import metrics
from matinee.models.frame import Frame
from matinee.night import combine, evaluate, fit
from matinee.night.frame import EVALUATED, read_frame
from matinee.night.night import Night
from matinee.night.scorer import COMBINATION
from matinee.operations.simulate import TRUTH
from matinee.settings import Settings
from matinee.simulator.simulation import Simulation
from matinee.slates import ranking

PLACES = evaluate.PLACES


def main() -> None:
    """The mean utility of first places, and its position between chance and the best."""
    settings = Settings()
    night = Night(settings, *[datetime.now(UTC)] * 2)  # nothing here depends on the instant
    truth = json.loads((settings.home / TRUTH).read_text(encoding="utf-8"))
    frame = read_frame(night.work(EVALUATED))
    worth = _utility(frame, truth)
    seen = frame.seen()
    here = frame.in_catalogue
    acted = np.flatnonzero(np.diff(seen.indptr))
    everyone = np.arange(len(worth))

    def mean_worth(slates: np.ndarray) -> np.ndarray:
        return np.take_along_axis(worth, slates, axis=1).mean(axis=1)[acted]

    fitted = fit.load(night, EVALUATED)
    frame = fitted.frame
    chosen = combine.Chosen.read(night.work(""))
    split = evaluate.Split(
        "next_visit", fitted, (chosen.evaluation_weights, chosen.evaluation_weights)
    )
    ranker = evaluate.ranker_of(split, chosen, size=settings.slate_size)
    published = evaluate.versions(ranker, split, chosen, COMBINATION, everyone, ())
    slates = {"published": published.shown} | {
        name: evaluate.baseline(fitted.parts, name, everyone, excluded=seen, allowed=here)
        for name in fitted.parts.names
    }
    best, _ = ranking.best_of_scores(worth, everyone, PLACES, excluded=seen, allowed=here)
    unseen = here & ~seen.toarray()
    chance = (np.where(unseen, worth, 0).sum(axis=1) / unseen.sum(axis=1))[acted]
    far = (mean_worth(best) - chance).mean()
    sys.stdout.write(
        f"{len(acted)} members\nmodel          worth (95 %)              of the best\n"
    )
    for name, rows in slates.items():
        mean, low, high = metrics.bootstrap(found := mean_worth(rows), settings.seed)
        part = (found - chance).mean() / far
        sys.stdout.write(f"{name:14} {mean:+.3f} ({low:+.3f} to {high:+.3f})  {part:.1%}\n")


def _utility(frame: Frame, truth: dict) -> np.ndarray:
    """The planted utility of each title for each member, in standard deviations."""
    given = truth["parameters"]
    simulation = Simulation(given["members"], given["titles"], len(truth["planted"]), given["seed"])
    tables = simulation.tables
    members = pc.index_in(frame.members.ids, value_set=tables.member_ids).to_numpy()
    titles = pc.index_in(frame.titles.ids, value_set=tables.title_ids).to_numpy()
    columns = np.broadcast_to(titles, (len(members), len(titles)))
    return simulation.taste.score(members, columns)


if __name__ == "__main__":
    main()
