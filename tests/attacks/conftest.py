"""One finished home for all attacks, and counts of the cases held."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.cases import failing

CASES = "cases"
FOLDER = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """All tests of this folder are attacks."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.attack)


@pytest.fixture(scope="session")
def finished(night_home):
    """The one finished home: look, do not touch."""
    return night_home


@pytest.fixture
def attacked(finished, tmp_path):
    """A copy of it for one attack."""
    return shutil.copytree(finished, tmp_path / "home")


@pytest.fixture
def published(finished, tmp_path):
    """A copy of what serves: releases, keys and privacy, no logs."""
    home = tmp_path / "home"
    for name in ("releases", "keys", "privacy"):
        shutil.copytree(finished / name, home / name)
    return home


@pytest.fixture
def hold(record_property):
    """Check many cases of one kind in one test; each is counted."""

    def hold(check, cases):
        cases = list(cases)
        wrong = failing(check, cases)
        record_property(CASES, len(cases))
        assert not wrong, f"{len(wrong)} of {len(cases)} cases broken:\n" + "\n".join(wrong[:20])

    return hold


def pytest_terminal_summary(terminalreporter):
    """How many cases were held, by the kind of attack."""
    held, broken = Counter(), Counter()
    for outcome, counter in (("passed", held), ("failed", broken)):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call" and report.nodeid.startswith("tests/attacks/"):
                kind = Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")
                counter[kind] += int(dict(report.user_properties).get(CASES, 1))
    if not held and not broken:
        return
    kinds = ", ".join(f"{kind} {held[kind]}" for kind in sorted(held))
    total = held.total() + broken.total()
    terminalreporter.write_line(f"attacks: {held.total():,} of {total:,} cases held ({kinds})")
