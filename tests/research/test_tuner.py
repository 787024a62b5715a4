"""The search tries the defaults first, goes on where it stopped, and survives a bad trial."""

import sys

import pytest

from matinee.errors import ConfigError, GateError
from matinee.research import tuner

RANGES = {"x": tuner.Range(0.1, 10), "n": tuner.Range(1, 9, whole=True)}
DEFAULTS = {"x": 2.0, "n": 3}


def search(path, objective, seconds=0.0):
    return tuner.search(
        objective, RANGES, defaults=DEFAULTS, study="s", path=path, budget_seconds=seconds, seed=1
    )


def test_the_defaults_come_first_and_a_later_search_goes_on(tmp_path):
    tried = []

    def objective(parameters):
        tried.append(dict(parameters))
        return -abs(parameters["x"] - 1) - parameters["n"]

    first = search(tmp_path / "db", objective)
    assert tried == [DEFAULTS]
    assert (first.trials, first.first, first.best) == (1, -4.0, -4.0)
    for _ in range(4):
        later = search(tmp_path / "db", objective)
    assert later.trials == 5
    assert later.first == -4.0
    assert later.best == max(-abs(one["x"] - 1) - one["n"] for one in tried)
    assert all(1 <= one["n"] <= 9 and one["n"] == int(one["n"]) for one in tried)


def test_a_search_may_be_held_to_so_many_trials_and_keep_nothing():
    tried = []

    def objective(parameters):
        tried.append(parameters)
        return -parameters["x"]

    found = tuner.search(objective, RANGES, defaults=DEFAULTS, seed=1, trials=5)
    again = tuner.search(objective, RANGES, defaults=DEFAULTS, seed=1, trials=5)
    assert (found.trials, len(tried)) == (5, 10)
    assert found == again


def test_a_trial_that_diverged_is_no_end(tmp_path):
    def objective(parameters):
        if parameters["x"] != 2.0:
            raise GateError("training diverged")
        return 1.0

    assert search(tmp_path / "db", objective).trials == 1
    assert search(tmp_path / "db", objective).trials == 1


def test_a_search_without_a_trial_that_succeeds_is_an_error(tmp_path):
    def objective(parameters):
        raise GateError("training diverged")

    with pytest.raises(ConfigError, match="no trial of s succeeded: narrow the ranges or mend"):
        search(tmp_path / "db", objective)


def test_without_the_library_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"tuning needs the library optuna: `pip install mat"):
        search(tmp_path / "db", lambda parameters: 0.0)
