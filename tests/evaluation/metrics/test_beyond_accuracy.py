"""Coverage, inequality, novelty and diversity at their extremes and by plain loops."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from matinee.evaluation import metrics
from matinee.evaluation.metrics import coverage, exposure, gini, intra_list_diversity, novelty


def test_a_catalogue_shown_evenly_is_covered_and_equal():
    slates = np.array([[0, 1], [2, 3]])
    assert coverage(slates, title_count=4) == 1
    assert gini(slates, title_count=4) == 0


def test_one_title_for_all_has_a_gini_near_one():
    slates = np.zeros((50, 1), int)
    assert coverage(slates, title_count=100) == 0.01
    assert gini(slates, title_count=100) == pytest.approx(0.99)


def test_empty_places_are_no_exposure():
    slates = np.array([[-1, -1]])
    assert exposure(slates, title_count=2).tolist() == [0, 0]
    assert gini(slates, title_count=2) == 0
    assert np.isnan(novelty(slates, np.array([1, 1]), member_count=2)).all()
    assert np.isnan(intra_list_diversity(slates, sp.eye_array(2, format="csr"))).all()


def test_a_title_without_interactions_is_as_novel_as_one_with_one():
    assert novelty(np.array([[0], [1]]), np.array([0, 1]), member_count=8).tolist() == [3, 3]


@given(st.integers(0, 999))
def test_diversity_equals_the_mean_over_all_pairs(seed):
    random = np.random.default_rng(seed)
    features = random.random((8, 3)).astype(np.float32) * (random.random((8, 3)) < 0.6)
    slate = random.permutation(8)[:4]
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(lengths > 0, lengths, 1)
    pairs = [1 - unit[a] @ unit[b] for a, b in itertools.combinations(slate, 2)]
    diversity = intra_list_diversity(slate[None], sp.csr_array(features))
    assert diversity == pytest.approx([np.mean(pairs)], abs=1e-6)


def test_a_hit_of_popularity_is_not_serendipitous():
    truth = sp.csr_array(np.array([[1, 1, 0], [0, 0, 0]], bool))
    slates, popular = np.array([[0, 1], [0, 1]]), np.array([[0], [0]])
    values = metrics.serendipity(slates, truth, popular)
    assert values[0] == 0.5
    assert np.isnan(values[1])


def test_calibration_is_nan_without_a_genre_distribution():
    genres = sp.csr_array(np.array([[1, 0], [0, 0]], np.float32))
    tastes = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    values = metrics.calibration(np.array([[0], [1], [0]]), tastes, genres)
    assert np.isnan(values).tolist() == [True, True, False]
    assert values[2] == pytest.approx(0)
