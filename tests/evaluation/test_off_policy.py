"""Off-policy estimates: by hand, by simulation, and when there is no verdict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import DataError
from matinee.evaluation import off_policy


def log(seed, *, rows=4000):
    """Two actions with rates 0.1 and 0.3; the log shows the second one rarely."""
    random = np.random.default_rng(seed)
    action = (random.random(rows) < 0.2).astype(int)
    reward = (random.random(rows) < np.array([0.1, 0.3])[action]).astype(float)
    return action, reward, np.array([0.8, 0.2])[action]


def test_estimates_by_hand():
    """Rewards 1, 0, 1 with weights 2, 1, 1: IPS (2 + 1) / 3, SNIPS 3 / 4, replay of two rows 1."""
    reward, weight = np.array([1.0, 0.0, 1.0]), np.array([2.0, 1.0, 1.0])
    assert off_policy.ips(reward, weight).value == pytest.approx(1.0)
    assert off_policy.snips(reward, weight).value == pytest.approx(0.75)
    assert off_policy.replay(reward, np.array([True, False, True])).value == 1.0
    assert off_policy.snips(reward, weight).effective_rows == pytest.approx(16 / 6)


def test_doubly_robust_is_right_if_the_model_is_right_whatever_the_weights():
    reward, expected = np.array([1.0, 0.0]), np.array([0.4, 0.6])
    found = off_policy.doubly_robust(reward, np.array([9.0, 0.1]), reward, expected)
    assert found.value == pytest.approx(0.5)


@pytest.mark.parametrize("kind", ["ips", "snips", "dr"])
def test_the_interval_of_another_policy_covers_its_value_19_times_in_20(kind):
    """The target shows both actions alike, so its value is 0.2."""
    covered = 0
    for seed in range(200):
        action, reward, propensity = log(seed)
        weight = off_policy.weights(np.full(len(action), 0.5), propensity)
        if kind == "dr":
            model = np.array([0.15, 0.15])  # a wrong model
            whole = np.full(len(action), model.mean())
            found = off_policy.doubly_robust(reward, weight, model[action], whole)
        else:
            found = getattr(off_policy, kind)(reward, weight)
        covered += found.low <= 0.2 <= found.high
    assert 180 <= covered <= 199


def test_the_mean_of_the_log_is_off_by_more_than_its_interval():
    """A fault that the weights correct: without them the estimate is of the logging policy."""
    _, reward, _ = log(1)
    raw = off_policy.snips(reward, np.ones(len(reward)))
    assert raw.high < 0.2


def test_rows_of_one_member_are_not_independent():
    """Each of 50 members has 20 equal rows: the interval is that of 50 rows, not of 1,000."""
    values = (np.random.default_rng(1).random(50) < 0.5).astype(float)
    reward, member = np.repeat(values, 20), np.repeat(np.arange(50), 20)
    few = off_policy.snips(values, np.ones(50))
    clustered = off_policy.snips(reward, np.ones(1000), member)
    assert clustered.high - clustered.low == pytest.approx(few.high - few.low)
    assert off_policy.snips(reward, np.ones(1000)).high < few.high


def test_the_interval_matches_a_bootstrap():
    action, reward, propensity = log(3)
    weight = off_policy.weights(np.where(action == 1, 0.9, 0.1), propensity)
    random, draws = np.random.default_rng(1), []
    for _ in range(400):
        rows = random.integers(len(reward), size=len(reward))
        draws.append((weight * reward)[rows].sum() / weight[rows].sum())
    found = off_policy.snips(reward, weight)
    assert (found.low, found.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.006)


def test_little_support_is_no_verdict_and_says_why():
    reward, weight = np.zeros(5000), np.ones(5000)
    assert "rewards is 0.0" in off_policy.snips(reward, weight).verdict
    reward[:50] = 1
    assert off_policy.snips(reward, weight).is_supported
    weight[0] = 21_739
    found = off_policy.snips(reward, weight)
    assert not found.is_supported
    assert "effective sample size is 1.5, below 100" in found.verdict
    weight[0] = 800
    assert "one row has 14% of all weight" in off_policy.snips(reward, weight).verdict or (
        "effective sample size" in off_policy.snips(reward, weight).verdict
    )


@pytest.mark.parametrize(("target", "logged"), [(0.5, 0.0), (1.5, 0.5), (0.5, float("nan"))])
def test_a_row_without_a_propensity_is_refused(target, logged):
    with pytest.raises(DataError, match="1 of 2 rows have no propensity"):
        off_policy.weights(np.array([target, 0.5]), np.array([logged, 0.5]))


def test_an_empty_log_and_a_nan_are_refused():
    with pytest.raises(DataError, match="no rows to estimate from"):
        off_policy.ips(np.zeros(0), np.zeros(0))
    with pytest.raises(DataError, match="finite"):
        off_policy.ips(np.array([np.nan]), np.ones(1))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 50)), min_size=1, max_size=20))
def test_a_self_normalised_estimate_stays_in_the_range_of_rewards(rows):
    reward, weight = map(np.array, zip(*rows, strict=True))
    value = off_policy.snips(reward, weight).value
    assert reward.min() - 1e-9 <= value <= reward.max() + 1e-9


@pytest.mark.parametrize(
    ("reward", "message"),
    [([], "no rows to estimate from"), ([1.0, np.nan], "must be finite in all of 2 rows")],
)
def test_a_log_without_rows_or_with_a_reward_that_is_no_number_is_refused(reward, message):
    with pytest.raises(DataError, match=message):
        off_policy.snips(np.array(reward), np.ones(len(reward)))
