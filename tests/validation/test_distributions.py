import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.validation import distributions
from matinee.validation.distributions import ENOUGH_ROWS, FEW, compare, distance, noise

NAMES = st.sampled_from(["tv", "phone", "tablet", "web", FEW])
HISTOGRAMS = st.dictionaries(NAMES, st.integers(1, 10_000), min_size=1)
WEEK = {"tv": 500, "phone": 300, "web": 200}


def test_the_examples_in_docstrings_are_true():
    assert doctest.testmod(distributions).failed == 0


@given(HISTOGRAMS, HISTOGRAMS)
def test_distance_is_between_nothing_and_everything_and_the_same_both_ways(one, other):
    seen = distance(one, other)
    assert 0 <= seen <= 1
    assert seen == pytest.approx(distance(other, one))


@given(HISTOGRAMS, st.integers(1, 100))
def test_only_shares_matter_to_distance(one, times):
    assert distance(one, {name: times * rows for name, rows in one.items()}) < 1e-6


def test_a_value_that_few_members_share_on_the_other_side_is_no_news():
    assert distance({"tv": 95, "car": 5}, {"tv": 95, FEW: 5}) == 0
    assert distance({"tv": 60, "car": 40}, {"tv": 95, FEW: 5}) > 0.4


def test_renamed_values_have_nothing_in_common():
    assert distance(WEEK, {name.upper(): rows for name, rows in WEEK.items()}) == 1


def test_noise_is_what_smaller_samples_have_more_of():
    thousandth = {name: rows / 10 for name, rows in WEEK.items()}
    assert noise(thousandth, thousandth) > noise(WEEK, WEEK) > 0


def compared(tonight):
    (check,) = compare({"device": tonight}, {"device": WEEK})
    return check


def test_a_week_like_the_live_release_s_is_as_expected():
    assert compared({"tv": 490, "phone": 320, "web": 190}).success


@pytest.mark.parametrize(
    "tonight",
    [
        {"tv": 430, "phone": 257, "web": 171, "(unknown)": 142},  # one day in seven without
        {"tv": 1000},
        {"TV": 500, "phone": 300, "web": 200},
    ],
)
def test_a_week_unlike_it_warns_and_says_why(tonight):
    check = compared(tonight)
    assert not check.success
    assert not check.stops
    assert check.severity == "warning"
    assert check.notes.startswith("A player's new version")
    assert check.observed > check.rule["max_value"]
    assert "(device) broken by 0." in check.sentence


def test_too_few_rows_get_no_verdict():
    few = {"tv": ENOUGH_ROWS - 1}
    assert compare({"device": few}, {"device": WEEK}) == ()
    assert compare({"device": WEEK}, {"device": few}) == ()
    assert compare({"device": WEEK}, {}) == ()
