"""The short run of the fault harness; `make faults` is the long one."""

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

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template(night_home, tmp_path_factory):
    """A home with a release and the logs of one more day."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("faults") / "template")
    pipeline.simulate(home, **SMALL | {"days": SMALL["days"] + 1})
    return home


@pytest.fixture(scope="module")
def process(template):
    with harness.victims(template) as warm:
        yield warm


@pytest.fixture
def warm(process, template, tmp_path):
    """Victims in a home of their own."""
    return process.at(harness.copy(template, tmp_path / "home"))


def truncated(data):
    return data[: len(data) // 8]


def flipped(data):
    """Every bit of the first bytes and of the second half: where what is read lies is chance."""
    half = len(data) // 2
    return (
        bytes(byte ^ 0xFF for byte in data[:64])
        + data[64:half]
        + bytes(byte ^ 0xFF for byte in data[half:])
    )


def held(tally, *, kills):
    assert tally.broken == []
    assert tally.progress == tally.fired
    assert tally.landed == kills, f"{tally.landed} of {tally.fired} landed in {tally.step}"


def test_killed_while_receiving_every_row_is_accounted_for(warm, template):
    held(aims.receive(warm, template, 2), kills=2)


def test_a_night_killed_while_dbt_builds_and_while_models_fit_is_made_good_by_the_next(
    warm, template
):
    live = pipeline.live_id(Settings(home=template))
    for window in ("build the warehouse (dbt)", "fit models (LightFM)"):
        assert warm.shoot("night", 0.3, at=window).is_hit
        assert harness.broken(warm.home) == []
        assert pipeline.live_id(Settings(home=warm.home)) == live
    assert warm.run("night").is_through
    assert harness.broken(warm.home) + harness.leftovers(warm.home) == []
    assert pipeline.live_id(Settings(home=warm.home)) != live


def test_killed_while_publishing_live_is_whole_and_the_next_one_gets_through(template, tmp_path):
    with harness.victims(harness.copy(template, tmp_path / "home")) as warm:
        held(aims.publishing(warm, template, 3), kills=3)


def test_the_harness_sees_a_publisher_that_writes_in_place(process, template, tmp_path):
    """The positive control: without it, a harness that sees nothing would pass."""
    home = shutil.copytree(template, tmp_path / "torn")  # no links: it writes into files
    assert "is not the file that was published" in aims.careless(process.at(home))


def test_the_harness_sees_lost_rows(warm):
    next((warm.home / "received/plays/batch=000001").glob("*.parquet")).unlink()
    assert "plays: the ledger tells of" in harness.broken(warm.home)[0]


def test_of_two_nights_one_wins_and_the_other_is_told_by_whom_within_seconds(warm):
    pid = warm.begin("night")
    while warm.hear() != "at receive raw logs":
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
    with releases.lease(warm.home):  # the dead one's lease is taken over
        assert harness.broken(warm.home) == []


def test_a_disk_that_takes_no_more_is_one_refusal_and_the_next_night_gets_through(warm):
    """No file may grow beyond 4 KiB; `make faults` fills a real one."""
    shutil.rmtree(warm.home / "received")
    full = warm.run("receive", 4096)
    assert full.code == 6, full.said
    assert full.said[-1].startswith("refused: ")
    assert harness.broken(warm.home) == []
    assert warm.run("receive").is_through


@pytest.mark.parametrize("name", ["received/titles/*/*.parquet", "warehouse/matinee.duckdb"])
@pytest.mark.parametrize("harm", [truncated, flipped])
def test_a_damaged_file_of_the_home_stops_the_night_and_live_stays(warm, template, name, harm):
    path = next(warm.home.glob(name))
    data = path.read_bytes()
    path.unlink()  # it may be a link to the template's
    path.write_bytes(harm(data))
    night = warm.run("night")
    assert night.said[-1].startswith("refused: "), night
    assert 2 <= night.code <= 6
    live = pipeline.live_id(Settings(home=template))
    assert releases.Store.of(warm.home).verify("live").release_id == live
