"""Each part of a fit but the demand for new titles is a baseline, and item-kNN is one."""

import doctest

from matinee.models import baselines, fits
from tests import worlds


def test_the_baselines_are_the_parts_of_a_fit_and_item_knn():
    names = fits.with_item_knn(worlds.fit(members=20, titles=16).parts).names
    assert "new_titles" in names
    assert sorted(baselines.baselines_of(names).values()) == list(baselines.BASELINES)
    assert [baselines.part_of(one) for one in baselines.baselines_of(names).values()] == list(
        baselines.baselines_of(names)
    )


def test_the_examples_in_docstrings_are_true():
    assert doctest.testmod(baselines) == doctest.TestResults(failed=0, attempted=2)
