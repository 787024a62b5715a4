"""Intervals contain the mean, are deterministic, and pairing detects small leads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import ConfigError
from matinee.evaluation.metrics import bootstrap, paired_bootstrap


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(0, 99))
def test_the_mean_lies_in_its_interval_and_equal_seeds_give_equal_intervals(values, seed):
    interval = bootstrap(np.array(values), seed)
    assert interval.mean == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9
    assert interval == bootstrap(np.array(values), seed)
    assert interval == bootstrap(np.array(values[::-1]), seed)


def test_the_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(1).random(2000)
    interval = bootstrap(values, 1)
    width = 2 * 1.96 * values.std() / np.sqrt(2000)
    assert interval.high - interval.low == pytest.approx(width, rel=0.1)


def test_pairing_detects_a_small_lead_among_very_different_members():
    random = np.random.default_rng(1)
    members = random.random(500)
    lead = paired_bootstrap(members + 0.01 + random.normal(0, 0.01, 500), members, 1)
    assert lead.low > 0
    assert bootstrap(members, 1).high - bootstrap(members, 1).low > lead.mean


def test_an_empty_cohort_is_an_error():
    with pytest.raises(ConfigError, match="no values to bootstrap: the cohort is empty"):
        bootstrap(np.array([]), 1)


def test_values_that_are_not_finite_are_an_error():
    with pytest.raises(ConfigError, match="1 of 2 values are not finite: leave out members"):
        bootstrap(np.array([0.5, np.nan]), 1)


def test_values_of_different_members_cannot_be_paired():
    with pytest.raises(ConfigError, match="2 values cannot be paired with 1"):
        paired_bootstrap(np.ones(2), np.ones(1), 1)
