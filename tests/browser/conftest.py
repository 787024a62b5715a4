"""A server on a finished home, and pages of Debian's chromium that may not leave it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"

MATINEE = Path(sys.executable).parent / "matinee"


def pytest_collection_modifyitems(config, items):
    """Without chromium these tests are left out; `make browser` says how to get it."""
    if Path(CHROMIUM).exists():
        return
    kept = [item for item in items if not item.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@dataclass
class Server:
    """One that runs."""

    url: str
    members: list[str]
    """Members with a list of their own."""


def serving(home, *options):
    """Start `matinee serve` at the evening after the night of a home; its process and its port."""
    from matinee.releases import Store

    as_of = datetime.fromisoformat(Store.of(home).open("live").manifest["as_of"])
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    now = (as_of + timedelta(hours=19)).isoformat()
    process = subprocess.Popen(
        [MATINEE, "serve", "--port", str(port), "--workers", "1", "--now", now, *options],
        env=os.environ | {"MATINEE_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(300):
        if process.poll() is not None:
            pytest.fail(process.stderr.read())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return process, port
        except OSError:
            time.sleep(0.1)
    process.kill()
    pytest.fail("the server was not ready within 30 s")


@pytest.fixture(scope="session")
def server(second_home, tmp_path_factory):
    """A server on a copy of a home with two releases."""
    from matinee.releases import Store

    home = shutil.copytree(second_home, tmp_path_factory.mktemp("served") / "home")
    slates = Store.of(home).open("live").slates(["member_id", "source"])
    rows = (row for table in slates for row in table.to_pylist())
    own = dict.fromkeys(row["member_id"] for row in rows if row["source"] == "hybrid")
    process, port = serving(home)
    yield Server(f"http://127.0.0.1:{port}", list(own))
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@dataclass
class Seen:
    """What went wrong while a page was open."""

    messages: list[str] = field(default_factory=list)
    """Errors and warnings of the console."""

    elsewhere: list[str] = field(default_factory=list)
    """Requests to another origin."""


@pytest.fixture
def visit(browser, server):
    """Open an address in a window; at the end nothing was in the console, no request left."""
    contexts, seen = [], Seen()

    def open_page(address="", *, width=1280, height=900, scheme="light", base=None):
        base = base or server.url
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: _note(seen, one))
        page.on("pageerror", lambda error: seen.messages.append(str(error)))
        page.on(
            "request",
            lambda one: one.url.startswith(f"{base}/") or seen.elsewhere.append(one.url),
        )
        page.seen = seen
        page.goto(f"{base}/{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert seen == Seen()


def _note(seen, message):
    if message.type in ("error", "warning"):
        seen.messages.append(message.text)


@pytest.fixture
def watching(visit, server):
    """Open the page of a member, with its shelves."""

    def open_page(member=None, more="", **window):
        page = visit(f"#view=watch&member={member or server.members[0]}{more}", **window)
        page.locator(".shelf").first.wait_for()
        return page

    return open_page
