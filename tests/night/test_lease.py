"""One night waits for another, or gives way to it; Ctrl-C leaves word of what became of live."""

import signal
import threading

import pytest

from matinee import pipeline, releases
from matinee.errors import BusyError, InterruptError, StorageError
from matinee.night import lease
from matinee.settings import Settings


def test_a_waiting_night_reports_the_holder_once_and_then_gets_the_lease(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.05)
    held, messages = threading.Event(), []

    def hold():
        with releases.lease(tmp_path, holder="hourly refresh"):
            held.set()
            release.wait()

    release = threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    threading.Timer(2.5, release.set).start()
    with pipeline.lease(
        Settings(home=tmp_path), "night", patience_seconds=30, tell=messages.append
    ):
        other.join()
    assert len(messages) == 1
    assert "another night runs: pid" in messages[0]
    assert "(hourly refresh)" in messages[0]


def test_a_night_whose_wait_times_out_names_the_holder(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.05)
    with (
        releases.lease(tmp_path, holder="backfill"),
        pytest.raises(BusyError, match=r"another night runs: pid \d+ \(backfill\)"),
        pipeline.lease(Settings(home=tmp_path), patience_seconds=0.2),
    ):
        pass


def press_ctrl_c(becomes):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise becomes from None


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("becomes", [RuntimeError("Query interrupted"), KeyboardInterrupt()])
def test_ctrl_c_is_an_interruption_whatever_a_library_makes_of_it(tmp_path, becomes):
    with (
        pytest.raises(InterruptError, match="interrupted; live unchanged"),
        pipeline.lease(Settings(home=tmp_path)),
    ):
        press_ctrl_c(becomes)


def test_a_full_disk_is_a_storage_error_in_the_words_of_any_library(tmp_path):
    message = "(sqlite3.OperationalError)\n database or disk is full"
    with (
        pytest.raises(StorageError, match=r"the disk is full: make room and run again \(.*Op"),
        pipeline.lease(Settings(home=tmp_path)),
    ):
        raise RuntimeError(message)


def test_without_ctrl_c_an_error_is_raised_as_it_was(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="x"), pipeline.lease(Settings(home=tmp_path)):
        raise RuntimeError("x")
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_after_the_promotion_says_what_is_live(night_home):
    settings = Settings(home=night_home)
    assert str(lease.interrupted(settings, None)) == (
        f"interrupted; live is {pipeline.live_id(settings)}"
    )
