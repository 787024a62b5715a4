"""Releases of every manifest version there ever was still open and verify."""

from pathlib import Path

import pytest

from matinee import provenance, releases
from matinee.releases import digest

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
    told = {record["file"]: record["content_sha256"] for record in release.manifest["files"]}
    today = {record.file: record.content_sha256 for record in digest.describe(release.path)}
    assert {name: today[name] for name in told} == told
