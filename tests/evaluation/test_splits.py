"""Protocols hold out what they promise, in a defined order, and drop no member."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import ConfigError, DataError
from matinee.evaluation import splits


def days(*numbers):
    return np.datetime64("2026-01-01") + np.array(numbers).astype("timedelta64[D]")


def test_the_cut_is_the_midnight_that_leaves_about_the_share_after_it():
    times = days(*range(10)).astype("datetime64[s]") + np.timedelta64(3, "h")
    assert splits.global_time_cut(times, share=0.3) == np.datetime64("2026-01-08")
    assert splits.time_split(times, np.datetime64("2026-01-08")).sum() == 3


def test_of_two_equally_good_midnights_the_later_one_is_the_cut():
    assert splits.global_time_cut(days(0, 1, 2), share=0.5) == np.datetime64("2026-01-03")


def test_an_interaction_at_the_cut_is_held_out():
    assert splits.time_split(days(0, 1), np.datetime64("2026-01-02")).tolist() == [False, True]


def test_one_day_cannot_be_cut():
    with pytest.raises(DataError, match=r"2 interactions on 1 day\(s\): no midnight divides them"):
        splits.global_time_cut(days(0, 0))


@pytest.mark.parametrize("share", [0, 1, 1.5])
def test_a_share_lies_between_zero_and_one(share):
    with pytest.raises(ConfigError, match=f"a share must lie between 0 and 1, got {share}"):
        splits.global_time_cut(days(0, 1), share=share)
    with pytest.raises(ConfigError, match="a share must lie"):
        splits.cold_titles(np.arange(3), share=share, seed=1)


def test_the_holdout_takes_a_number_of_titles_per_member_and_leaves_half():
    members = np.repeat([0, 1, 2], [20, 3, 1])
    titles = np.concatenate([np.arange(20), np.arange(3), [0]])
    held = splits.member_holdout(members, titles, per_member=5, seed=1)
    assert np.bincount(members, weights=held).tolist() == [5, 1, 0]


def test_interactions_with_one_title_are_held_out_together():
    members, titles = np.zeros(40, int), np.arange(40) % 8
    held = splits.member_holdout(members, titles, per_member=3, seed=1)
    assert len(set(titles[held]) & set(titles[~held])) == 0
    assert len(set(titles[held])) == 3


@given(st.integers(0, 50), st.integers(1, 60))
def test_a_holdout_does_not_depend_on_the_order_of_rows(seed, size):
    random = np.random.default_rng(seed)
    members, titles = random.integers(0, 4, size), random.integers(0, 9, size)
    times, order = days(*random.integers(0, 5, size)), random.permutation(size)
    for split in (
        lambda m, t, _: splits.member_holdout(m, t, per_member=2, seed=seed),
        lambda m, t, at: splits.leave_last(m, t, at, per_member=2),
        lambda _, t, __: splits.cold_titles(t, share=0.3, seed=seed),
    ):
        straight = split(members, titles, times)[order]
        assert straight.tolist() == split(members[order], titles[order], times[order]).tolist()


def test_the_last_title_is_held_out_and_ties_go_to_the_higher_row():
    members = np.array([0, 0, 0, 1, 1, 1])
    titles = np.array([3, 1, 2, 5, 4, 5])
    times = days(
        0, 2, 1, 1, 1, 9
    )  # the first interaction with title 5 is on day 1, as with title 4
    held = splits.leave_last(members, titles, times)
    assert held.tolist() == [False, True, False, True, False, True]


@pytest.mark.parametrize("per_member", [0, -1])
def test_at_least_one_title_must_be_held_out(per_member):
    rows = np.arange(4)
    message = f"at least 1 title per member must be held out, got {per_member}"
    with pytest.raises(ConfigError, match=message):
        splits.member_holdout(rows, rows, per_member=per_member, seed=1)
    with pytest.raises(ConfigError, match=message):
        splits.leave_last(rows, rows, days(0, 1, 2, 3), per_member=per_member)


def test_all_interactions_of_cold_titles_are_held_out():
    titles = np.arange(100) % 10
    held = splits.cold_titles(titles, share=0.2, seed=1)
    assert len(set(titles[held])) == 2
    assert not set(titles[held]) & set(titles[~held])


def test_the_held_out_set_has_no_titles_seen_before():
    members, titles = np.array([0, 0, 0, 1]), np.array([1, 1, 2, 0])
    held = np.array([False, True, True, True])
    truth = splits.truth(members, titles, held, shape=(2, 3))
    assert truth.toarray().astype(int).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert truth.nnz == 2


def choose(members, times, minimum):
    return splits.choose_protocol(
        members,
        np.arange(len(members)),
        times,
        share=0.5,
        per_member=1,
        minimum_test_members=minimum,
    )


def test_the_time_cut_is_used_when_it_evaluates_enough_members():
    protocol = choose(np.array([0, 0, 1, 1]), days(0, 1, 0, 1), 2)
    assert protocol.name == "global_time_cut"
    assert protocol.cut == np.datetime64("2026-01-02")
    assert protocol.held_out.tolist() == [False, True, False, True]
    assert protocol.verdict == "global time cut at 2026-01-02: 2 members evaluated"


def test_last_titles_are_held_out_when_the_time_cut_evaluates_too_few_members():
    protocol = choose(np.array([0, 0, 1, 1]), days(0, 1, 0, 0), 2)
    assert protocol.name == "leave_last"
    assert protocol.cut is None
    assert protocol.test_member_count == 2
    assert protocol.verdict == (
        "leave last: 2 members evaluated, up to 1 last titles each "
        "(time cut 2026-01-02: 1 members, 2 needed)"
    )


def test_a_backfill_of_one_day_uses_a_member_holdout():
    protocol = choose(np.array([0, 0]), days(0, 0), 1)
    assert protocol.name == "leave_last"
    assert "all 2 interactions are on one day" in protocol.verdict


def test_a_member_who_is_new_after_the_cut_is_evaluated():
    protocol = choose(np.array([0, 0, 1, 2]), days(0, 0, 1, 1), 2)
    assert protocol.name == "global_time_cut"
    assert protocol.test_member_count == 2


def test_all_interactions_of_cold_members_are_held_out_and_none_of_others():
    members = np.repeat(np.arange(10), 3)
    held = splits.cold_members(members, share=0.2, seed=1)
    assert sorted(np.bincount(members, weights=held).tolist()) == [0] * 8 + [3, 3]


@pytest.mark.parametrize("name", splits.NAMES)
def test_every_protocol_leaves_interactions_on_both_sides(name):
    members, titles = np.divmod(np.arange(200), 20)
    held = splits.hold_out(name, members, titles, days(*range(200)), seed=1)
    assert 0 < held.sum() < 200


def test_an_unknown_protocol_is_an_error_that_lists_the_known_ones():
    nothing = np.zeros(0, int)
    with pytest.raises(ConfigError, match="no protocol 'psychic': it is one of time, last, hold"):
        splits.hold_out("psychic", nothing, nothing, days(), seed=1)
