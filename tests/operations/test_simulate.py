"""The command that simulates a service refuses a home that something else wrote."""

import pytest

from matinee import pipeline
from matinee.errors import ConfigError


def test_a_truth_that_no_simulation_wrote_is_refused(tmp_path):
    path = tmp_path / "simulator/truth.json"
    path.parent.mkdir()
    path.write_text("{}")
    with pytest.raises(
        ConfigError, match=r"truth.json is no truth that a simulation wrote: choose"
    ):
        pipeline.simulate(tmp_path, members=5, titles=5, days=1, seed=1)
