"""What stops a build before it starts, and the vars that others read. Builds: tests/dbt/."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from matinee import transform
from matinee.errors import BusyError, ConfigError, DataError, StorageError
from matinee.transform import dbt_build

PROJECT = Path(__file__).resolve().parents[2]
MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)


def build(home: Path, as_of: datetime) -> None:
    transform.build(project=PROJECT, home=home, as_of=as_of, threads=1, memory_limit="1GB")


@pytest.mark.parametrize(
    "as_of",
    [
        datetime(2026, 1, 2),  # noqa: DTZ001
        datetime(2026, 1, 2, 12, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_as_of_that_is_no_midnight_in_utc_is_refused(tmp_path, as_of):
    with pytest.raises(ConfigError, match=r"a midnight in UTC, got 2026-01-02T"):
        build(tmp_path, as_of)


def test_a_home_in_which_nothing_was_received_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match=r"nothing received in .*: run `matinee run`"):
        build(tmp_path, MIDNIGHT)


def test_the_vars_are_those_of_the_project_file():
    found = transform.project_vars(PROJECT)
    assert found["recency_half_life_days"] > 0
    assert found["signal_milli"]["play"] == 1000
    assert found["error_budget_ratio"] == {"default": 0.01}


def test_a_folder_without_a_project_names_the_setting(tmp_path):
    with pytest.raises(ConfigError, match=r"no .*dbt_project\.yml: set MATINEE_PROJECT"):
        transform.project_vars(tmp_path)


@pytest.mark.parametrize(
    ("message", "error", "said"),
    [
        ("IO Error: Could not set lock on\n file", BusyError, "another process has the warehouse"),
        ("Could not write: No space left on device", StorageError, "m: the disk is full"),
        ("Binder Error: no column x", DataError, r"dbt could not build m: Binder Error: no column"),
    ],
)
def test_what_a_failure_means_is_said_in_one_line(message, error, said):
    caught = dbt_build._error("m", message, Path("dbt.log"))
    assert type(caught) is error
    assert "\n" not in str(caught)
    with pytest.raises(error, match=said):
        raise caught
