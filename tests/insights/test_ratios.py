"""Change of shares: free of the calendar, honest about chance, and able to find what rises."""

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.insights.cells import CellRule
from matinee.insights.multiple_tests import q_values
from matinee.insights.ratios import Ratio, against_supply, change
from tests.insights.worlds import RISING, two_weeks

RULE = CellRule(20, 10)


def share(seconds):
    return Ratio(seconds, seconds, is_share=True)


def compared(seed, **world):
    """p and q of each attribute, and their names and changes."""
    (before, after), attributes = two_weeks(seed, **world)
    found = change(share(before), share(after), attributes.matrix)
    enough = [RULE.allows((week @ attributes.matrix).tocsr()) for week in (before, after)]
    p = np.where(enough[0] & enough[1], found.p, np.nan)
    return p, q_values(p), attributes, found.log


def test_a_change_is_the_ratio_of_two_shares():
    """Of 100 seconds 50 are of the first attribute, then 60 of 80: half becomes three quarters."""
    before, after = sp.csr_array([[50.0, 50.0]]), sp.csr_array([[60.0, 20.0]])
    found = change(share(before), share(after), sp.csr_array([[1.0, 0.0], [0.0, 1.0]]))
    assert np.exp(found.log) == pytest.approx([1.5, 0.5])
    assert np.isnan(found.error).all()  # one member and one title have no interval


def test_a_completion_rate_is_of_the_titles_of_the_attribute():
    started, completed = sp.csr_array([[1.0, 1.0, 1.0]] * 4), sp.csr_array([[1.0, 0.0, 1.0]] * 4)
    both = sp.csr_array([[1.0], [1.0], [0.0]])
    rate = Ratio(completed, started, is_share=False)
    every = Ratio(started, started, is_share=False)
    assert np.exp(change(every, rate, both).log) == pytest.approx([0.5])


def test_a_busier_week_changes_no_share():
    (before, _), attributes = two_weeks(1)
    found = change(share(before), share((before * 3.0).tocsr()), attributes.matrix)
    assert np.nanmax(np.abs(found.log)) < 1e-12


def test_the_error_is_that_of_a_jackknife_over_members_where_titles_do_not_vary():
    """Outside check: leave one member out, and recompute."""
    (before, after), attributes = two_weeks(2, members=120, titles=12, shock=0.0)
    column = attributes.matrix[:, [attributes.values.index(RISING)]].tocsr()

    def log_ratio(kept):
        weeks = [share(week[kept].tocsr()) for week in (before, after)]
        return change(*weeks, column).log[0]

    everyone = np.arange(120)
    left_out = np.array([log_ratio(np.delete(everyone, one)) for one in everyone])
    jackknife = np.sqrt(119 / 120 * ((left_out - left_out.mean()) ** 2).sum())
    found = change(share(before), share(after), column).error[0]
    assert jackknife <= found * 1.05
    assert found < 3 * jackknife


def test_no_quiet_simulation_of_twenty_has_an_alarm_and_p_values_are_those_of_chance():
    alarms, p_values = 0, []
    for seed in range(20):
        p, q, *_ = compared(seed, members=600)
        alarms += int((q <= 0.01).sum())
        p_values += p[np.isfinite(p)].tolist()
    assert alarms == 0
    assert len(p_values) > 1000
    assert 0.005 < np.mean(np.array(p_values) < 0.05) < 0.065  # neither blind nor rash


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_a_planted_rising_theme_is_among_the_first_three(seed):
    p, q, attributes, log = compared(seed, rise=1.8)
    rising = np.flatnonzero(log > 0)
    first = rising[np.argsort(p[rising])][:3]
    names = [attributes.values[column] for column in first]
    assert RISING in names
    assert q[attributes.values.index(RISING)] <= 0.01


def test_one_hit_is_no_rising_theme():
    """A theme whose hours double by one of its titles alone is not said to rise."""
    (before, after), attributes = two_weeks(3, shock=0.0, calendar=1.0)
    of_theme = attributes.matrix[:, [attributes.values.index(RISING)]].toarray().ravel() > 0
    hit = np.flatnonzero(of_theme)[0]
    factor = np.ones(len(of_theme))
    theirs = float(after.sum(axis=0)[of_theme].sum())
    factor[hit] = 1 + theirs / float(after.sum(axis=0)[hit])
    lifted = (after @ sp.diags_array(factor)).tocsr()
    column = attributes.matrix[:, [attributes.values.index(RISING)]].tocsr()
    found = change(share(before), share(lifted), column)
    assert np.exp(found.log[0]) > 1.5
    assert found.p[0] > 0.05


def test_demand_is_the_hours_of_a_title_against_those_of_the_average_title():
    """Two of four titles have the attribute and three quarters of the hours: one and a half."""
    seconds = sp.csr_array([[30.0, 45.0, 10.0, 15.0]] * 3)
    of_attribute = sp.csr_array([[1.0], [1.0], [0.0], [0.0]])
    found = against_supply(share(seconds), np.ones(4, bool), of_attribute)
    assert np.exp(found.log) == pytest.approx([1.5])


def test_demand_for_what_is_not_supplied_does_not_count():
    seconds = sp.csr_array([[30.0, 45.0, 10.0, 900.0]] * 3)
    supplied = np.array([True, True, True, False])
    of_attribute = sp.csr_array([[1.0], [1.0], [0.0], [1.0]])
    found = against_supply(share(seconds), supplied, of_attribute)
    assert np.exp(found.log) == pytest.approx([75 / 85 / (2 / 3)])
