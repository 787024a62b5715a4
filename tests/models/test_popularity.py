"""Popularity is recent, positive, and local where there is enough to go by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.models import popularity


def test_a_fresh_act_counts_twice_one_that_is_a_half_life_old():
    scores = popularity.popularity(
        np.array([0, 1, 1]),
        np.array([1.0, 1.0, -5.0]),
        np.array([0.0, 7.0, 0.0]),
        half_life_days=7,
        title_count=3,
    )
    np.testing.assert_allclose(scores, [1, 0.5, 0])


def by_country(countries, titles):
    return popularity.group_popularity(
        np.array(countries, dtype=np.intp),
        np.array(titles, dtype=np.intp),
        np.ones(len(titles)),
        np.zeros(len(titles)),
        half_life_days=7,
        shape=(2, 2),
    )


def test_a_large_group_has_its_own_list_and_a_small_one_the_worlds():
    # Country 0 watches title 0 ten thousand times; country 1 watched title 1 once.
    scores = by_country([0] * 10_000 + [1], [0] * 10_000 + [1])
    assert scores[0, 0] > 0.99
    assert scores[1, 0] > scores[1, 1]
    scores = by_country([0] * 10_000 + [1] * 1000, [0] * 10_000 + [1] * 1000)
    assert scores[1, 1] > scores[1, 0]


def test_members_of_no_group_count_toward_everybody():
    scores = by_country([-1, -1], [1, 1])
    np.testing.assert_allclose(scores, [[0, 1], [0, 1]])


def test_nothing_watched_is_nothing_popular():
    assert by_country([], []).tolist() == [[0, 0], [0, 0]]


@given(st.integers(0, 99), st.integers(1, 50))
def test_shares_sum_to_one_and_do_not_depend_on_the_order_of_rows(seed, size):
    random = np.random.default_rng(seed)
    acts = random.integers(-1, 3, size), random.integers(0, 5, size)
    signal, age, order = random.random(size) + 0.01, random.random(size), random.permutation(size)

    def scores(*columns):
        return popularity.group_popularity(*columns, half_life_days=7, shape=(3, 5))

    straight = scores(*acts, signal, age)
    shuffled = scores(acts[0][order], acts[1][order], signal[order], age[order])
    assert straight.tobytes() == shuffled.tobytes()
    assert straight.sum(axis=1) == pytest.approx(np.ones(3))
