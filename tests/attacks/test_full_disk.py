"""A full disk is exit code 6, changes nothing by halves, and is made good by the next call."""

import errno
import os
import shutil
import sqlite3

import duckdb
import pyarrow as pa
import pytest

from matinee import durable, features, pipeline, releases, warehouse
from matinee.errors import StorageError
from matinee.privacy import Traces
from matinee.releases import files
from matinee.rights import member_search
from matinee.settings import Settings
from tests.releases.samples import AT, promote, publish
from tests.rights.conftest import LEAVER, Zone

FULL = OSError(errno.ENOSPC, "No space left on device")
QUOTA = OSError(errno.EDQUOT, "Disk quota exceeded")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A home that names the leaver in each store but releases."""
    home = tmp_path_factory.mktemp("full") / "home"
    Zone(home).fill()
    (home / "warehouse").mkdir()
    with duckdb.connect(str(home / "warehouse/matinee.duckdb")) as connection:
        connection.execute("create table t as select ? as member_id", [LEAVER])
    (home / "reports").mkdir()
    (home / "reports/night.log").write_text(f"seen {LEAVER}\n")
    return home


@pytest.fixture
def home(tmp_path, template):
    return shutil.copytree(template, tmp_path / "home")


def forget(home):
    return pipeline.forget(Settings(home=home), [LEAVER], by="test")


def fails(error, *, after=0):
    """A function that fails once `after` calls went well, like a disk that fills up."""
    calls = []

    def failing(real):
        def call(*args, **kwargs):
            calls.append(args)
            if len(calls) > after:
                raise error
            return real(*args, **kwargs)

        return call

    return failing


FAULTS = {
    "first write": (os, "fsync", fails(FULL)),
    "tombstone": (os, "fsync", fails(FULL, after=4)),
    "received": (durable, "put", fails(FULL)),
    "landing": (durable, "put", fails(FULL, after=5)),
    "warehouse": (
        warehouse,
        "erase",
        fails(duckdb.IOException(f"IO Error: {FULL.strerror}")),
    ),
    "commit": (
        warehouse,
        "erase",
        fails(duckdb.TransactionException(FULL.strerror)),
    ),
    "features": (features, "erase", fails(sqlite3.OperationalError("database or disk is full"))),
    "parquet": (pa.parquet.ParquetWriter, "write_table", fails(FULL)),
    "quota": (durable, "put", fails(QUOTA)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_forget_on_a_full_disk_is_refused_and_goes_on_once_there_is_room(home, monkeypatch, fault):
    owner, name, failing = FAULTS[fault]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing(getattr(owner, name)))
        with pytest.raises(StorageError, match=r"full: make room|free some space") as caught:
            forget(home)
    assert caught.value.exit_code == 6
    assert not [one for one in home.rglob("*") if one.suffix in (".new", ".erasing", ".tmp")]
    assert not list((home / durable.DRAFTS).glob("*/*"))
    receipt, _ = forget(home)
    assert receipt.left == {}
    assert member_search.search(home, Traces.of([LEAVER])) == {}


GC = {
    "trail": ("append", fails(FULL)),
    "aliases": ("replace", fails(FULL)),
    "second release": ("append", fails(FULL, after=1)),
    "second aliases": ("replace", fails(FULL, after=1)),
    "rename": ("rename", fails(FULL)),
}


@pytest.mark.parametrize("fault", GC)
def test_gc_on_a_full_disk_is_refused_and_leaves_whole_releases(tmp_path, monkeypatch, fault):
    store = releases.Store(tmp_path / "releases", keys=tmp_path / "keys")
    for number in range(4):
        publish(store, shift=number, minutes=number)
    promote(store, store.list()[0])
    name, failing = GC[fault]
    with monkeypatch.context() as patch:
        patch.setattr(files, name, failing(getattr(files, name)))
        with pytest.raises(StorageError, match="free some space, then run again"):
            store.gc(1, at=AT, by="test")
    for release in store.list():
        assert store.verify(release.id)
    store.gc(1, at=AT, by="test")
    assert store.verify("live")
    assert len(store.list()) == 1


class Disk:
    """A disk that is full: what is written must fit into what was removed since."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.capacity = folder, used(folder)
        for name in ("append", "replace", "write"):
            monkeypatch.setattr(files, name, self.checked(getattr(files, name)))

    def checked(self, write):
        def call(path, data, **options):
            if used(self.folder) + len(data) > self.capacity:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            return write(path, data, **options)

        return call


def used(folder):
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_gc_frees_space_on_a_full_disk_and_the_trail_tells_of_it(tmp_path, monkeypatch, keep):
    store = releases.Store(tmp_path / "releases", keys=tmp_path / "keys")
    for number in range(4):
        publish(store, shift=number, minutes=number)
    promote(store, store.list()[0])
    disk = Disk(store.root, monkeypatch)
    removed = store.gc(keep, at=AT, by="test")
    assert len(removed) == 4 - keep
    assert used(store.root) < disk.capacity
    assert store.verify("live")
    assert {one.release_id for one in store.trail().entries() if one.action == "remove"} == set(
        removed
    )
    assert store.sweep() == ()
