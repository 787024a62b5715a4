"""Draws have the probabilities they are given, and move no more members than they must."""

import numpy as np
import pytest

from matinee.errors import DataError
from matinee.insights.draws import draw, key_of

MEMBERS = [key_of(f"m-{number}") for number in range(20_000)]


def keys_of(title):
    return np.array([[key_of(1, title, asset) for asset in "abc"]], np.uint64)


def seen(probability, title="t"):
    keys, chances = keys_of(title), np.array([probability])
    return np.concatenate([draw(member, keys, chances) for member in MEMBERS])


def test_members_see_assets_by_their_probability():
    probability = [0.2, 0.5, 0.3]
    assert np.bincount(seen(probability)) / len(MEMBERS) == pytest.approx(probability, abs=0.012)


def test_members_move_only_from_assets_that_lost_to_assets_that_won():
    before, after = seen([0.2, 0.5, 0.3]), seen([0.2, 0.3, 0.5])
    moved = before != after
    assert moved.mean() == pytest.approx(0.2, abs=0.07)
    assert 2 not in before[moved]
    assert 1 not in after[moved]


def test_draws_for_two_titles_are_independent():
    probability = [0.2, 0.5, 0.3]
    equal = np.mean(seen(probability) == seen(probability, "another"))
    assert equal == pytest.approx(0.04 + 0.25 + 0.09, abs=0.012)


def test_titles_are_drawn_together_as_alone():
    keys = np.concatenate([keys_of(title) for title in "xyz"])
    chances = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    alone = [draw(7, keys[[row]], chances[[row]])[0] for row in range(3)]
    assert draw(7, keys, chances).tolist() == alone


def test_only_assets_with_a_probability_are_drawn():
    assert {int(draw(one, keys_of("t"), np.array([[0.0, 0, 1]]))[0]) for one in range(99)} == {2}
    with pytest.raises(DataError, match="no asset of a title may be shown"):
        draw(1, keys_of("t"), np.zeros((1, 3)))


def test_a_page_without_titles_is_no_error():
    assert draw(1, np.empty((0, 3), np.uint64), np.empty((0, 3))).tolist() == []
