"""A title that only accounts without a history like is told from a hit and from a usual mix."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee import rings
from matinee.pipeline import frames
from matinee.vocabulary import Vocabulary

SETTLED = 30
"""Members who like all of titles 0 to 11: newcomers to none."""
SHAPE = (100, 14)


def looked_at(*likes, settled=SETTLED):
    """What is found when, beside the settled, each of `likes` is (member, title)."""
    usual = [(member, title) for member in range(settled) for title in range(12)]
    members, titles = np.array([*usual, *likes]).T
    return rings.crowds(members, titles, np.ones(len(members), bool), shape=SHAPE)


def doubted(*likes, **options):
    return np.flatnonzero(looked_at(*likes, **options).doubted).tolist()


def newcomers(number, title, *, first=40):
    return [(first + n, title) for n in range(number)]


def test_a_title_that_only_newcomers_like_is_doubted():
    assert doubted(*newcomers(4, 12)) == [12]


def test_a_new_hit_that_settled_members_like_as_well_is_not():
    settled = [(member, 12) for member in range(4)]
    assert doubted(*newcomers(4, 12), *settled) == []


def test_two_newcomers_are_no_ring():
    assert doubted(*newcomers(2, 12)) == []
    assert doubted(*newcomers(3, 12)) == [12]


def test_popular_titles_that_a_ring_likes_for_show_are_not_doubted():
    ring = [(member, title) for member in range(40, 60) for title in (0, 1, 2, 3, 4, 12)]
    found = looked_at(*ring)
    assert np.flatnonzero(found.doubted).tolist() == [12]
    assert (found.newcomers[0], found.viewers[0]) == (20, 50)


def test_where_most_members_are_new_new_members_are_no_sign():
    everybody = [(member, member % 12) for member in range(30, 100)]
    assert doubted(*everybody, *newcomers(5, 12), settled=2) == []


def test_ten_other_titles_make_a_member_settled():
    nine = [(member, title) for member in range(40, 50) for title in (*range(9), 12)]
    ten = [(member, title) for member in range(40, 50) for title in (*range(10), 12)]
    assert doubted(*nine) == [12]
    assert doubted(*ten) == []


def test_who_liked_it_twice_counts_once_and_who_did_not_like_it_not_at_all():
    members, titles = np.array(newcomers(2, 12) * 5).T
    liked = np.ones(10, bool)
    assert rings.crowds(members, titles, liked, shape=SHAPE).viewers[12] == 2
    assert rings.crowds(members, titles, ~liked, shape=SHAPE).viewers.sum() == 0


@given(st.permutations(range(SETTLED * 12 + 4)))
def test_the_order_of_acts_is_nothing_to_it(order):
    usual = [(member, title) for member in range(SETTLED) for title in range(12)]
    members, titles = np.array([*usual, *newcomers(4, 12)])[list(order)].T
    found = rings.crowds(members, titles, np.ones(len(members), bool), shape=SHAPE)
    assert np.flatnonzero(found.doubted).tolist() == [12]


@pytest.mark.parametrize("row", [12])
def test_the_sentence_says_what_is_odd_and_what_is_done(row):
    assert looked_at(*newcomers(4, row)).sentence(row, "t-000012") == (
        "t-000012: 4 of the 4 members who like it like fewer than 10 other titles, and 1% is"
        " usual: what they did with it is not learned from until others like it too"
    )


def test_what_a_ring_did_says_nothing_to_models_and_is_still_seen():
    usual = [(f"m{member:02}", f"t{title:02}") for member in range(30) for title in range(12)]
    members, titles = zip(
        *usual, ("m00", "t12"), *((f"x{n}", "t12") for n in range(8)), strict=True
    )
    signals = pa.table(
        {
            "member_id": members,
            "title_id": titles,
            "signal_milli": [1000] * len(members),
            "is_seen": [True] * len(members),
        }
    )
    known = Vocabulary.from_ids(members), Vocabulary.from_ids(titles)
    heard, told = frames._without_rings(signals, *known)
    said = heard["signal_milli"].to_pylist()
    assert said == [1000] * (len(members) - 8) + [0] * 8
    assert heard.drop(["signal_milli"]) == signals.drop(["signal_milli"])
    (sentence,) = told
    assert sentence.startswith("t12: 8 of the 9 members who like it")
