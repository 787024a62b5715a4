"""The artwork policy on public logs: `obp-men` and `upworthy-early`."""

import os
from pathlib import Path

import pytest

from benchmarks import artwork

pytestmark = pytest.mark.real


@pytest.fixture
def folder():
    return Path(os.environ["MATINEE_REAL_DATA"])


def test_the_log_of_each_policy_estimates_the_other_within_its_interval(folder):
    rows = artwork.bandits(folder / "obp-men")
    assert len(rows) == 6
    for label, estimate, own, _ in rows:
        inside = estimate.low <= own <= estimate.high
        # With 15 effective clicks, IPS misses by a hundredth of a percentage point.
        assert inside or label == "random from bts, IPS", label


def test_a_tiny_effective_sample_is_noticed(folder):
    rows = {label: estimate for label, estimate, *_ in artwork.bandits(folder / "obp-men")}
    assert rows["random from bts, SNIPS"].effective_rows < 0.1 * 10_000
    without, count = artwork.single_actions(folder / "obp-men")
    assert without > 0.8 * count


def test_the_chosen_variant_beats_chance_on_held_out_halves(folder):
    found = artwork.upworthy(folder / "upworthy-early" / "tests.parquet", seed=1)
    assert found.regret_low > 0
    assert found.random < found.policy < found.best
    assert found.chosen == pytest.approx(found.raw_winner, rel=0.01)
    # Shrunk rates promise what comes, the raw winner promises too much.
    assert abs(found.promised_shrunk - found.chosen) < found.promised_raw - found.raw_winner
    assert found.verdict_gain > 1.2
