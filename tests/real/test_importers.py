"""The importers on the real sets: every rating arrives, and every count is the set's own."""

import os
import subprocess
from pathlib import Path

import pytest

from matinee import landing

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.real


@pytest.fixture
def data():
    return Path(os.environ["MATINEE_REAL_DATA"])


def receive(home):
    contract = landing.load(ROOT)
    receipt = landing.receive(home=home, contract=contract, threads=2, memory_limit="2GB")
    assert (receipt.set_aside, receipt.warnings) == ((), ())
    assert not any(receipt.rules.values())
    return receipt.totals


def test_movielens_latest_small_arrives_whole(data, home):
    imported = landing.import_movielens(data / "ml-latest-small-2016", home=home)
    assert (imported.layout, imported.problem_count) == ("csv", 0)
    assert (imported.events, imported.titles, imported.members) == (100_004, 9_125, 671)
    totals = receive(home)
    assert totals["ratings"].kept == 100_004
    assert totals["members"].kept == 671
    assert totals["titles"].kept % 9_125 == 0


def test_movietweetings_arrives_whole(data, home):
    imported = landing.import_movietweetings(data / "movietweetings-50k", home=home)
    assert imported.problem_count == 0
    assert (imported.events, imported.titles, imported.members) == (50_000, 7_505, 10_455)
    assert receive(home)["ratings"].kept == 50_000


def test_movielens_100k_arrives_whole_with_its_directors_and_actors(data, home, tmp_path):
    script = data / "get_ml100k.sh"
    subprocess.run(["bash", script, tmp_path / "ml-100k"], check=True)
    imported = landing.import_movielens(tmp_path / "ml-100k", home=home)
    assert (imported.layout, imported.problem_count) == ("recbole", 0)
    assert (imported.events, imported.titles, imported.members) == (100_000, 1_682, 943)
    assert receive(home)["ratings"].kept == 100_000
