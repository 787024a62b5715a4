"""Cold titles, and only these, get the factors that their content lets expect."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee import matrices
from matinee.errors import ConfigError
from matinee.models import cold_start
from matinee.vocabulary import Vocabulary

TITLES = Vocabulary.from_ids(["a", "b", "c", "d", "e", "f"])
GENRES = ["Crime", "Crime", "Drama", "Drama", "Crime", "Drama"]
COUNTS = np.array([50, 40, 60, 50, 0, 0])  # e is a new crime film, f a new drama


def described(*, identity=True, genres=GENRES):
    return matrices.features(
        TITLES, {"genre": genres}, identity=identity, family_weights={"genre": 0.5},
        minimum_support=1,
    )  # fmt: skip


def vectors(penalty, embeddings=None):
    features = described()
    if embeddings is None:
        embeddings = np.zeros((8, 2), np.float32)
        embeddings[:4] = [[2, 1], [2, 1], [-2, 3], [-2, 3]]
    filled = cold_start.with_expected_factors(embeddings, features, COUNTS, penalty=penalty)
    return features.matrix @ filled, features.matrix @ embeddings


def test_a_cold_title_moves_halfway_to_the_titles_of_its_genre():
    filled, before = vectors(1e-6)
    np.testing.assert_allclose(filled[4], (before[4] + [2, 1]) / 2, atol=1e-4)
    np.testing.assert_allclose(filled[5], (before[5] + [-2, 3]) / 2, atol=1e-4)


def test_a_large_penalty_moves_a_cold_title_to_the_mean_title():
    filled, _ = vectors(1e9)
    np.testing.assert_allclose(filled[4], filled[5], atol=1e-4)
    assert -2 < filled[4, 0] < 2


@given(st.integers(0, 99))
def test_a_title_with_interactions_does_not_change(seed):
    embeddings = np.random.default_rng(seed).standard_normal((8, 2)).astype(np.float32)
    filled, before = vectors(0.3, embeddings)
    assert filled[:4].tolist() == before[:4].tolist()


@pytest.mark.parametrize(
    ("features", "counts"),
    [
        (described(identity=False), COUNTS),
        (described(), COUNTS + 1),
        (described(), COUNTS * 0),
    ],
    ids=["no identities", "no cold title", "cold titles only"],
)
def test_without_identities_or_with_only_cold_or_no_cold_titles_nothing_changes(features, counts):
    embeddings = np.ones((features.matrix.shape[1], 2), np.float32)
    assert cold_start.with_expected_factors(embeddings, features, counts, penalty=1.0) is embeddings


def test_a_penalty_is_positive():
    with pytest.raises(ConfigError, match="a ridge penalty must be above 0, got 0"):
        vectors(0)
