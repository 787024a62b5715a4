"""Is the audience of a title calibrated, and does a brief beat plain rules?

    python -m benchmarks.audience SET...

SET as for `benchmarks.combination`, real logs: a folder of MovieLens or MovieTweetings. The last
weeks are held out; titles that were first rated in them are what a brief is tested on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.combination import load
from matinee import matrices
from matinee.evaluation.metrics import binary
from matinee.insights import audience, title_brief
from matinee.models import linear
from matinee.models.feature_families import TITLE_WEIGHTS
from matinee.vocabulary import Vocabulary


def alike(history):
    """RP3beta, as `matinee.operations.market` uses it."""
    walks = linear.rp3beta(history, alpha=0.8, beta=0.45)
    return lambda rows: walks.scores(history[rows])


def fitted(folder: Path) -> tuple[audience.Audience, title_brief.BackTest | None]:
    """The models of a set, and the back-test of briefs."""
    whole, catalogue = load(folder)
    days = whole.times / 86_400
    log = audience.Log(whole.members, whole.titles, days, whole.shape)
    ids = Vocabulary.from_ids([f"{row:09d}" for row in range(whole.shape[1])])
    families = {
        "genre": catalogue.genres,
        "decade": ["" if np.isnan(one) else str(int(one) // 10) for one in catalogue.years],
    }
    made = matrices.features(
        ids, families, identity=False, family_weights=TITLE_WEIGHTS, minimum_support=1
    )
    model = audience.fit(log, made.matrix, alike, now=float(days.max()), seed=1)
    genres = [(own or [None])[0] for own in catalogue.genres]
    return model, title_brief.back_test(model, made.matrix, genres)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    write = sys.stdout.write
    write("| set | titles | pairs | viewings | AUC | calibration error | mean | reached | lift |\n")
    write("|---|---|---|---|---|---|---|---|---|\n")
    tests = []
    for folder in parser.parse_args().sets:
        model, tested = fitted(folder)
        tests.append((folder.name, tested))
        for kind, held in model.held_out.items():
            error = binary.calibration_error(list(held.calibration))
            write(
                f"| {folder.name} | {kind} | {held.pairs:,} | {held.viewings:,} | {held.auc:.3f} |"
                f" {error:.5f} | {held.viewings / held.pairs:.5f} | {held.reached:.3f} |"
                f" {held.lift:.2f} |\n"
            )
    write("\n| set | new titles | brief | mean of its genre | three most alike | inside |\n")
    write("|---|---|---|---|---|---|\n")
    for name, one in tests:
        if one:
            write(
                f"| {name} | {one.titles} | {one.brief:.3f} | {one.genre_mean:.3f} |"
                f" {one.naive:.3f} | {one.inside:.0%} |\n"
            )


if __name__ == "__main__":
    main()
