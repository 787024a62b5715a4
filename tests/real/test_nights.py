"""Whole nights on logs that nobody here wrote: each set is imported, run and published."""

import os
import subprocess
from pathlib import Path

import pytest

from matinee import landing, releases

pytestmark = pytest.mark.real

DATA = Path(os.environ.get("MATINEE_REAL_DATA", "."))


@pytest.fixture(params=["ml-latest-small-2016", "ml-100k", "movietweetings-50k"])
def imported(request, tmp_path):
    """A home into which a real set was imported, with the last day of its history."""
    home = tmp_path / "home"
    folder = DATA / request.param
    if request.param == "ml-100k":
        folder = tmp_path / "ml-100k"
        script = [str(DATA / "get_ml100k.sh"), str(folder)]
        subprocess.run(["bash", *script], check=True, capture_output=True)
    read = landing.import_movietweetings if "tweet" in request.param else landing.import_movielens
    return home, read(folder, home=home)


def test_a_real_set_becomes_a_live_release(imported, night):
    home, told = imported
    published = night(home, last_day=told.last_day)
    assert not published.refusals
    store = releases.Store.of(home)
    release = store.open("live")
    assert store.verify("live").release_id == release.id == published.release_id
    counts = {row["stream"]: row for row in release.manifest["received"]}
    assert counts["ratings"]["received"] == told.ratings
    assert counts["ratings"]["rejected"] == told.problem_count == 0
    assert release.manifest["exposure"]["members"] == told.members

    means = {
        row["model"]: row["mean"]
        for row in release.manifest["evaluation"]["metrics"]
        if (row["cohort"], row["metric"]) == ("everyone", "ndcg@10")
    }
    assert means["hybrid"] > means["popularity"]
