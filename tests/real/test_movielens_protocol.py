"""The protocol of LightFM's documentation, run by our own training and metric code.

https://making.lyst.com/lightfm/docs/examples/movielens_implicit.html: MovieLens 100K, ten ratings
of each member held out, identity features, every rating positive, training titles not masked.
"""

import csv
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from matinee import matrices
from matinee.evaluation import splits
from matinee.evaluation.metrics import auc, precision
from matinee.models import hybrid
from matinee.slates import ranking
from matinee.vocabulary import Vocabulary

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """Member ids and title ids of the 100,000 ratings."""
    folder = tmp_path_factory.mktemp("ml-100k")
    script = Path(os.environ["MATINEE_REAL_DATA"]) / "get_ml100k.sh"
    subprocess.run(["bash", script, folder], check=True, capture_output=True)
    with (folder / "ml-100k.inter").open() as lines:
        rows = list(csv.reader(lines, delimiter="\t"))[1:]
    return [row[0] for row in rows], [row[1] for row in rows]


def test_the_documented_numbers_are_reached(ratings):
    members, titles = (Vocabulary.from_ids(ids) for ids in ratings)
    shape = len(members), len(titles)
    assert shape == (943, 1682)
    who, what = members.rows(ratings[0]), titles.rows(ratings[1])
    held_out = splits.member_holdout(who, what, per_member=10, seed=1)
    truth = splits.truth(who, what, held_out, shape=shape)
    assert np.diff(truth.indptr).tolist() == [10] * 943

    known = ~held_out
    liked = matrices.interactions(
        who[known],
        what[known],
        np.ones(known.sum()),
        np.zeros(known.sum()),
        half_life_days=1,
        shape=shape,
    )
    assert (liked.data == 1).all()
    alike = [
        matrices.features(ids, {}, identity=True, family_weights={}, minimum_support=1)
        for ids in (members, titles)
    ]
    protocol = hybrid.Hyperparameters(
        components=10,
        epochs=10,
        learning_rate=0.05,
        title_alpha=0.0,
        member_alpha=0.0,
        max_sampled=10,
        member_shrinkage=0.0,
        seed=1,
    )
    model = hybrid.fit(liked, *alike, protocol)

    of_members, of_titles = model.member_vectors(alike[0]), model.title_vectors(alike[1])
    slates, _ = ranking.best_titles(of_members, of_titles, 10)
    areas = auc(of_members @ of_titles.T, truth)
    assert precision(slates, truth).mean() == pytest.approx(0.11, abs=0.02)
    assert areas.mean() == pytest.approx(0.90, abs=0.02)
