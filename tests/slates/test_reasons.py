"""Contributions sum to the score; reasons name the strongest of those that are allowed."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import ConfigError
from matinee.slates import reasons
from matinee.slates.reasons import Kind

# Titles 0 and 1 are crime, 2 is family, 3 is both, 4 has no genre. Each has an identity column
# after the two genres; vectors have two dimensions and a bias.
FEATURES = sp.csr_array(
    np.hstack([[[1, 0], [1, 0], [0, 1], [0.5, 0.5], [0, 0]], np.eye(5)]).astype(np.float32)
)
EMBEDDINGS = np.array(
    [[1, 0, 0.1], [0, 1, 0], [0.1, 0, 0], [2, 0, 0], [0, 0.1, 0], [0, 0, 0], [0, 0, 0]],
    np.float32,
)
MEAN_MEMBER = np.array([0, 0, 1], np.float32)
LIKES_CRIME = np.array([[2.0, 0.5, 1.0]], np.float32)
GENRES = np.arange(7) < 2


def finder(usable=GENRES, **more):
    return reasons.ReasonFinder(
        FEATURES, EMBEDDINGS, MEAN_MEMBER, usable=usable, identity=~GENRES, **more
    )


def best(slate, liked=(), member=LIKES_CRIME, **more):
    row = np.zeros((1, 5), np.float32)
    row[0, list(liked)] = 1
    anchors = reasons.anchors(sp.csr_array(row), 4)
    return finder(**more).best(member, np.array([slate]), anchors)


def test_the_mean_member_is_the_mean_of_all_member_vectors():
    features = sp.csr_array(np.array([[1, 0.5], [1, 0]], np.float32))
    mean = reasons.mean_member(features, np.array([[1, 2], [4, 0]], np.float32))
    assert mean.tolist() == [2, 2, 1]


def test_anchors_are_the_titles_with_the_largest_weight_and_of_equals_the_first():
    liked = sp.csr_array(np.array([[0, 2, 1, 2], [0, 0, 0, 0], [1, 0, 0, 0]], np.float32))
    assert reasons.anchors(liked, 2).tolist() == [[1, 3], [-1, -1], [0, -1]]


def test_contributions_by_hand():
    mean_member = np.array([1, 0, 1], np.float32)
    parts = reasons.contributions(LIKES_CRIME, np.array([3]), FEATURES, EMBEDDINGS, mean_member)
    # Crime and family by the difference from the mean; then the mean member's score: 0.55.
    np.testing.assert_allclose(parts.toarray(), [[0.5, 0.25, 0, 0, 0, 0, 0, 0.55]], rtol=1e-6)


@given(st.integers(0, 999))
def test_contributions_add_up_to_the_score(seed):
    random = np.random.default_rng(seed)
    features = sp.csr_array(
        random.random((9, 6)).astype(np.float32) * (random.random((9, 6)) < 0.5)
    )
    embeddings = random.standard_normal((6, 33)).astype(np.float32)
    members = random.standard_normal((20, 33)).astype(np.float32)
    members[:, -1] = 1
    mean_member = members.mean(axis=0)
    titles = random.integers(0, 9, 20)
    parts = reasons.contributions(members, titles, features, embeddings, mean_member)
    scores = np.einsum("ij,ij->i", members, (features @ embeddings)[titles])
    np.testing.assert_allclose(parts.sum(axis=1), scores, atol=1e-5)
    assert np.diff(parts.indptr).tolist() == [features[[t]].nnz + 1 for t in titles]


def test_members_and_titles_must_pair():
    with pytest.raises(ConfigError, match="1 members for 2 titles: pair them"):
        reasons.contributions(LIKES_CRIME, np.array([0, 1]), FEATURES, EMBEDDINGS, MEAN_MEMBER)


def test_the_feature_with_the_largest_contribution_is_the_reason():
    result = best([3, 2])
    assert result.kind.tolist() == [[Kind.FEATURE, Kind.FEATURE]]
    assert result.index.tolist() == [[0, 1]]
    np.testing.assert_allclose(result.strength, [[1, 0.5]], rtol=1e-6)


def test_a_liked_title_is_the_reason_when_identity_contributes_more_than_content():
    result = best([1, 2], liked=[0])  # title 1 contributes 4 by identity and 2 by crime
    assert result.kind.tolist() == [[Kind.TITLE, Kind.FEATURE]]
    assert result.index.tolist() == [[0, 1]]
    assert result.strength[0, 0] == pytest.approx(4)


def test_two_liked_titles_of_equal_strength_are_both_named():
    assert best([1], liked=[0, 3]).second.tolist() == [[-1]]  # 3 is half family: cosine 0.7
    embeddings = EMBEDDINGS.copy()
    embeddings[5] = [0.9, 0, 0]
    one = reasons.ReasonFinder(FEATURES, embeddings, MEAN_MEMBER, usable=GENRES, identity=~GENRES)
    result = one.best(LIKES_CRIME, np.array([[1]]), np.array([[0, 3]]))
    assert (result.index.tolist(), result.second.tolist()) == ([[0]], [[3]])


def test_a_title_is_no_reason_for_itself():
    assert best([1], liked=[1]).kind.tolist() == [[Kind.FEATURE]]


def test_titles_below_the_minimum_cosine_are_no_reason():
    assert best([1], liked=[0], minimum_cosine=1.1).kind.tolist() == [[Kind.FEATURE]]


def test_reasons_alternate_when_two_are_nearly_as_strong():
    both = np.array([[1.0, 0.9, 1.0]], np.float32)
    assert best([3, 3, 3, 3], member=both).index.tolist()[0] == [0, 1, 0, 1]
    assert best([3, 3, 3], member=np.array([[9, 0.1, 1]], np.float32)).index.tolist() == [[0, 0, 0]]


def test_a_feature_that_is_not_usable_is_no_reason():
    assert best([3], usable=np.arange(7) == 1).index.tolist() == [[1]]
    assert best([0], usable=np.zeros(7, np.bool_)).kind.tolist() == [[Kind.NONE]]


def test_negative_contributions_and_those_of_the_mean_member_are_no_reason():
    result = best([0], member=-LIKES_CRIME, liked=[1])
    assert (result.kind[0, 0], result.index[0, 0], result.strength[0, 0]) == (0, -1, 0)
    assert best([0, 1, 3], member=MEAN_MEMBER[None], liked=[1]).kind.tolist() == [[0, 0, 0]]


def test_a_positive_contribution_is_no_reason_when_the_sum_is_negative():
    at_odds = np.array([[1.0, -3.0, 1.0]], np.float32)
    parts = reasons.contributions(at_odds, np.array([3]), FEATURES, EMBEDDINGS, MEAN_MEMBER)
    assert parts.toarray()[0, :2].tolist() == [0.5, -1.5]  # crime is positive, family more negative
    assert best([3], member=at_odds).kind.tolist() == [[Kind.NONE]]
    torn = np.array([[3.0, -1.0, 1.0]], np.float32)
    assert best([3], member=torn).index.tolist() == [[0]]


def test_empty_places_and_titles_without_features_have_no_reason():
    result = best([4, -1], liked=[0])
    assert result.kind.tolist() == [[Kind.NONE, Kind.NONE]]
    assert result.index.tolist() == [[-1, -1]]
    assert best([-1]).kind.tolist() == [[Kind.NONE]]


def test_reasons_do_not_depend_on_the_block():
    random = np.random.default_rng(1)
    members = random.standard_normal((1200, 3)).astype(np.float32)
    slates = random.integers(-1, 5, (1200, 4))
    liked = reasons.anchors(sp.csr_array((random.random((1200, 5)) < 0.4).astype(np.float32)), 3)
    one = finder()
    result = one.best(members, slates, liked)
    for row in (0, 511, 512, 1199):
        only = slice(row, row + 1)
        alone = one.best(members[only], slates[only], liked[only])
        assert alone.kind.tolist() == result.kind[only].tolist()
        assert alone.index.tolist() == result.index[only].tolist()
        assert alone.second.tolist() == result.second[only].tolist()


def test_neighbours_are_similar_in_direction_whatever_their_bias():
    vectors = np.array([[1, 0, 9], [5, 0.1, 0], [0, 1, 9], [0, 0, 9]], np.float32)
    rows, cosines = reasons.similar_titles(vectors, 2)
    assert rows.tolist() == [[1, 2], [0, 2], [1, 0], [-1, -1]]
    assert cosines[0, 0] == pytest.approx(0.9998, abs=1e-4)
    rows, _ = reasons.similar_titles(vectors, 1, allowed=np.array([True, False, True, True]))
    assert rows.tolist() == [[2], [0], [0], [-1]]
