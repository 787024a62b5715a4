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
from matinee.models import feature_families
from matinee.models.frame import Frame
from matinee.night import evaluate, fit
from matinee.night.frame import EVALUATED, read_frame
from matinee.night.night import Night
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
    here = pc.is_valid(frame.title_features["title_kind"]).to_numpy()
    acted = np.flatnonzero(np.diff(seen.indptr))
    everyone = np.arange(len(worth))

    def mean_worth(slates: np.ndarray) -> np.ndarray:
        return np.take_along_axis(worth, slates, axis=1).mean(axis=1)[acted]

    slates = {}
    for name in (feature_families.HYBRID, feature_families.COLLABORATIVE, feature_families.CONTENT):
        model, features = fit.load(night, EVALUATED, name), feature_families.described(frame, name)
        vectors = model.member_vectors(features.members), model.title_vectors(features.titles)
        slates[name], _ = ranking.best_titles(*vectors, PLACES, excluded=seen, allowed=here)
    popular = frame.popularity(half_life_days=frame.popular_half_life_days)[None, :]
    slates[evaluate.TRENDING], _ = ranking.best_of_scores(
        popular, everyone * 0, PLACES, excluded=seen, allowed=here
    )
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
