"""The short run of the fault tests; `make faults` is the long one."""

import os
import shutil
import signal
import time

import pytest

from matinee import pipeline, releases
from matinee.errors import BusyError
from matinee.settings import Settings
from tests.conftest import SMALL
from tests.faults import aims, harness

pytestmark = pytest.mark.attack


@pytest.fixture(scope="module")
def template(night_home, tmp_path_factory):
    """A home with a release and the logs of one more day."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("faults") / "template")
    pipeline.simulate(home, **SMALL | {"days": SMALL["days"] + 1})
    return home


@pytest.fixture(scope="module")
def process(template):
    with harness.step_runner(template) as warm:
        yield warm


@pytest.fixture
def warm(process, template, tmp_path):
    """A step runner with its own home."""
    return process.at(harness.copy(template, tmp_path / "home"))


def truncated(data):
    return data[: len(data) // 8]


def flipped(data):
    """Flip the first bytes and the second half, so that some flipped byte is read."""
    half = len(data) // 2
    return (
        bytes(byte ^ 0xFF for byte in data[:64])
        + data[64:half]
        + bytes(byte ^ 0xFF for byte in data[half:])
    )


def assert_intact(tally, *, kills):
    assert tally.broken == []
    assert tally.progress == tally.fired
    assert tally.landed == kills, f"{tally.landed} of {tally.fired} landed in {tally.step}"


def test_after_kills_of_receive_every_row_is_in_the_ledger(warm, template):
    assert_intact(aims.receive(warm, template, 2), kills=2)


@pytest.mark.slow
def test_the_night_after_kills_of_dbt_training_and_publishing_publishes(warm, template):
    live = pipeline.live_id(Settings(home=template))
    for window in ("build the warehouse (dbt)", "fit models (LightFM)"):
        assert warm.kill_at("night", 0.3, at=window).is_hit
        assert harness.broken(warm.home) == []
        assert pipeline.live_id(Settings(home=warm.home)) == live
    with harness.step_runner(warm.home) as publisher:  # it runs the rest of the night itself
        assert_intact(aims.publishing(publisher, template, 2), kills=2)
    assert harness.broken(warm.home) + harness.leftovers(warm.home) == []
    assert pipeline.live_id(Settings(home=warm.home)) != live


def test_the_harness_detects_a_publisher_that_writes_in_place(process, template, tmp_path):
    """The positive control: a harness that detects nothing would pass the other tests."""
    home = shutil.copytree(template, tmp_path / "torn")  # no links: it changes files in place
    assert "is not the file that was published" in aims.careless(process.at(home))


def test_the_harness_detects_lost_rows(warm):
    next((warm.home / "received/plays/batch=000001").glob("*.parquet")).unlink()
    assert "plays: the ledger has" in harness.broken(warm.home)[0]


def test_a_second_night_is_refused_with_the_pid_of_the_first_within_seconds(warm):
    pid = warm.begin("night")
    while warm.read_line() != "at receive raw logs":
        pass
    began = time.monotonic()
    with (
        pytest.raises(BusyError, match=rf"pid {pid} \(night\)"),
        pipeline.lease(Settings(home=warm.home)),
    ):
        pass
    assert time.monotonic() - began < 5
    os.kill(pid, signal.SIGKILL)
    warm.end()
    with releases.lease(warm.home):  # the lease of a dead process is free
        assert harness.broken(warm.home) == []


def test_a_full_disk_is_a_storage_error_and_the_next_run_succeeds(warm):
    """Files are limited to 4 KiB; `make faults` fills a real disk."""
    shutil.rmtree(warm.home / "received")
    full = warm.run("receive", 4096)
    assert full.code == 6, full.output
    assert full.output[-1].startswith("refused: ")
    assert harness.broken(warm.home) == []
    assert warm.run("receive").is_through


@pytest.mark.parametrize("name", ["received/titles/*/*.parquet", "warehouse/matinee.duckdb"])
@pytest.mark.parametrize("harm", [truncated, flipped])
def test_a_damaged_file_of_the_home_stops_the_night_and_live_stays(warm, template, name, harm):
    path = next(warm.home.glob(name))
    data = path.read_bytes()
    path.unlink()  # it may be a hard link to the template
    path.write_bytes(harm(data))
    night = warm.run("night")
    assert night.output[-1].startswith("refused: "), night
    assert 2 <= night.code <= 6
    live = pipeline.live_id(Settings(home=template))
    assert releases.Store.of(warm.home).verify("live").release_id == live
