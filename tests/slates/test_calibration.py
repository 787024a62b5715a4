"""Calibrated slates are nearer to the genre distribution; a weight of 0 changes nothing."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import ConfigError
from matinee.evaluation import metrics
from matinee.slates import calibration

# Six dramas, then three comedies.
GENRES = sp.csr_array(np.array([[1, 0]] * 6 + [[0, 1]] * 3, np.float32))
SLATE = np.arange(9)[None]
SCORES = np.linspace(2, 1, 9, dtype=np.float32)[None]


def rerank(weight, mix=(0.5, 0.5), slate=SLATE):
    mixes = np.array([mix], np.float32)
    return calibration.rerank(slate, SCORES, mixes, GENRES, weight=weight)


def test_the_first_places_have_the_genre_distribution_of_the_member():
    rows, scores = rerank(0.9)
    assert (rows[0, :4] >= 6).tolist() == [False, True, False, True]
    np.testing.assert_array_equal(scores[0], SCORES[0, rows[0]])


def test_a_weight_of_zero_and_an_unknown_distribution_change_nothing():
    assert rerank(0)[0].tolist() == SLATE.tolist()
    assert rerank(0.9, mix=(0, 0))[0].tolist() == SLATE.tolist()


def test_a_weight_outside_0_to_1_is_an_error():
    with pytest.raises(ConfigError, match=r"0 to 1, got 1\.5"):
        rerank(1.5)


def test_a_few_very_high_scores_do_not_change_the_effect_of_calibration():
    slates = np.arange(30)[None]
    genres = calibration.shares(
        sp.csr_array(np.eye(2, dtype=np.float32)[(np.arange(30) % 3 > 0) * 1])
    )
    even = np.linspace(2, 1, 30, dtype=np.float32)[None]
    stretched = even.copy()
    stretched[0, :3] += 9
    mixes = np.array([[0.5, 0.5]], np.float32)
    order, other = (
        calibration.rerank(slates, scores, mixes, genres, weight=0.1)[0][0, :10].tolist()
        for scores in (even, stretched)
    )
    assert order == other != list(range(10))


def test_empty_places_stay_last():
    slate = np.array([[3, 7, 0, -1, -1, -1, -1, -1, -1]])
    assert rerank(0.9, slate=slate)[0][0, 3:].tolist() == [-1] * 6


def test_a_genre_distribution_is_the_weighted_mean_of_interactions():
    liked = sp.csr_array(np.array([[3, 0, 0, 0, 0, 0, 1, 0, 0], [0] * 9], np.float32))
    assert calibration.tastes(liked, GENRES).tolist() == [[0.75, 0.25], [0, 0]]


def test_a_title_of_two_genres_has_half_of_each():
    shares = calibration.shares(sp.csr_array(np.array([[0.15, 0.15], [0, 0]], np.float32)))
    assert shares.toarray().tolist() == [[0.5, 0.5], [0, 0]]


@given(st.integers(0, 999), st.sampled_from([0.1, 0.5, 1.0]))
def test_calibration_keeps_the_titles_and_never_increases_the_divergence(seed, weight):
    random = np.random.default_rng(seed)
    genres = calibration.shares(sp.csr_array(random.integers(0, 2, (30, 4)).astype(np.float32)))
    rows = np.array([random.permutation(30)[:12] for _ in range(20)])
    scores = np.sort(random.random((20, 12)).astype(np.float32))[:, ::-1]
    mixes = random.dirichlet(np.ones(4), 20).astype(np.float32)
    reordered, _ = calibration.rerank(rows, scores, mixes, genres, weight=weight)
    assert np.sort(reordered).tolist() == np.sort(rows).tolist()
    if weight == 1.0:
        before, after = (metrics.calibration(x[:, :6], mixes, genres) for x in (rows, reordered))
        assert np.nanmean(after) <= np.nanmean(before) + 1e-6
