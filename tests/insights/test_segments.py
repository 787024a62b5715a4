"""Segments: planted groups are found, keep their numbers, and are named by what is theirs."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from matinee.insights import segments

LABELS = st.lists(st.integers(0, 3), min_size=2, max_size=40)


def planted(seed=1, groups=4, members=320, titles=120):
    """Members who watch mostly titles of their own group, the groups, and blocks of titles."""
    random = np.random.default_rng(seed)
    group, of_title = np.arange(members) % groups, np.arange(titles) % groups
    weight = np.where(group[:, None] == of_title, 8.0, 1.0)
    rows = [random.choice(titles, 8, replace=False, p=one / one.sum()) for one in weight]
    watched = sp.lil_array((members, titles))
    for row, columns in enumerate(rows):
        watched[row, columns] = 1.0
    genres = np.eye(groups)[of_title]
    return watched.tocsr(), group, [genres, genres + random.normal(0, 0.1, genres.shape)]


def test_planted_groups_are_found_with_their_number():
    from sklearn.metrics import adjusted_rand_score

    watched, group, blocks = planted()
    found = segments.cluster(segments.profiles(watched, blocks), smallest=20, seed=1)
    assert found.k == 4
    assert adjusted_rand_score(group, found.labels) > 0.9
    assert found.stability[4] > 0.9


def test_the_same_seed_gives_the_same_segments():
    watched, _, blocks = planted()
    points = segments.profiles(watched, blocks)
    first, second = (segments.cluster(points, smallest=20, seed=5) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)
    assert first.stability == second.stability


def test_no_segment_has_fewer_members_than_a_cell_may_have():
    watched, _, blocks = planted(members=100)
    found = segments.cluster(segments.profiles(watched, blocks), smallest=30, seed=1)
    assert found.k in (0, 2, 3)
    assert found.k == 0 or np.bincount(found.labels).min() >= 30


def test_too_few_members_are_in_no_segment():
    found = segments.cluster(np.zeros((30, 2)), smallest=20, seed=1)
    assert found.k == 0
    assert set(found.labels.tolist()) == {-1}


@given(LABELS, st.randoms())
def test_the_adjusted_rand_index_is_that_of_scikit_learn(left, random):
    from sklearn.metrics import adjusted_rand_score

    right = [random.randint(0, 2) for _ in left]
    found = segments.adjusted_rand(np.array(left), np.array(right))
    assert found == pytest.approx(adjusted_rand_score(left, right), abs=1e-9)


@given(LABELS, st.permutations(range(4)))
def test_segments_that_are_only_numbered_anew_keep_their_numbers(left, order):
    labels = np.unique(np.array(left), return_inverse=True)[1].astype(np.intp)
    before = np.array(order)[labels]
    matched = segments.match(labels, before)
    assert matched[labels].tolist() == before.tolist()


def test_a_segment_with_few_members_in_common_is_new():
    labels = np.array([0] * 10 + [1] * 10)
    before = np.array([3] * 10 + [3, 3] + [-1] * 8)
    assert segments.match(labels, before).tolist() == [3, -1]


def test_log_odds_prefer_what_sets_a_segment_apart_to_what_all_watch():
    """Drama is watched most by all; Western three times as often here as elsewhere."""
    inside, everywhere = np.array([100.0, 30.0, 1.0]), np.array([1000.0, 100.0, 1.0])
    z = segments.log_odds(inside, everywhere)
    assert z[1] > 2 > z[0]
    assert z[1] > z[2]  # one lucky count is no evidence


def test_an_axis_of_the_coordinates_has_one_direction():
    watched, _, blocks = planted()
    points = segments.profiles(watched, blocks)
    again = segments.profiles(watched, [block.copy() for block in blocks])
    assert np.array_equal(points, again)
    assert points.shape[1] <= segments.MOST_DIMENSIONS
