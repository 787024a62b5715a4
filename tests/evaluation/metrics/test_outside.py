"""Metrics equal those of scikit-learn on random scores."""

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.evaluation import metrics
from matinee.slates import ranking

MEMBERS, TITLES, PLACES = 60, 40, 10


@pytest.fixture(scope="module")
def outside():
    from sklearn import metrics  # not at collection: it takes a second

    return metrics


@pytest.fixture(scope="module")
def drawn():
    random = np.random.default_rng(5)
    scores = random.permuted(np.tile(np.arange(TITLES, dtype=np.float32), (MEMBERS, 1)), axis=1)
    held_out = random.random((MEMBERS, TITLES)) < 0.1
    held_out[:, 0] = True  # scikit-learn has no value without a positive
    slates, _ = ranking.best_of_scores(scores, np.arange(MEMBERS), PLACES)
    return scores, held_out, slates, sp.csr_array(held_out)


def test_ndcg(drawn, outside):
    scores, held_out, slates, truth = drawn
    expected = [
        outside.ndcg_score([one], [score], k=PLACES)
        for one, score in zip(held_out, scores, strict=True)
    ]
    np.testing.assert_allclose(metrics.ndcg(slates, truth), expected)


def test_auc(drawn, outside):
    scores, held_out, _, truth = drawn
    expected = [
        outside.roc_auc_score(one, score) for one, score in zip(held_out, scores, strict=True)
    ]
    np.testing.assert_allclose(metrics.auc(scores, truth), expected)


def test_average_precision_over_the_whole_catalogue(drawn, outside):
    scores, held_out, _, truth = drawn
    whole, _ = ranking.best_of_scores(scores, np.arange(MEMBERS), TITLES)
    expected = [
        outside.average_precision_score(one, score)
        for one, score in zip(held_out, scores, strict=True)
    ]
    np.testing.assert_allclose(metrics.average_precision(whole, truth), expected)


def test_precision(drawn, outside):
    _, held_out, slates, truth = drawn
    shown = np.zeros_like(held_out)
    np.put_along_axis(shown, slates, values=True, axis=1)
    expected = [
        outside.precision_score(one, show) for one, show in zip(held_out, shown, strict=True)
    ]
    np.testing.assert_allclose(metrics.precision(slates, truth), expected)
