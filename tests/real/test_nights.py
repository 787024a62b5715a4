"""Whole nights on public datasets: each is imported, run and published."""

import os
from pathlib import Path

import pytest

from matinee import landing, releases

pytestmark = pytest.mark.real

DATA = Path(os.environ.get("MATINEE_REAL_DATA", "."))


def test_a_real_set_becomes_a_live_release(tmp_path, night):
    home = tmp_path / "home"
    summary = landing.import_movielens(DATA / "ml-latest-small-2016", home=home)
    published = night(home, last_day=summary.last_day)
    assert not published.refusals
    store = releases.Store.of(home)
    release = store.open("live")
    assert store.verify("live").release_id == release.id == published.release_id
    counts = {row["stream"]: row for row in release.manifest["received"]}
    assert counts["ratings"]["received"] == summary.events
    assert counts["ratings"]["rejected"] == summary.problem_count == 0
    assert release.manifest["exposure"]["members"] == summary.members

    means = {
        row["model"]: row["mean"]
        for row in release.manifest["evaluation"]["metrics"]
        if (row["cohort"], row["metric"]) == ("everyone", "ndcg@10")
    }
    assert means["hybrid"] > means["popularity"]
