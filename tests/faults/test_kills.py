"""The short run of the fault harness; `make faults` is the long one."""

import shutil
import time

import pytest

from tests.faults import harness

pytestmark = pytest.mark.slow


@pytest.fixture
def home(night_home, tmp_path):
    return shutil.copytree(night_home, tmp_path / "home")


def held(tally, *, kills):
    assert tally.broken == []
    assert tally.progress == tally.fired
    assert tally.landed == kills, f"{tally.landed} of {tally.fired} landed in {tally.step}"


def test_killed_while_publishing_live_is_whole_and_the_next_one_gets_through(home):
    held(harness.kill("publishing", home, kills=3), kills=3)


def test_killed_while_receiving_every_row_is_accounted_for(home):
    def forget():
        shutil.rmtree(home / "received", ignore_errors=True)

    held(harness.kill("receive", home, kills=2, before=forget), kills=2)


def test_killed_while_training_live_is_whole(home):
    held(harness.kill("training", home, kills=1), kills=1)


def test_killed_while_dbt_builds_the_next_build_gets_through(home):
    tally = harness.kill("dbt", home, kills=1)
    held(tally, kills=1)
    from matinee import warehouse

    for stream, rows in warehouse.counts(home).items():
        assert rows.received == rows.staged + rows.exact_repeats + rows.rejected, stream


def test_the_harness_sees_a_publisher_that_writes_in_place(home):
    """The positive control: without it, a harness that sees nothing would pass."""
    window = harness.through("careless", home)
    assert harness.broken(home) == []
    landed = harness.shoot("careless", home, window / 2)
    assert landed
    assert "is not the file that was published" in harness.broken(home)[0]


def test_the_harness_sees_lost_rows(home):
    next((home / "received/plays/batch=000001").glob("*.parquet")).unlink()
    assert "plays: the ledger tells of" in harness.broken(home)[0]


def test_of_two_nights_one_wins_and_the_other_is_told_by_whom_within_seconds(home):
    from matinee import releases
    from matinee.errors import BusyError

    first = harness.start("night", home)
    assert first.stdout.readline() == "begin\n"
    while not (home / "control.lease").exists():
        time.sleep(0.01)
    time.sleep(2)
    began = time.monotonic()
    with pytest.raises(BusyError, match=f"pid {first.pid} "), releases.lease(home):
        pass
    assert time.monotonic() - began < 5
    first.kill()
    first.wait()
    with releases.lease(home):  # the dead one's lease is taken over
        assert harness.broken(home) == []


@pytest.mark.parametrize("step", ["publishing", "receive"])
def test_a_disk_that_takes_no_more_is_one_refusal_and_leaves_live_whole(home, step):
    if step == "receive":
        shutil.rmtree(home / "received")
    process = harness.start(step, home, 4096)
    said = process.communicate()[0]
    assert process.returncode == 6, said
    assert "refused: " in said
    assert harness.broken(home) == []
    assert harness.through(step, home) is not None
