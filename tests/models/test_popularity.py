"""Popularity is local for groups with enough interactions, and overall for the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.models import popularity


def by_country(countries, titles):
    return popularity.group_popularity(
        np.array(countries, dtype=np.intp),
        np.array(titles, dtype=np.intp),
        np.ones(len(titles)),
        shape=(2, 2),
    )


def test_a_large_group_has_its_own_list_and_a_small_one_the_overall_list():
    # Country 0 has ten thousand plays of title 0, country 1 has one play of title 1.
    scores = by_country([0] * 10_000 + [1], [0] * 10_000 + [1])
    assert scores[0, 0] > 0.99
    assert scores[1, 0] > scores[1, 1]
    scores = by_country([0] * 10_000 + [1] * 1000, [0] * 10_000 + [1] * 1000)
    assert scores[1, 1] > scores[1, 0]


def test_members_without_a_group_count_toward_overall_popularity():
    scores = by_country([-1, -1], [1, 1])
    np.testing.assert_allclose(scores, [[0, 1], [0, 1]])


def test_without_signals_popularity_is_zero():
    assert by_country([], []).tolist() == [[0, 0], [0, 0]]


@given(st.integers(0, 99), st.integers(1, 50))
def test_shares_sum_to_one_and_do_not_depend_on_the_order_of_rows(seed, size):
    random = np.random.default_rng(seed)
    groups, titles = random.integers(-1, 3, size), random.integers(0, 5, size)
    weights, order = random.random(size) + 0.01, random.permutation(size)

    def scores(*columns):
        return popularity.group_popularity(*columns, shape=(3, 5))

    straight = scores(groups, titles, weights)
    shuffled = scores(groups[order], titles[order], weights[order])
    np.testing.assert_allclose(straight, shuffled)
    assert straight.sum(axis=1) == pytest.approx(np.ones(3))
