"""What every test stands on: no telemetry, no way out of the machine, one night run for all."""

import ipaddress
import os
import shutil
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from tests import cpu

os.environ.update(
    DO_NOT_TRACK="1",
    DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    GX_ANALYTICS_ENABLED="false",
)

# A busy machine is no fault of the code; a law that takes long shows in the CPU seconds.
settings.register_profile("matinee", deadline=None)
settings.load_profile("matinee")

SMALL = {"members": 250, "titles": 300, "days": 30, "seed": 1}
"""A service that is simulated in seconds and big enough for the gate to hold."""


def pytest_configure(config):
    config.pluginmanager.register(cpu.Meter(config), "cpu")


def pytest_collection_modifyitems(config, items):
    """Tests on real logs run where the logs are; elsewhere they are deselected, not skipped."""
    if os.environ.get("MATINEE_REAL_DATA"):
        return
    real = [item for item in items if item.get_closest_marker("real")]
    config.hook.pytest_deselected(items=real)
    items[:] = [item for item in items if item not in real]


def pytest_terminal_summary(terminalreporter, config):
    if "not browser" in (config.option.markexpr or ""):
        terminalreporter.write_line(
            "not run: the web page; `apt-get install chromium && make browser` runs its tests"
        )


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Any connection that would leave the loopback fails the test that tried."""
    connect = socket.socket.connect

    def loopback_only(sock, address):
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test tried to reach {address}")
        return connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty MATINEE_HOME."""
    path = tmp_path / "home"
    monkeypatch.setenv("MATINEE_HOME", str(path))
    return path


@contextmanager
def silent(what):
    """Progress for nobody."""
    yield lambda done, total, name: None


def run_night(home: Path, **wanted):
    """Run the whole night over a home, as `matinee run` does."""
    from matinee import pipeline
    from matinee.settings import Settings

    defaults = {"last_day": None, "full_refresh": False, "progress": silent}
    return pipeline.run(Settings(home=home), **(defaults | wanted))


def shared(tmp_path_factory, name, make):
    """A folder that the first worker to ask makes and the others find."""
    root = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        root = root.parent
    home, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            make(home)
            done.touch()
    return home


@pytest.fixture(scope="session")
def small_home(tmp_path_factory):
    """A landing zone with a month of a small simulated service. Copy it before you change it."""
    from matinee import pipeline

    return shared(tmp_path_factory, "small", lambda home: pipeline.simulate(home, **SMALL))


@pytest.fixture(scope="session")
def night(tmp_path_factory):
    """The function that runs a night."""
    return run_night


@pytest.fixture(scope="session")
def night_home(tmp_path_factory, small_home):
    """A home after one whole night, with one live release. Copy it before you change it."""

    def make(home):
        shutil.copytree(small_home, home)
        run_night(home)

    return shared(tmp_path_factory, "night", make)


@pytest.fixture(scope="session")
def second_home(tmp_path_factory, night_home):
    """The same home a day later, after a second night. Copy it before you change it."""
    from matinee import pipeline

    def make(home):
        shutil.copytree(night_home, home)
        pipeline.simulate(home, **SMALL | {"days": SMALL["days"] + 1})
        run_night(home)

    return shared(tmp_path_factory, "second", make)


@pytest.fixture(scope="session")
def release(night_home):
    """The release of that night."""
    from matinee.releases import Store

    return Store.of(night_home).open("live")


@pytest.fixture
def copied(night_home, tmp_path):
    """A home of one's own in which a night has run."""
    return shutil.copytree(night_home, tmp_path / "home")


@pytest.fixture
def hears_ctrl_c():
    """SIGINT as at a terminal, here and in what is started; background jobs are deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
