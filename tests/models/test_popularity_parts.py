"""Popularity by interactions: halves by count, and never stands on few events or few members."""

import numpy as np
import pytest

from matinee.errors import DataError
from matinee.models.history import History
from matinee.models.popularity_parts import popularity_in_interactions


def history(members, titles, times, shape):
    arrays = np.asarray(members), np.asarray(titles)
    return History.of_signals(*arrays, None, np.asarray(times, "datetime64[s]"), shape=shape)


def test_the_weight_halves_with_every_half_life_of_later_interactions():
    n = 4000
    members, titles = np.arange(n), np.arange(n) % 2
    log = history(members, titles, np.arange(n), (n, 2))
    counts, half_life = popularity_in_interactions(log, half_life=500)
    age = n - 1 - np.arange(n)
    expected = np.bincount(titles, 0.5 ** (age / 500))
    np.testing.assert_allclose(counts, expected)
    assert half_life == 500


def test_a_day_of_three_busy_members_does_not_stand():
    """Title 0 has the last 900 places of three members among 4,000; others are by all."""
    members = np.concatenate([np.arange(4000) % 400, np.repeat([0, 1, 2], 300)])
    titles = np.concatenate([np.arange(4000) // 400, np.tile(np.arange(10, 310), 3)])
    log = history(members, titles, np.arange(4900), (400, 310))
    counts, half_life = popularity_in_interactions(log, half_life=200)
    assert half_life > 200
    assert counts[:10].min() > counts[10:].max()


def test_a_half_life_beyond_the_history_is_a_plain_count():
    log = history([0, 1, 1], [2, 2, 0], [5, 6, 7], (2, 3))
    counts, half_life = popularity_in_interactions(log, half_life=1000)
    assert counts.tolist() == [1, 0, 2]
    assert np.isinf(half_life)


def test_interactions_of_one_instant_have_one_age():
    log = history([0, 1, 2, 0], [0, 1, 2, 3], [1, 1, 5, 6], (3, 4))
    assert log.age.tolist() == [2, 2, 1, 0]


def test_a_pair_counts_once_at_its_last_event_and_negative_sums_do_not():
    log = History.of_signals(
        np.array([0, 0, 1, 1]),
        np.array([1, 1, 0, 2]),
        np.array([1.0, 1.0, -2.0, 0.5]),
        np.array([9, 4, 5, 6], "datetime64[s]"),
        shape=(2, 3),
    )
    assert log.members.tolist() == [1, 0]
    assert log.titles.tolist() == [2, 1]
    assert (log.times // 10**6).tolist() == [6, 9]


def test_the_fading_query_halves_by_titles():
    log = history([0, 0, 0, 1], [3, 1, 2, 0], [1, 2, 3, 9], (2, 4))
    query = log.fading(half_life_titles=1.0).toarray()
    np.testing.assert_allclose(query, [[0, 0.5, 1, 0.25], [1, 0, 0, 0]])


def test_rows_outside_the_vocabulary_are_refused():
    with pytest.raises(DataError, match="title rows reach from 0 to 3, the vocabulary has 3"):
        history([0, 0], [0, 3], [0, 0], (1, 3))
