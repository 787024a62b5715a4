"""What every test stands on: no telemetry, no way out of the machine, no home of the developer's."""

import ipaddress
import os
import socket

import pytest

os.environ.update(
    DO_NOT_TRACK="1",
    DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    GX_ANALYTICS_ENABLED="false",
)


def pytest_collection_modifyitems(config, items):
    """Tests on real logs run where the logs are; elsewhere they are deselected, not skipped."""
    if os.environ.get("MATINEE_REAL_DATA"):
        return
    real = [item for item in items if item.get_closest_marker("real")]
    config.hook.pytest_deselected(items=real)
    items[:] = [item for item in items if item not in real]


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
