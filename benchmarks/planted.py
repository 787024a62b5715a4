"""How much of the planted taste comes back in the first places of the models that judged last.

`python -m benchmarks.planted` reads `simulator/truth.json` and `work/` under MATINEE_HOME, which
`matinee simulate` and `matinee run` left, and prints a row a model. The generator knows what every
title is worth to every member, so all members judge, and not only by what they happened to meet.
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
from matinee.night.frame import JUDGED, read_frame
from matinee.night.night import Night
from matinee.operations.simulate import TRUTH
from matinee.settings import Settings
from matinee.simulator.simulation import Simulation
from matinee.slates import ranking

PLACES = evaluate.PLACES


def main() -> None:
    """The mean worth of first places, and which part of the way from chance to the best that is."""
    settings = Settings()
    night = Night(settings, *[datetime.now(UTC)] * 2)  # nothing here depends on the instant
    truth = json.loads((settings.home / TRUTH).read_text(encoding="utf-8"))
    frame = read_frame(night.work(JUDGED))
    worth = _worth(frame, truth)
    met = frame.seen()
    here = pc.is_valid(frame.title_features["title_kind"]).to_numpy()
    acted = np.flatnonzero(np.diff(met.indptr))
    everyone = np.arange(len(worth))

    def mean_worth(slates: np.ndarray) -> np.ndarray:
        return np.take_along_axis(worth, slates, axis=1).mean(axis=1)[acted]

    slates = {}
    for name in (feature_families.HYBRID, feature_families.COLLABORATIVE, feature_families.CONTENT):
        model, features = fit.load(night, JUDGED, name), feature_families.described(frame, name)
        vectors = model.member_vectors(features.members), model.title_vectors(features.titles)
        slates[name], _ = ranking.best_titles(*vectors, PLACES, excluded=met, allowed=here)
    popular = frame.popularity(half_life_days=frame.popular_half_life_days)[None, :]
    slates[evaluate.TRENDING], _ = ranking.best_of_scores(
        popular, everyone * 0, PLACES, excluded=met, allowed=here
    )
    best, _ = ranking.best_of_scores(worth, everyone, PLACES, excluded=met, allowed=here)
    unmet = here & ~met.toarray()
    chance = (np.where(unmet, worth, 0).sum(axis=1) / unmet.sum(axis=1))[acted]
    far = (mean_worth(best) - chance).mean()
    sys.stdout.write(
        f"{len(acted)} members\nmodel          worth (95 %)              of the best\n"
    )
    for name, rows in slates.items():
        mean, low, high = metrics.bootstrap(found := mean_worth(rows), settings.seed)
        part = (found - chance).mean() / far
        sys.stdout.write(f"{name:14} {mean:+.3f} ({low:+.3f} to {high:+.3f})  {part:.1%}\n")


def _worth(frame: Frame, truth: dict) -> np.ndarray:
    """What each title is worth to each member, in standard deviations, as it was planted."""
    given = truth["parameters"]
    simulation = Simulation(given["members"], given["titles"], len(truth["planted"]), given["seed"])
    tables = simulation.tables
    members = pc.index_in(frame.members.ids, value_set=tables.member_ids).to_numpy()
    titles = pc.index_in(frame.titles.ids, value_set=tables.title_ids).to_numpy()
    columns = np.broadcast_to(titles, (len(members), len(titles)))
    return simulation.taste.score(members, columns)


if __name__ == "__main__":
    main()
