"""Newcomers are heard on a title up to what settled members and the usual mix make likely."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from matinee.models import new_account_cap
from matinee.night import frame
from matinee.vocabulary import Vocabulary

SETTLED = 40
"""Members who like one title for four days, and then another each day, in an order of their own."""
TITLES = 12
PUSHED = 12
SHAPE = (200, TITLES + 1)
LAST = TITLES + 2
HABITS = [
    (member, (member + max(day - 3, 0)) % TITLES, day)
    for member in range(SETTLED)
    for day in range(LAST + 1)
]


def looked_at(*likes, habits=HABITS):
    """What is found when, beside the settled, each of `likes` is (member, title, day)."""
    members, titles, days = np.array([*habits, *likes]).T
    times = np.datetime64("2026-01-01T12:00:00") + days * np.timedelta64(1, "D")
    return new_account_cap.crowds(members, titles, np.ones(len(members), bool), times, shape=SHAPE)


def heard(*likes, title=PUSHED, **options):
    found = looked_at(*likes, **options)
    return found.heard[title], found.newcomers[title]


def newcomers(number, title=PUSHED, *, first=100, day=LAST):
    return [(first + n, title, day) for n in range(number)]


def test_of_those_who_only_came_to_push_a_title_two_are_heard_however_many_they_are():
    for number in (2, 3, 20, 90):
        assert heard(*newcomers(number)) == (2, number)


def test_popular_titles_that_a_ring_likes_for_show_give_it_no_past():
    ring = [(100 + n, title, LAST) for n in range(20) for title in (*range(12), PUSHED)]
    assert heard(*ring) == (2, 20)


def test_each_settled_member_who_likes_it_too_lets_one_more_be_heard():
    for settled in (5, 15, 30):
        also = [(member, PUSHED, LAST) for member in range(settled)]
        assert heard(*newcomers(20), *also) == (min(settled, 20), 20)


def test_who_liked_it_first_is_heard_first():
    late, early = newcomers(3, day=LAST), newcomers(2, first=150, day=LAST - 1)
    found = looked_at(*late, *early)
    assert np.flatnonzero(found.unheard).tolist() == [len(HABITS), len(HABITS) + 1, len(HABITS) + 2]


def test_three_days_of_acts_before_make_a_member_settled_and_acts_of_one_day_do_not():
    def used(days):
        return [(100 + n, title, day) for n in range(8) for title, day in enumerate(days)]

    for days, new in (((1, 2, 3), 0), ((1, 2, 2), 8), ((1, 2, LAST), 8)):
        assert heard(*used(days), *newcomers(8))[1] == new


def test_where_most_members_are_new_newcomers_are_heard():
    everybody = [(member, member % TITLES, 0) for member in range(190)]
    assert heard(*newcomers(5, first=150), habits=everybody) == (5, 5)
    few_settled = [*HABITS[:30], *((member, member % TITLES, 0) for member in range(40, 190))]
    assert heard(*newcomers(9, first=150), habits=few_settled) == (9, 9)


def test_who_liked_it_twice_counts_once_and_who_did_not_like_it_not_at_all():
    members, titles, days = np.array(newcomers(2) * 5).T
    times = np.datetime64("2026-01-01") + days
    for liked, viewers in ((np.ones(10, bool), 2), (np.zeros(10, bool), 0)):
        found = new_account_cap.crowds(members, titles, liked, times, shape=SHAPE)
        assert found.viewers[PUSHED] == viewers
        assert not found.unheard.any()


@given(st.permutations(range(len(HABITS) + 6)))
def test_the_order_of_acts_is_nothing_to_it(order):
    members, titles, days = np.array([*HABITS, *newcomers(6)])[list(order)].T
    times = np.datetime64("2026-01-01") + days
    found = new_account_cap.crowds(members, titles, np.ones(len(members), bool), times, shape=SHAPE)
    assert sorted(members[found.unheard]) == [102, 103, 104, 105]


def test_a_title_is_told_when_newcomers_who_are_not_heard_are_most_of_its_crowd():
    assert looked_at(*newcomers(5)).told.tolist() == [PUSHED]
    assert looked_at(*newcomers(4)).told.tolist() == []
    also = [(member, PUSHED, LAST) for member in range(10)]
    assert looked_at(*newcomers(25), *also).told.tolist() == []


def test_where_most_likes_are_of_newcomers_nothing_is_told():
    few_settled = [*HABITS[:45], *((member, member % TITLES, 0) for member in range(40, 100))]
    found = looked_at(*newcomers(30), habits=few_settled)
    assert found.heard[PUSHED] + 3 < found.newcomers[PUSHED]
    assert found.told.tolist() == []


def test_the_sentence_says_what_is_odd_and_what_is_done():
    assert looked_at(*newcomers(6)).sentence(PUSHED, "t-000012") == (
        "t-000012: 6 of the 6 members who like it had acted on fewer than 3 days before; 2 of them"
        " are learned from, and more when settled members like it too"
    )


def test_what_a_ring_did_says_nothing_to_models_and_is_still_seen():
    acts = [*HABITS, (0, PUSHED, LAST), *newcomers(8), *newcomers(8, day=LAST - 1)]
    members = [f"m{member:03}" for member, _, _ in acts]
    titles = [f"t{title:02}" for _, title, _ in acts]
    at = np.datetime64("2026-01-01T12:00:00", "us") + [
        np.timedelta64(day, "D") for _, _, day in acts
    ]
    signals = pa.table(
        {
            "member_id": members,
            "title_id": titles,
            "interacted_at": at,
            "signal_milli": [1000] * len(acts),
            "is_seen": [True] * len(acts),
        }
    )
    silent, told = frame._without_rings(
        signals, Vocabulary.from_ids(members), Vocabulary.from_ids(titles)
    )
    quiet = {
        member
        for member, said in zip(members, silent["signal_milli"].to_pylist(), strict=True)
        if not said
    }
    assert quiet == {f"m{member}" for member in range(102, 108)}
    assert silent.drop(["signal_milli"]) == signals.drop(["signal_milli"])
    (sentence,) = told
    assert sentence.startswith("t12: 8 of the 9 members who like it")
