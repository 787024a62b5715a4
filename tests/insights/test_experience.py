"""Rates by week, with a control, and signals beside renewals."""

import numpy as np
import pytest

from matinee.insights.experience import Ratio, change
from matinee.insights.proxies import beyond


def clicks(random, rate, members=400):
    slots = random.poisson(20, members).astype(float)
    return Ratio(random.binomial(slots.astype(int), rate).astype(float), slots)


def test_a_rate_that_doubles_changes_by_one_and_the_interval_has_it():
    random = np.random.default_rng(1)
    found = change(clicks(random, 0.1), clicks(random, 0.2))
    assert found.low < 1.0 < found.high
    assert found.value == pytest.approx(1.0, abs=0.2)
    assert found.p < 1e-6


def test_a_member_in_both_weeks_is_compared_with_themselves():
    """Members differ by a factor of a hundred; each watches a tenth more in the second week."""
    hours = np.geomspace(1, 100, 50)
    before, after = (Ratio(hours * by, np.ones(50)) for by in (1.0, 1.1))
    found = change(before, after)
    assert found.value == pytest.approx(0.1)
    assert found.high - found.low < 1e-6


def test_what_a_control_changes_by_is_taken_out():
    random = np.random.default_rng(2)
    before, after = clicks(random, 0.1), clicks(random, 0.2)
    control = clicks(random, 0.05), clicks(random, 0.1)
    assert change(before, after).p < 1e-6
    found = change(before, after, control)
    assert found.low < 0 < found.high


def test_a_rate_of_nothing_has_no_change():
    nothing = Ratio(np.zeros(3), np.ones(3))
    assert np.isnan(change(nothing, Ratio(np.ones(3), np.ones(3))).p)
    assert np.isnan(Ratio(np.zeros(3), np.zeros(3)).value)


def renewals(seed, effect, n=3000):
    """Who renews depends on what was known, and on the signal by `effect`."""
    random = np.random.default_rng(seed)
    known = random.normal(size=(n, 2))
    signal = 0.8 * known[:, 0] + random.normal(size=n)  # goes with what was known
    odds = 1.0 + 0.9 * known[:, 0] + effect * (signal - signal.mean()) / signal.std()
    return known, signal, random.random(n) < 1 / (1 + np.exp(-odds))


def test_a_signal_that_matters_is_found_and_one_that_repeats_what_was_known_is_not():
    found = beyond(*renewals(1, effect=0.5))
    assert found.low < np.exp(0.5) < found.high
    assert found.p < 1e-6
    p = [beyond(*renewals(seed, effect=0.0)).p for seed in range(40)]
    assert np.mean(np.array(p) < 0.05) <= 0.15


def test_the_odds_ratio_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    known, signal, stayed = renewals(3, effect=0.4)
    columns = np.column_stack([known, (signal - signal.mean()) / signal.std()])
    outside = LogisticRegression(C=1e9, tol=1e-10).fit(columns, stayed)
    assert beyond(known, signal, stayed).odds_ratio == pytest.approx(
        np.exp(outside.coef_[0, -1]), rel=1e-3
    )


def test_a_signal_that_does_not_vary_says_nothing():
    known, signal, stayed = renewals(4, effect=0.0, n=50)
    assert np.isnan(beyond(known, np.zeros_like(signal), stayed).p)
    assert np.isnan(beyond(known, signal, np.ones(50, bool)).p)
