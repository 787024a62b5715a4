"""Reasons add up to the score, name the strongest cause, and never what may not be told."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from matinee import reasons
from matinee.errors import ConfigError
from matinee.reasons import Kind

# Titles 0 and 1 are crime, 2 is family, 3 is both, 4 is nothing; two dimensions and a bias.
FEATURES = sp.csr_array(
    np.array([[1, 0], [1, 0], [0, 1], [0.5, 0.5], [0, 0]], dtype=np.float32)
)  # fmt: skip
EMBEDDINGS = np.array([[1, 0, 0.1], [0, 1, 0.0]], np.float32)
LIKES_CRIME = np.array([[2.0, 0.5, 1.0]], np.float32)
ALL = np.ones(2, np.bool_)


def best(slate, liked=(), tellable=ALL, **more):
    row = np.zeros((1, 5), np.float32)
    row[0, list(liked)] = 1
    return reasons.best_reasons(
        LIKES_CRIME, np.array([slate]), FEATURES, EMBEDDINGS,
        tellable=tellable, liked=sp.csr_array(row), **more,
    )  # fmt: skip


def test_contributions_by_hand():
    parts = reasons.contributions(LIKES_CRIME, np.array([3]), FEATURES, EMBEDDINGS)
    np.testing.assert_allclose(parts.toarray(), [[0.5 * 2.1, 0.5 * 0.5]], rtol=1e-6)


@given(st.integers(0, 999))
def test_contributions_add_up_to_the_score(seed):
    random = np.random.default_rng(seed)
    features = sp.csr_array(
        random.random((9, 6)).astype(np.float32) * (random.random((9, 6)) < 0.5)
    )
    embeddings = random.standard_normal((6, 33)).astype(np.float32)
    members = random.standard_normal((20, 33)).astype(np.float32)
    titles = random.integers(0, 9, 20)
    parts = reasons.contributions(members, titles, features, embeddings)
    scores = np.einsum("ij,ij->i", members, (features @ embeddings)[titles])
    np.testing.assert_allclose(parts.sum(axis=1), scores, atol=1e-5)


def test_members_and_titles_must_pair():
    with pytest.raises(ConfigError, match="1 members for 2 titles: pair them"):
        reasons.contributions(LIKES_CRIME, np.array([0, 1]), FEATURES, EMBEDDINGS)


def test_the_feature_that_adds_most_is_the_reason():
    found = best([3, 2])
    assert found.kind.tolist() == [[Kind.FEATURE, Kind.FEATURE]]
    assert found.index.tolist() == [[0, 1]]
    np.testing.assert_allclose(found.strength, [[1.05, 0.5]], rtol=1e-6)


def test_a_liked_title_that_is_alike_is_the_better_reason():
    found = best([1, 2], liked=[0])
    assert found.kind.tolist() == [[Kind.TITLE, Kind.FEATURE]]
    assert found.index.tolist() == [[0, 1]]
    assert found.strength[0, 0] == pytest.approx(1)


def test_titles_that_are_not_alike_enough_are_no_reason():
    assert best([1], liked=[0], minimum_cosine=1.1).kind.tolist() == [[Kind.FEATURE]]


def test_what_may_not_be_told_is_not():
    found = best([3], tellable=np.array([False, True]))
    assert found.index.tolist() == [[1]]
    assert best([0], tellable=~ALL).kind.tolist() == [[Kind.NONE]]


def test_a_feature_that_speaks_against_the_title_is_no_reason():
    dislikes = reasons.best_reasons(
        -LIKES_CRIME, np.array([[0]]), FEATURES, EMBEDDINGS,
        tellable=ALL, liked=sp.csr_array((1, 5), dtype=np.float32),
    )  # fmt: skip
    assert (dislikes.kind[0, 0], dislikes.index[0, 0], dislikes.strength[0, 0]) == (0, -1, 0)


def test_empty_places_and_titles_without_features_have_no_reason():
    found = best([4, -1], liked=[0])
    assert found.kind.tolist() == [[Kind.NONE, Kind.NONE]]
    assert found.index.tolist() == [[-1, -1]]
    assert best([-1]).kind.tolist() == [[Kind.NONE]]


def test_reasons_do_not_depend_on_the_block():
    random = np.random.default_rng(1)
    members = random.standard_normal((600, 3)).astype(np.float32)
    slates = random.integers(-1, 5, (600, 4))
    liked = sp.csr_array((random.random((600, 5)) < 0.2).astype(np.float32))
    rest = {"tellable": ALL, "minimum_cosine": 0.5}
    found = reasons.best_reasons(members, slates, FEATURES, EMBEDDINGS, liked=liked, **rest)
    for row in (0, 255, 256, 599):
        one = slice(row, row + 1)
        alone = reasons.best_reasons(
            members[one], slates[one], FEATURES, EMBEDDINGS, liked=liked[one], **rest
        )
        assert alone.kind.tolist() == found.kind[one].tolist()
        assert alone.index.tolist() == found.index[one].tolist()


def test_neighbours_are_alike_in_direction_not_in_fame():
    vectors = np.array([[1, 0, 9], [5, 0.1, 0], [0, 1, 9], [0, 0, 9]], np.float32)
    rows, cosines = reasons.similar_titles(vectors, 2)
    assert rows.tolist() == [[1, 2], [0, 2], [1, 0], [-1, -1]]
    assert cosines[0, 0] == pytest.approx(0.9998, abs=1e-4)
    rows, _ = reasons.similar_titles(vectors, 1, allowed=np.array([True, False, True, True]))
    assert rows.tolist() == [[2], [0], [0], [-1]]
