"""Likes from new accounts count up to what settled members and the usual ratio make likely."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from matinee.models import new_account_cap
from matinee.night import frame
from matinee.research.datasets import Dataset
from matinee.vocabulary import Vocabulary

SETTLED = 40
"""Members who like one title for four days and then one more per day, each in another order."""
TITLES = 12
PUSHED = 12
SHAPE = (200, TITLES + 1)
LAST = TITLES + 2
HABITS = [
    (member, (member + max(day - 3, 0)) % TITLES, day)
    for member in range(SETTLED)
    for day in range(LAST + 1)
]


def capped(*likes, habits=HABITS):
    """The cap applied to `habits` and to likes of (member, title, day)."""
    members, titles, days = np.array([*habits, *likes]).T
    times = np.datetime64("2026-01-01T12:00:00") + days * np.timedelta64(1, "D")
    return new_account_cap.capped_likes(
        members, titles, np.ones(len(members), bool), times, shape=SHAPE
    )


def counts(*likes, title=PUSHED, **options):
    """New accounts within the cap, and all of them."""
    result = capped(*likes, **options)
    return result.counted[title], result.new_accounts[title]


def new_accounts(number, title=PUSHED, *, first=100, day=LAST):
    return [(first + n, title, day) for n in range(number)]


def test_of_accounts_that_only_push_a_title_two_count():
    for number in (2, 3, 20, 90):
        assert counts(*new_accounts(number)) == (2, number)


def test_likes_of_popular_titles_on_the_same_day_are_no_history():
    ring = [(100 + n, title, LAST) for n in range(20) for title in (*range(12), PUSHED)]
    assert counts(*ring) == (5, 20)  # it is a third of all members, and so the usual ratio is high


def test_each_settled_member_raises_the_cap_by_one():
    for settled in (5, 15, 30):
        also = [(member, PUSHED, LAST) for member in range(settled)]
        assert counts(*new_accounts(20), *also) == (min(settled, 20), 20)


def test_the_earliest_likes_count_first():
    late, early = new_accounts(3, day=LAST), new_accounts(2, first=150, day=LAST - 1)
    excluded = np.flatnonzero(capped(*late, *early).excluded)
    assert excluded.tolist() == [len(HABITS), len(HABITS) + 1, len(HABITS) + 2]


def test_events_on_three_other_days_make_a_member_settled():
    def used(days):
        return [(100 + n, title, day) for n in range(8) for title, day in enumerate(days)]

    later = (LAST + 1, LAST + 2, LAST + 3)
    for days, new in (((1, 2, 3), 0), (later, 0), ((1, 2, 2), 8), ((1, 2, LAST), 8)):
        assert counts(*used(days), *new_accounts(8))[1] == new


def test_days_with_events_on_the_pushed_title_do_not_count():
    ring = [like for day in range(5) for like in new_accounts(8, day=day)]
    assert counts(*ring) == (2, 8)


def test_a_title_of_the_first_week_keeps_its_likes_once_members_come_back():
    first_week = [(100 + n, PUSHED, 0) for n in range(20)]
    came_back = [(100 + n, day, day) for n in range(20) for day in range(1, 4)]
    assert counts(*first_week) == (2, 20)
    assert counts(*first_week, *came_back) == (0, 0)


def test_where_most_members_are_new_their_likes_count():
    only_new = [(member, member % TITLES, 0) for member in range(190)]
    assert counts(*new_accounts(5, first=150), habits=only_new) == (5, 5)
    few_settled = [*HABITS[:30], *((member, member % TITLES, 0) for member in range(40, 190))]
    assert counts(*new_accounts(9, first=150), habits=few_settled) == (9, 9)


def test_a_second_like_does_not_count_and_neither_does_a_dislike():
    members, titles, days = np.array(new_accounts(2) * 5).T
    times = np.datetime64("2026-01-01") + days
    for liked, count in ((np.ones(10, bool), 2), (np.zeros(10, bool), 0)):
        result = new_account_cap.capped_likes(members, titles, liked, times, shape=SHAPE)
        assert result.members[PUSHED] == count
        assert not result.excluded.any()


@given(st.permutations(range(len(HABITS) + 6)))
def test_the_order_of_events_does_not_matter(order):
    members, titles, days = np.array([*HABITS, *new_accounts(6)])[list(order)].T
    times = np.datetime64("2026-01-01") + days
    result = new_account_cap.capped_likes(
        members, titles, np.ones(len(members), bool), times, shape=SHAPE
    )
    assert sorted(members[result.excluded]) == [102, 103, 104, 105]


def test_a_title_is_reported_when_most_of_its_members_are_beyond_the_cap():
    assert capped(*new_accounts(5)).reported.tolist() == [PUSHED]
    assert capped(*new_accounts(4)).reported.tolist() == []
    also = [(member, PUSHED, LAST) for member in range(10)]
    assert capped(*new_accounts(25), *also).reported.tolist() == []


def test_where_most_likes_are_from_new_accounts_no_title_is_reported():
    few_settled = [*HABITS[:45], *((member, member % TITLES, 0) for member in range(40, 100))]
    result = capped(*new_accounts(30), habits=few_settled)
    assert result.counted[PUSHED] + 3 < result.new_accounts[PUSHED]
    assert result.reported.tolist() == []


def test_the_warning_says_what_is_unusual_and_what_is_done():
    assert capped(*new_accounts(6)).warning(PUSHED, "t-000012") == (
        "t-000012: 6 of the 6 members who like it had events on fewer than 3 other days; 2 of them"
        " are learned from, and more when settled members like it too"
    )


def test_excluded_events_have_no_signal_and_are_still_seen():
    events = [*HABITS, (0, PUSHED, LAST), *new_accounts(8), *new_accounts(8, day=LAST - 1)]
    members = [f"m{member:03}" for member, _, _ in events]
    titles = [f"t{title:02}" for _, title, _ in events]
    at = np.datetime64("2026-01-01T12:00:00", "us") + [
        np.timedelta64(day, "D") for _, _, day in events
    ]
    signals = pa.table(
        {
            "member_id": members,
            "title_id": titles,
            "interacted_at": at,
            "signal_milli": [1000] * len(events),
            "is_seen": [True] * len(events),
        }
    )
    cleaned, warnings = frame.with_new_account_cap(
        signals, Vocabulary.from_ids(members), Vocabulary.from_ids(titles)
    )
    without_signal = {
        member
        for member, signal in zip(members, cleaned["signal_milli"].to_pylist(), strict=True)
        if not signal
    }
    assert without_signal == {f"m{member}" for member in range(102, 108)}
    assert cleaned.drop(["signal_milli"]) == signals.drop(["signal_milli"])
    (warning,) = warnings
    assert warning.startswith("t12: 8 of the 9 members who like it")

    as_of = datetime(2026, 1, 20, tzinfo=UTC)
    dataset = Dataset(
        "crowded",
        signals,
        pa.table({"member_id": sorted(set(members))}),
        [(as_of, pa.table({"title_id": sorted(set(titles))}))],
        30.0,
    )
    assert dataset.frame(as_of, signals, signals.slice(0, 0)).signals == cleaned
