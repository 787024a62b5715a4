"""The small-cell rule, and corrections for many tests."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from matinee.insights.attributes import Attributes, narratives
from matinee.insights.cells import CellRule
from matinee.insights.multiple_tests import margins, p_values, q_values

CELLS = st.lists(st.integers(0, 50), min_size=1, max_size=40)


@given(CELLS, st.integers(1, 10), st.integers(1, 10))
def test_a_cell_that_is_shown_has_enough_members_and_none_dominates_it(values, minimum, divisor):
    cell = sp.csr_array(np.array(values, float)[:, None])
    shown = bool(CellRule(minimum, divisor).allows(cell)[0])
    count = sum(value > 0 for value in values)
    assert shown == (count >= minimum and max(values) * divisor <= sum(values))


def test_one_suppressed_value_of_a_total_takes_the_smallest_with_it():
    rule = CellRule(20, 10)
    allowed, totals = np.array([True, True, False]), np.array([9.0, 5.0, 1.0])
    assert rule.complemented(allowed, totals).tolist() == [True, False, False]
    two = np.array([True, False, False])
    assert rule.complemented(two, totals).tolist() == two.tolist()
    assert rule.complemented(allowed, np.array([9.0, 5.0, 0.0])).tolist() == allowed.tolist()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_those_of_scipy(values):
    p = np.array(values)
    np.testing.assert_allclose(q_values(p), stats.false_discovery_control(p), atol=1e-12)


def test_t_tests_and_intervals_are_those_of_scipy():
    estimate, error, degrees = np.array([0.5, -1.0]), np.array([0.2, 0.4]), np.array([4.0, 30.0])
    wanted = 2 * stats.t.sf(np.abs(estimate / error), degrees)
    np.testing.assert_allclose(p_values(estimate, error, degrees), wanted)
    np.testing.assert_allclose(margins(error, degrees), error * stats.t.ppf(0.975, degrees))
    assert np.isnan(p_values(np.array([1.0]), np.array([0.0]), np.array([3.0]))).all()


def test_a_narrative_is_each_pair_of_themes_of_a_title():
    themes = [["epic", "cosy", "dark"], ["dark"], []]
    found = Attributes.of({"theme": themes, "narrative": narratives(themes)})
    assert [found.values[column] for column in found.of_family("narrative")] == [
        "cosy + dark",
        "cosy + epic",
        "dark + epic",
    ]
    assert found.matrix.toarray()[1].tolist() == [0, 1, 0, 0, 0, 0]
