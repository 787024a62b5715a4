"""Who members are is not what makes the hybrid good: the simulator agrees."""

import pytest

from matinee.errors import ConfigError
from matinee.models import feature_families, fits
from matinee.research import ablate
from matinee.settings import Settings
from tests import worlds


def test_nothing_is_known_in_a_column_that_is_left_out():
    frame = worlds.frame()
    reduced = ablate.without(frame, ["country", "plan"])
    families = set(feature_families.described(reduced).members.families)
    assert families == {"identity", "language", "device", "daypart"}
    assert reduced.member_features.schema == frame.member_features.schema


def test_without_demographics_the_gate_moves_less_than_its_tolerance(night_home):
    found = ablate.ablate(Settings(home=night_home))
    assert found.verdict.passed, found.verdict.text
    assert {row["model"] for row in found.rows} == {fits.HYBRID, ablate.WITHOUT}


def test_without_a_night_there_is_nothing_to_compare(tmp_path):
    with pytest.raises(ConfigError, match="run `matinee run --full-evaluation` first"):
        ablate.ablate(Settings(home=tmp_path))
