"""Simulated days land once, in every format, and received rows match the planted truth."""

import json
import re
from pathlib import Path

import pytest

from matinee import landing
from matinee.errors import ConfigError
from matinee.operations.simulate import simulate
from matinee.settings import Settings

SMALL = {"members": 900, "titles": 60, "seed": 3}
TRUTH = Path("simulator/truth.json")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("home"), **SMALL, days=2)


@pytest.fixture(scope="module")
def home(simulated):
    return simulated.truth.parents[1]


def files(home):
    return {
        path.relative_to(home): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.parts[-2:] != TRUTH.parts
    }


def test_all_formats_of_the_contract_are_used(home):
    names = {path.name for path in files(home)}
    assert {"part-1.jsonl.gz", "part-1.jsonl", "part-1.csv", "part-1.parquet"} <= names


def test_received_and_rejected_rows_match_the_truth(home, simulated):
    receipt = landing.receive(
        home=home, contract=landing.load(Settings().project), threads=1, memory_limit="1GB"
    )
    truth = json.loads((home / TRUTH).read_text())
    # Unknown members and titles and duplicates are found by dbt, not by receive.
    stateful = {"unknown_title", "unknown_member", "duplicate_event_id", "exact_repeat"}
    expected = {}
    for day in truth["planted"].values():
        for stream, counts in day.items():
            for rule, count in counts.items():
                if rule not in stateful | {"late", "later_than_3_days"}:
                    rules = expected.setdefault(stream, {})
                    rules[rule] = rules.get(rule, 0) + count
    assert expected
    rejected = {stream: dict(rules) for stream, rules in receipt.rules.items() if rules}
    assert rejected == expected
    assert not receipt.set_aside
    assert {stream: total.received for stream, total in receipt.totals.items()} == simulated.rows


def test_one_more_day_only_adds_files(tmp_path, home):
    first = simulate(tmp_path, **SMALL, days=1)
    assert (first.days_landed, first.days_skipped) == (1, 0)
    assert set(files(tmp_path)) < set(files(home))
    more = simulate(tmp_path, **SMALL, days=2)
    assert (more.days_landed, more.days_skipped) == (1, 1)
    landed = {path: text for path, text in files(home).items() if path.parts[0] == "landing"}
    assert files(tmp_path) == landed
    truth = (home / TRUTH).read_text()
    assert (tmp_path / TRUTH).read_text() == truth


def test_existing_days_are_not_simulated_again(home):
    before = (home / TRUTH).read_bytes()
    steps = []
    again = simulate(home, **SMALL, days=2, progress=lambda *step: steps.append(step))
    assert again.rows == {}
    assert steps == []
    assert again.summary() == "2 days exist already; nothing was landed"
    assert (home / TRUTH).read_bytes() == before


def test_an_interrupted_simulation_continues(tmp_path, home):
    def cut(done, total, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, **SMALL, days=2, progress=cut)
    simulate(tmp_path, **SMALL, days=2)
    landed = {path: text for path, text in files(home).items() if path.parts[0] == "landing"}
    assert files(tmp_path) == landed


def test_a_truth_of_an_earlier_version_is_moved_out_of_the_landing_zone(tmp_path):
    simulate(tmp_path, **SMALL, days=1)
    truth = (tmp_path / TRUTH).read_bytes()
    (tmp_path / TRUTH).rename(tmp_path / "landing/truth.json")
    again = simulate(tmp_path, **SMALL, days=1)
    assert (again.days_landed, again.days_skipped) == (0, 1)
    assert (tmp_path / TRUTH).read_bytes() == truth
    assert not (tmp_path / "landing/truth.json").exists()


def test_other_parameters_are_refused(home):
    with pytest.raises(ConfigError, match="with members 900 not 901, seed 3 not 4: use the same"):
        simulate(home, members=901, titles=60, seed=4, days=2)


def test_a_landing_zone_with_other_logs_is_refused(tmp_path):
    (tmp_path / "landing/plays").mkdir(parents=True)
    message = f"{tmp_path / 'landing'} has plays that were not simulated: choose another"
    with pytest.raises(ConfigError, match=re.escape(message)):
        simulate(tmp_path, **SMALL, days=1)


@pytest.mark.parametrize("name", ["members", "titles", "days"])
def test_sizes_of_zero_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=f"--{name} must be at least 1, got 0"):
        simulate(tmp_path, **{**SMALL, "days": 1, name: 0})


def test_the_smallest_service_can_be_simulated(tmp_path):
    simulated = simulate(tmp_path, members=1, titles=1, days=3, seed=1)
    assert simulated.days_landed == 3
    assert "no evidence of quality" in simulated.summary()
