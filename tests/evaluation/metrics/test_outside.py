"""Metrics equal those of scikit-learn on random scores."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import average_precision_score, ndcg_score, precision_score, roc_auc_score

from matinee.evaluation import metrics
from matinee.slates import ranking

MEMBERS, TITLES, PLACES = 60, 40, 10


@pytest.fixture(scope="module")
def drawn():
    random = np.random.default_rng(5)
    scores = random.permuted(np.tile(np.arange(TITLES, dtype=np.float32), (MEMBERS, 1)), axis=1)
    wanted = random.random((MEMBERS, TITLES)) < 0.1
    wanted[:, 0] = True  # scikit-learn has no value without a positive
    slates, _ = ranking.best_of_scores(scores, np.arange(MEMBERS), PLACES)
    return scores, wanted, slates, sp.csr_array(wanted)


def test_ndcg(drawn):
    scores, wanted, slates, truth = drawn
    theirs = [
        ndcg_score([want], [score], k=PLACES) for want, score in zip(wanted, scores, strict=True)
    ]
    np.testing.assert_allclose(metrics.ndcg(slates, truth), theirs)


def test_auc(drawn):
    scores, wanted, _, truth = drawn
    theirs = [roc_auc_score(want, score) for want, score in zip(wanted, scores, strict=True)]
    np.testing.assert_allclose(metrics.auc(scores, truth), theirs)


def test_average_precision_over_the_whole_catalogue(drawn):
    scores, wanted, _, truth = drawn
    whole, _ = ranking.best_of_scores(scores, np.arange(MEMBERS), TITLES)
    theirs = [
        average_precision_score(want, score) for want, score in zip(wanted, scores, strict=True)
    ]
    np.testing.assert_allclose(metrics.average_precision(whole, truth), theirs)


def test_precision(drawn):
    _, wanted, slates, truth = drawn
    shown = np.zeros_like(wanted)
    np.put_along_axis(shown, slates, values=True, axis=1)
    theirs = [precision_score(want, show) for want, show in zip(wanted, shown, strict=True)]
    np.testing.assert_allclose(metrics.precision(slates, truth), theirs)
