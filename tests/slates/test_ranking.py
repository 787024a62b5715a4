"""Slates are exactly the best titles, whatever the blocks and ties."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.errors import ConfigError, DataError
from matinee.slates.ranking import best_of_scores, best_titles, scores_of

ONE = np.ones((1, 1), np.float32)


def of_scores(*scores):
    """Title vectors that give a member with vector 1 these scores."""
    return np.array(scores, np.float32)[:, None]


def test_the_best_titles_come_first_with_their_scores():
    rows, scores = best_titles(ONE, of_scores(0.1, 0.9, 0.5), 2)
    assert rows.tolist() == [[1, 2]]
    assert scores.tolist() == [[np.float32(0.9), np.float32(0.5)]]


def test_equal_scores_go_to_the_lower_row():
    assert best_titles(ONE, of_scores(0, -0.0, 0, 0), 3)[0].tolist() == [[0, 1, 2]]


def test_seen_titles_never_come_back_even_when_places_stay_empty():
    seen = sp.csr_array(np.array([[True, False]]))
    rows, scores = best_titles(ONE, of_scores(0.9, 0.8), 2, excluded=seen)
    assert rows.tolist() == [[1, -1]]
    assert scores[0, 1] == -np.inf


@pytest.mark.parametrize("allowed", [[False, True, True], [[False, True, True]]])
def test_only_allowed_titles_are_shown(allowed):
    seen = sp.csr_array(np.array([[False, False, True]]))
    rows, _ = best_titles(ONE, of_scores(3, 2, 1), 3, excluded=seen, allowed=np.array(allowed))
    assert rows.tolist() == [[1, -1, -1]]


def test_without_allowed_titles_or_members_slates_are_empty():
    nothing = np.zeros(2, np.bool_)
    assert best_titles(ONE, of_scores(1, 2), 1, allowed=nothing)[0].tolist() == [[-1]]
    assert best_titles(ONE[:0], of_scores(1, 2), 1)[0].shape == (0, 1)


def by_hand(scores, k, forbidden):
    slates = []
    for row, barred in zip(scores, forbidden, strict=True):
        left = [title for title in range(len(row)) if not barred[title]]
        best = sorted(left, key=lambda title, row=row: (-row[title], title))[:k]
        slates.append(best + [-1] * (k - len(best)))
    return slates


@given(st.data())
@settings(deadline=None)
def test_slates_match_a_plain_python_sort(data):
    """Vectors of small whole numbers: scores are exact and full of ties."""
    random = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    n_members, n_titles = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 300))
    k, block = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 12))
    members = random.integers(-3, 4, (n_members, 2)).astype(np.float32)
    titles = random.integers(-3, 4, (n_titles, 2)).astype(np.float32)
    seen = random.random((n_members, n_titles)) < data.draw(st.sampled_from([0, 0.3, 0.95]))
    allowed = random.random(n_titles) < data.draw(st.sampled_from([0.5, 1]))
    excluded = sp.csr_array(seen)
    rows, scores = best_titles(members, titles, k, excluded=excluded, allowed=allowed, block=block)
    exact = members @ titles.T
    assert rows.tolist() == by_hand(exact, k, seen | ~allowed)
    filled = rows >= 0
    assert (scores[filled] == np.take_along_axis(exact, rows, axis=1)[filled]).all()
    each_allowed = np.tile(allowed, (n_members, 1))
    again, _ = best_titles(members, titles, k, excluded=excluded, allowed=each_allowed)
    assert again.tolist() == rows.tolist()


def test_a_member_gets_the_same_bits_alone_and_in_a_block():
    random = np.random.default_rng(7)
    members = random.standard_normal((150, 33)).astype(np.float32)
    titles = random.standard_normal((700, 33)).astype(np.float32)
    rows, scores = best_titles(members, titles, 20)
    for member in (0, 77, 149):
        alone = best_titles(members[member : member + 1], titles, 20)
        assert alone[0].tolist() == rows[member : member + 1].tolist()
        assert alone[1].tobytes() == scores[member : member + 1].tobytes()


def test_members_of_a_group_share_its_scores_but_not_their_seen_titles():
    popular = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    seen = sp.csr_array(np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=bool))
    rows, _ = best_of_scores(popular, np.array([0, 0, 1]), 2, excluded=seen)
    assert rows.tolist() == [[1, 2], [0, 1], [2, 1]]


def test_a_member_without_a_group_is_an_error():
    with pytest.raises(ConfigError, match="1 members are in a group outside 0 to 0"):
        best_of_scores(np.ones((1, 3)), np.array([-1]), 1)


@pytest.mark.parametrize(("side", "name"), [(0, "member"), (1, "title")])
def test_a_vector_that_is_not_finite_is_an_error(side, name):
    vectors = [np.ones((3, 1), np.float32), np.ones((3, 1), np.float32)]
    vectors[side][1] = np.nan
    with pytest.raises(DataError, match=rf"1 {name} vectors are not finite \(first: row 1\)"):
        best_titles(*vectors, 1)


def test_a_score_that_is_not_finite_is_an_error():
    huge = np.full((1, 1), 3e38, np.float32)
    with np.errstate(over="ignore"), pytest.raises(DataError, match="scores are not finite: the"):
        best_titles(huge, huge, 1)


def test_a_size_out_of_range_is_an_error_that_names_the_range():
    with pytest.raises(ConfigError, match="a slate has at least 1 place, got 0"):
        best_titles(ONE, ONE, 0)
    with pytest.raises(ConfigError, match="block must be 1 to 128 members, got 129"):
        best_titles(ONE, ONE, 1, block=129)
    with pytest.raises(ConfigError, match="members have 2 dimensions, titles 1"):
        best_titles(np.ones((1, 2), np.float32), ONE, 1)
    with pytest.raises(ConfigError, match=r"33554433 titles: at most 33554432 can be ranked"):
        best_titles(ONE, np.broadcast_to(ONE, ((1 << 25) + 1, 1)), 1)


@given(st.integers(0, 999))
def test_scores_are_as_exact_as_32_bits_allow(seed):
    random = np.random.default_rng(seed)
    members, titles = ((50 * random.standard_normal((n, 65))).astype(np.float32) for n in (5, 9))
    rows = random.integers(-1, 9, (5, 4))
    scores = scores_of(rows, members, titles, block=2)
    exact = members.astype(np.float64) @ titles.astype(np.float64).T
    for member, places in enumerate(rows):
        for place, title in enumerate(places):
            expected = np.float32(exact[member, title]) if title >= 0 else -np.inf
            assert scores[member, place] == pytest.approx(expected, rel=1.2e-7)
