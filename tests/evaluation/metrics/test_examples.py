"""The examples in the docstrings are true."""

import doctest

import numpy as np
import pytest

from matinee.errors import ConfigError
from matinee.evaluation.metrics import accuracy, beyond_accuracy, binary, intervals


@pytest.mark.parametrize("module", [accuracy, beyond_accuracy, binary, intervals])
def test_examples_give_the_results_they_show(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("module", [accuracy, beyond_accuracy, binary, intervals])
def test_every_metric_has_an_example(module):
    for name, thing in vars(module).items():
        if callable(thing) and thing.__module__ == module.__name__ and name.islower():
            assert name.startswith("_") or ">>>" in thing.__doc__, name


@pytest.mark.parametrize("label", [True, False])
def test_the_area_under_the_curve_needs_both_kinds_of_cases(label):
    with pytest.raises(ConfigError, match=f"{3 * label} of 3 cases are true: AUC needs both"):
        binary.roc_auc(np.array([0.1, 0.2, 0.3]), np.full(3, label))
