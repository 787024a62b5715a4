"""Popularity is recent, positive, and local where there is enough to go by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee import popularity


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


def coming_up(titles, ages, *, half_life=10.0, count=4):
    return popularity.trend(
        np.array(titles, dtype=np.intp),
        np.ones(len(titles)),
        np.array(ages, dtype=float),
        half_life_days=half_life,
        title_count=count,
    )


def test_what_is_liked_evenly_has_no_trend_and_what_nobody_liked_neither():
    lead = coming_up(np.zeros(4000), np.linspace(0, 400, 4000))
    np.testing.assert_allclose(lead, 0, atol=0.02)


def test_a_new_title_leads_and_an_old_one_trails():
    new, old = coming_up([0] * 50 + [1] * 50, [0] * 50 + [100] * 50, count=2)
    assert new > 1
    assert old < -1


def test_one_act_says_less_than_many():
    many, one = coming_up([0] * 50 + [1] + [2], [0] * 50 + [0] + [100], count=3)[:2]
    assert many > one > 0


def test_the_trend_by_hand():
    # Ages 0 and 10 of a half-life of 10: over ten days a weight is 10 / ln 2 * (1 - 1/2) / 10.
    even = 0.5 / np.log(2)
    lead = coming_up([0, 1], [0, 10], count=2)
    np.testing.assert_allclose(lead, np.log(np.array([2, 1.5]) / (even + 1)), rtol=1e-5)


def test_no_acts_are_no_trend():
    assert coming_up([], []).tolist() == [0, 0, 0, 0]


def test_a_trend_does_not_depend_on_the_unit_of_signals():
    acts = np.array([0, 0, 1]), np.array([1.0, 2.0, 4.0]), np.array([0.0, 5.0, 50.0])
    leads = [
        popularity.trend(acts[0], acts[1] * unit, acts[2], half_life_days=9, title_count=2)
        for unit in (1, 100)
    ]
    np.testing.assert_allclose(leads[0], leads[1], rtol=1e-5)
