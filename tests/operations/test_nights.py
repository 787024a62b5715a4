"""The record of a night: a night that passed, was refused, failed or died leaves one."""

import json
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from matinee import pipeline
from matinee.errors import ConfigError, DataError, GateError
from matinee.operations import nights
from matinee.settings import Settings


@pytest.fixture
def run(tmp_path):
    return pipeline.NightRun(Settings(home=tmp_path / "home"))


def fail(run, error):
    """A night that ends with an error."""
    with pytest.raises(type(error)), pipeline.recorded(run, tell=pytest.fail):
        raise error


def last(run):
    return pipeline.record_of(run.settings)


def test_a_night_that_fails_leaves_its_cause_its_exit_code_and_what_to_do(run):
    fail(run, DataError("no file of titles was ever received"))
    record = last(run)
    assert (record["state"], record["exit_code"]) == ("failed", 2)
    assert record["error"] == "no file of titles was ever received"
    assert "matinee run" in record["next"]
    assert pipeline.list_nights(run.settings, 1)[0]["why"] == record["error"]


def test_a_defect_is_recorded_with_the_kind_of_its_error(run):
    fail(run, ZeroDivisionError("division by zero"))
    assert last(run)["error"] == "ZeroDivisionError: division by zero"
    assert last(run)["exit_code"] == 1


def test_a_refused_night_names_its_rules_though_the_error_comes_later(run):
    with pipeline.recorded(run):
        run.published = SimpleNamespace(
            release_id="r1", note="r1 is refused and kept as candidate", refusals=("coverage 0.2",)
        )
    record = last(run)
    assert (record["state"], record["exit_code"]) == ("refused", GateError.exit_code)
    assert record["error"] == "coverage 0.2"
    assert "matinee releases show r1 --full" in record["next"]


def test_a_night_that_died_is_marked_crashed_by_the_next_holder(run):
    recorder = nights.Recorder(run, pytest.fail, nights.first_record(run, "f1"))
    recorder.begin()
    run.before_step("build-warehouse")  # and the machine stops
    assert last(run)["state"] == "running"
    other = pipeline.NightRun(run.settings)
    with pytest.raises(DataError), pipeline.recorded(other) as dead:
        raise DataError("x")
    assert [one["flow_run"] for one in dead] == ["f1"]
    newest, before = nights.records(run.settings.home)
    assert (newest["state"], before["state"]) == ("failed", "crashed")
    assert "in step build-warehouse" in before["error"]


def test_a_record_that_cannot_be_written_stops_no_night(tmp_path, run):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/reports").write_text("a file in the place of a folder")
    lines = []
    with pipeline.recorded(run, tell=lines.append):
        pass
    assert "the record of this night is not complete" in lines[0]


def test_the_oldest_records_are_removed(run, monkeypatch):
    monkeypatch.setattr(nights, "KEPT", 2)
    for number in range(3):
        fail(run, DataError(f"night {number}"))
    assert [one["error"] for one in nights.records(run.settings.home)] == ["night 2", "night 1"]


def test_an_unknown_night_is_refused_with_the_command_that_lists_them(run):
    with pytest.raises(ConfigError, match="`matinee nights` lists them"):
        pipeline.record_of(run.settings, "2020")


def test_the_metrics_of_a_failed_night_have_its_state_and_the_age_of_live(copied):
    run = pipeline.NightRun(Settings(home=copied))
    run.durations["receive"] = 1.5
    fail(run, DataError("x"))
    text = (copied / "metrics/matinee.prom").read_text()
    samples = {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }
    assert samples["matinee_night_state", "failed"] == 1
    assert samples["matinee_night_state", "live"] == 0
    assert samples["matinee_night_step_seconds", "receive"] == 1.5
    live = json.loads((copied / "releases/aliases.json").read_text())["live"]["release_id"]
    manifest = json.loads((copied / "releases" / live / "manifest.json").read_text())
    assert samples[("matinee_live_members",)] == manifest["privacy"]["members_in"]
    assert samples[("matinee_live_created_timestamp_seconds",)] > 1.7e9
