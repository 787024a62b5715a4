"""What was acknowledged is there after a power cut.

A home lies on an ext4 file system in an image. At the acknowledgement the image is copied, with
what had reached the disk and without what the kernel still held, and the copy is mounted. Where
images cannot be mounted this is skipped, and `tests/test_durable.py` checks the order of fsync and
rename of the same functions instead. Root on a machine with loop devices can: there it fails.
"""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from matinee import durable, landing, pipeline, releases
from matinee.releases import key_changes
from matinee.rights import consent
from matinee.settings import Settings
from tests.releases.samples import AT, promote, publish

MEMBER = "m1"
MEGABYTES = 16


def leave_out(reason):
    """Skip, or fail as root on a machine with loop devices: nothing there keeps us from testing."""
    found = subprocess.run(["losetup", "--find"], capture_output=True) if has_losetup() else None
    if os.geteuid() == 0 and found is not None and found.returncode == 0:
        pytest.fail(f"not to be skipped by root with loop devices: {reason}")
    pytest.skip(reason)


def has_losetup():
    return shutil.which("losetup") is not None


@contextmanager
def mounted(image, folder):
    folder.mkdir(exist_ok=True)
    # Nothing is written behind our back: the journal is committed by fsync alone.
    options = "loop,commit=900,noatime"
    done = subprocess.run(["mount", "-o", options, image, folder], capture_output=True, text=True)
    if done.returncode:
        leave_out(f"images cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """An image with a home: two releases, the older one live, and an empty list of withdrawals."""
    folder = tmp_path_factory.mktemp("image")
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        leave_out("only root can mount an image, and mkfs.ext4 makes it")
    image = folder / "disk"
    with image.open("wb") as file:
        file.truncate(MEGABYTES << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with mounted(image, folder / "disk.mounted") as disk:
        settings = Settings(home=disk / "home")
        store = releases.Store.of(settings.home)
        promote(store, publish(store))
        publish(store, shift=1, minutes=1)
        consent.refresh(settings)
    return image


def refuse(settings):
    pipeline.record_choice(settings, MEMBER, "personalisation", granted=False)
    return lambda after: (
        not consent.may_personalise(after, MEMBER)
        and list((after.home / "landing/consents").glob("dt=*/said-*.jsonl"))
    )


def promotion(settings):
    store = releases.Store.of(settings.home)
    newest = store.list()[0].id
    promote(store, store.list()[0])
    return lambda after: releases.Store.of(after.home).verify("live").release_id == newest


def publication(settings):
    release = publish(releases.Store.of(settings.home), shift=2, minutes=2)
    return lambda after: releases.Store.of(after.home).verify(release.id)


def removal(settings):
    (gone,) = {one.id for one in releases.Store.of(settings.home).list()} - set(
        releases.Store.of(settings.home).aliases().ids()
    )
    promotion(settings)
    store = releases.Store.of(settings.home)
    store.rollback(at=AT, by="t", why="w")
    assert store.gc(1, at=AT, by="t") == ()
    return lambda after: (
        releases.Store.of(after.home).trail().entries()[-1].action == "rollback"
        and releases.Store.of(after.home).open("live").id != gone
    )


def rotation(settings):
    key_changes.rotate_key(releases.Store.of(settings.home), at=AT, by="t", why="w")
    return lambda after: publish(releases.Store.of(after.home), shift=3, minutes=3)


def tombstone(settings):
    landing.tombstones.add(settings.home, frozenset({MEMBER}), AT)
    return lambda after: landing.tombstones.read(after.home).holds(MEMBER)


ACTIONS = [refuse, promotion, publication, removal, rotation, tombstone]


def after_a_power_cut(prepared, tmp_path, act):
    """Whether what `act` did is there after a cut at its return; OSError or an error if not."""
    image, copy = tmp_path / "disk", tmp_path / "copy"
    shutil.copyfile(prepared, image)
    with mounted(image, tmp_path / "mounted") as disk:
        is_there = act(Settings(home=disk / "home"))
        shutil.copyfile(image, copy)
    with mounted(copy, tmp_path / "after") as disk:
        after = Settings(home=disk / "home")
        assert releases.Store.of(after.home).verify("live")
        return bool(is_there(after))


@pytest.mark.parametrize("act", ACTIONS, ids=lambda one: one.__name__)
def test_what_was_acknowledged_survives_a_power_cut(prepared, tmp_path, act):
    assert after_a_power_cut(prepared, tmp_path, act)


@pytest.mark.parametrize("act", [refuse, promotion], ids=lambda one: one.__name__)
def test_control_without_fsync_it_is_lost(prepared, tmp_path, act, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    assert not after_a_power_cut(prepared, tmp_path, act)


def test_control_without_the_fsync_of_the_folder_a_new_name_is_lost(
    prepared, tmp_path, monkeypatch
):
    monkeypatch.setattr(durable, "sync", lambda path: None)

    def act(settings):
        durable.replace(settings.home / "privacy/x", b"x")
        return lambda after: (after.home / "privacy/x").exists()

    assert not after_a_power_cut(prepared, tmp_path, act)


@pytest.mark.parametrize(
    ("user", "code", "outcome"),
    [(0, 0, pytest.fail.Exception), (0, 1, pytest.skip.Exception), (7, 0, pytest.skip.Exception)],
)
def test_root_with_loop_devices_skips_nothing(monkeypatch, user, code, outcome):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name: f"/sbin/{name}")
    done = subprocess.CompletedProcess([], code)
    monkeypatch.setattr(subprocess, "run", lambda *command, **options: done)
    with pytest.raises(outcome, match="why"):
        leave_out("why")
