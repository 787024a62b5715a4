"""Releases of every manifest version can still be opened and verified."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matinee import pipeline, provenance, releases
from matinee.cli import app
from matinee.errors import IntegrityError
from matinee.privacy import Traces
from matinee.releases import digest, non_profiled
from matinee.releases.reissue import reissue
from matinee.rights import consent
from matinee.rights.reissue import ReissueWithoutMembers
from matinee.settings import Settings

HERE = Path(__file__).parent
VERSIONS = range(1, provenance.SCHEMA_VERSION + 1)


@pytest.fixture(params=VERSIONS)
def store(request):
    folder = HERE / f"schema_{request.param}"
    return releases.Store(folder / "releases", keys=folder / "keys")


def test_an_old_release_verifies(store):
    (release,) = store.list()
    assert store.verify(release.id).file_count == 9


def test_an_old_release_is_read_like_a_new_one(store):
    (release,) = store.list()
    assert release.manifest["schema_version"] in VERSIONS
    assert release.slate("m2")["title_id"].to_pylist()[:3] == ["t00", "t01", "t02"]
    assert release.titles()["name"].to_pylist() == ["Metropolis", "Nosferatu"]
    assert release.similar("t00").num_rows == 1
    assert release.evaluation().num_rows == 1


def test_the_digest_of_an_old_release_is_still_the_same(store):
    (release,) = store.list()
    before = {record["file"]: record["content_sha256"] for record in release.manifest["files"]}
    today = {record.file: record.content_sha256 for record in digest.describe(release.path)}
    assert {name: today[name] for name in before} == before


@pytest.fixture(params=VERSIONS, scope="module")
def night(request, tmp_path_factory):
    """A home with one release of an old night, which is live."""
    home = tmp_path_factory.mktemp("golden")
    shutil.copytree(HERE / f"night_{request.param}", home, dirs_exist_ok=True)
    settings = Settings(home=home)
    store = releases.Store.of(settings.home)
    (release,) = store.list()
    at = datetime(2026, 2, 1, tzinfo=UTC)
    store.promote(release.id, expected=None, at=at, by="test", why="to look at")
    return settings, release


def test_an_old_night_verifies_and_is_listed_shown_and_compared(night, monkeypatch):
    settings, release = night
    store = releases.Store.of(settings.home)
    assert store.verify("live").release_id == release.id
    (row,) = pipeline.list_releases(settings)
    assert (row["alias"], row["gate"]) == ("live", "passed")
    with pytest.raises(IntegrityError, match="matinee consent --restore"):  # it never had a list
        pipeline.recommend(settings, release.manifest["samples"][0], k=3, release="live")
    consent.refresh(settings)
    monkeypatch.setenv("MATINEE_HOME", str(settings.home))
    done = CliRunner().invoke(app, ["releases", "show"])
    assert done.exit_code == 0, done.output
    assert all(f"{member} is shown" in done.output for member in release.manifest["samples"])
    assert store.diff("live", release.id).overlap_at_10 == 1


def test_an_old_night_serves_members(night):
    settings, release = night
    member = release.manifest["samples"][0]
    rows = pipeline.recommend(settings, member, k=3, release="live")
    assert [row["rank"] for row in rows] == [1, 2, 3]
    explanation = pipeline.explain(settings, member, rows[0]["title_id"], release="live")
    assert sum(part.get("contribution") for part in explanation.groups) == pytest.approx(
        explanation.score
    )
    assert pipeline.similar(settings, rows[0]["title_id"], k=2, release="live")
    assert pipeline.parameters(settings, "live")["learned_from"]["members"] > 0
    assert non_profiled.read(release, member).num_rows


def test_a_member_can_be_erased_from_an_old_night(night):
    settings, release = night
    members = release.table("vocabulary/members.parquet")["member_id"].to_pylist()
    leaver, stayer = members[1], members[2]
    store = releases.Store.of(settings.home)
    fill = ReissueWithoutMembers(Traces.of([leaver]))
    at = datetime(2026, 2, 2, tzinfo=UTC)
    fresh = store.open(reissue(store, release, fill, at=at, by="test", why="erasure").after)
    assert store.verify("live").release_id == fresh.id
    assert not fresh.slate(leaver).num_rows
    assert pipeline.recommend(settings, stayer, k=3, release="live")
