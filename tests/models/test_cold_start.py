"""A title that nobody has met is taken to be like others of its content, and only such a title."""

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
    found = cold_start.foreseen(embeddings, features, COUNTS, penalty=penalty)
    return features.matrix @ found, features.matrix @ embeddings


def test_a_newcomer_goes_half_the_way_to_others_of_its_genre():
    filled, before = vectors(1e-6)
    np.testing.assert_allclose(filled[4], (before[4] + [2, 1]) / 2, atol=1e-4)
    np.testing.assert_allclose(filled[5], (before[5] + [-2, 3]) / 2, atol=1e-4)


def test_the_larger_the_penalty_the_more_it_is_like_everything():
    filled, _ = vectors(1e9)
    np.testing.assert_allclose(filled[4], filled[5], atol=1e-4)
    assert -2 < filled[4, 0] < 2


@given(st.integers(0, 99))
def test_who_was_met_stays_as_it_was_whatever_content_says(seed):
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
    ids=["no identities", "nobody new", "nobody met"],
)
def test_where_there_is_nothing_to_fill_in_or_to_go_by_nothing_changes(features, counts):
    embeddings = np.ones((features.matrix.shape[1], 2), np.float32)
    assert cold_start.foreseen(embeddings, features, counts, penalty=1.0) is embeddings


def test_a_penalty_is_positive():
    with pytest.raises(ConfigError, match="a ridge penalty must be above 0, got 0"):
        vectors(0)


def test_newcomers_come_in_the_order_of_content_and_stay_where_they_were_among_others():
    random = np.random.default_rng(3)
    members = np.hstack([random.standard_normal((40, 5)), np.ones((40, 1))]).astype(np.float32)
    titles = random.standard_normal((7, 6)).astype(np.float32) * 3 + 1
    content_members = (members @ random.standard_normal((6, 3))).astype(np.float32)
    content_titles = random.standard_normal((7, 3)).astype(np.float32)
    told = cold_start.told_by_content(members, titles, content_members, content_titles)
    said, before = members @ told.T, members @ titles.T
    content = content_members @ content_titles.T
    assert (said.argsort(axis=1) == content.argsort(axis=1)).mean() > 0.95
    assert said.mean() == pytest.approx(before.mean(), abs=1e-4)
    spreads = [(one - one.mean(axis=1, keepdims=True)).std() for one in (said, before)]
    assert spreads[0] == pytest.approx(spreads[1], rel=1e-3)


def test_where_content_tells_no_newcomer_from_another_all_are_alike():
    members = np.hstack([np.eye(3), np.ones((3, 1))]).astype(np.float32)
    titles = np.arange(8, dtype=np.float32).reshape(2, 4)
    alike = np.ones((2, 2), np.float32)
    told = cold_start.told_by_content(members, titles, np.ones((3, 2), np.float32), alike)
    said = members @ told.T
    np.testing.assert_allclose(said, (members @ titles.T).mean(), atol=1e-5)
