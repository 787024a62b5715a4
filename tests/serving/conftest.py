"""A server in this process on a copy of the finished home; clients with and without tokens."""

import os
import shutil
import tempfile
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

# The metrics' library reads it when it is imported.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="metrics-"))

from datetime import timedelta

from matinee.releases import Store
from matinee.serving.access import tokens
from matinee.serving.app import create
from matinee.serving.clock import Clock
from matinee.serving.state import Options
from matinee.settings import Settings

LOOPBACK = "http://127.0.0.1:8080"


@contextmanager
def serving(home, *, needs_token=False, **more):
    """A client of a server of a home whose clock starts an hour after the live release."""
    now = Store.of(home).open("live").manifest["as_of"]
    options = Options(Settings(home=home), clock_at(now), needs_token, **more)
    with TestClient(create(options), base_url=LOOPBACK, raise_server_exceptions=False) as client:
        yield client


def clock_at(text):
    from datetime import datetime

    return Clock.starting(datetime.fromisoformat(text) + timedelta(hours=1))


def members_of(home):
    return Store.of(home).open("live").table("serving/members.parquet")["member_id"].to_pylist()


@pytest.fixture(scope="session")
def served_home(night_home, tmp_path_factory):
    """A copy that the tests of one worker change by small requests only."""
    return shutil.copytree(night_home, tmp_path_factory.mktemp("served") / "home")


@pytest.fixture(scope="session")
def client(served_home):
    """A server on the loopback, which needs no token."""
    with serving(served_home) as client:
        yield client


@pytest.fixture(scope="session")
def members(served_home):
    return members_of(served_home)


@pytest.fixture(scope="session")
def guarded(served_home, members):
    """A server on another address, and a token of each scope."""
    texts = {
        scope: tokens.add(served_home, scope)[1]
        for scope in (f"member:{members[0]}", "service", "operator")
    }
    texts["member"] = texts.pop(f"member:{members[0]}")
    with serving(served_home, needs_token=True) as client:
        yield client, texts


def bearer(text):
    return {"authorization": f"Bearer {text}"}
