"""Copies of a home: a backup that a new home is made from, and a sandbox."""

import tarfile

import pytest

from matinee import pipeline
from matinee.errors import BusyError, ConfigError, IntegrityError
from matinee.operations import copy_home
from matinee.releases import Store
from matinee.settings import Settings


@pytest.fixture(scope="module")
def archive(night_home, tmp_path_factory):
    file = tmp_path_factory.mktemp("backup") / "home.tar"
    pipeline.backup(Settings(home=night_home), file)
    return file


def test_a_backup_is_private_and_restores_to_the_same_live_release(archive, night_home, tmp_path):
    assert archive.stat().st_mode & 0o777 == 0o600
    restored = pipeline.restore(archive, tmp_path / "new")
    assert restored.live == Store.of(night_home).open("live").id
    for store in copy_home.KEPT:
        if (night_home / store).is_dir():
            names = {str(one.relative_to(night_home)) for one in (night_home / store).rglob("*")}
            assert {one for one in names if not (tmp_path / "new" / one).exists()} == set()
    assert not (tmp_path / "new/warehouse").exists()


def test_a_night_that_runs_is_waited_for(night_home, tmp_path, monkeypatch):
    monkeypatch.setattr(copy_home, "PATIENCE_SECONDS", 0)
    settings, lines = Settings(home=night_home), []

    def busy(*arguments, **more):
        raise BusyError("another night runs")

    monkeypatch.setattr(copy_home, "lease", busy)
    with pytest.raises(BusyError):
        pipeline.backup(settings, tmp_path / "home.tar", tell=lines.append)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_release_is_not_restored(archive, tmp_path):
    pipeline.restore(archive, tmp_path / "new")
    live = Store.of(tmp_path / "new").open("live")
    (live.path / "card.md").write_text("another")
    with tarfile.open(tmp_path / "bad.tar", "w") as bad:
        for store in copy_home.KEPT:
            if (tmp_path / "new" / store).exists():
                bad.add(tmp_path / "new" / store, store)
    with pytest.raises(IntegrityError, match="take another backup"):
        pipeline.restore(tmp_path / "bad.tar", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_is_no_backup_is_refused(archive, tmp_path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(ConfigError, match="is no backup of a home"):
        pipeline.restore(tmp_path / "x", tmp_path / "new")
    with tarfile.open(tmp_path / "y", "w") as other:
        other.add(tmp_path / "x", "../x")
    with pytest.raises(ConfigError, match=r"is no backup of a home: it has \.\."):
        pipeline.restore(tmp_path / "y", tmp_path / "new")
    with pytest.raises(ConfigError, match="exists: restore to a folder that does not"):
        pipeline.restore(archive, tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["x", "y"]


def test_a_copy_lies_outside_the_home_and_replaces_nothing(night_home, tmp_path):
    settings = Settings(home=night_home)
    with pytest.raises(ConfigError, match="is in the home: an erasure searches all"):
        pipeline.sandbox(settings, night_home / "sandbox")
    with pytest.raises(ConfigError, match="exists: name a new one"):
        pipeline.backup(settings, tmp_path)
    with pytest.raises(ConfigError, match="no home with data"):
        pipeline.sandbox(Settings(home=tmp_path), tmp_path / "sandbox")


def test_a_sandbox_has_the_warehouse_and_none_of_the_targets_of_alerts(copied, tmp_path):
    (copied / "notify.yml").write_text("urls: ['json://ops']")
    done = pipeline.sandbox(Settings(home=copied), tmp_path / "sandbox")
    assert done.live == Store.of(copied).open("live").id
    assert (done.path / "warehouse/matinee.duckdb").is_file()
    assert not (done.path / "notify.yml").exists()
    assert done.path.stat().st_mode & 0o777 == 0o700
