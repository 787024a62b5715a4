"""One holder of a home, whatever happens to its files; who lost the home renames nothing."""

import json
import shutil
import subprocess
import sys

import pytest

from matinee import durable, releases
from matinee.errors import BusyError
from matinee.privacy import Traces
from matinee.releases import mirror, reissue
from matinee.releases.remote import Remote
from matinee.rights import member_search
from tests.releases.samples import AT, promote, publish

OTHER = """
import sys
from pathlib import Path
from matinee import releases
from matinee.errors import BusyError
try:
    with releases.lease(Path(sys.argv[1]), name=sys.argv[2], wait_seconds=0):
        print("took it")
except BusyError as error:
    print("kept out")
"""


def other(home, name="night"):
    """What another process gets."""
    command = [sys.executable, "-c", OTHER, str(home), name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def removed(note):
    note.unlink()


def replaced(note):
    fresh = note.with_name("fresh")
    fresh.write_text("{}")
    fresh.replace(note)


def emptied(note):
    note.write_bytes(b"")


def deep(note):
    note.write_bytes(b"[" * 100_000)


def a_folder(note):
    note.unlink()
    note.mkdir()


@pytest.mark.parametrize("name", ["night", "consent"])
@pytest.mark.parametrize("change", [removed, replaced, emptied, deep, a_folder])
def test_a_lease_survives_what_happens_to_its_file(tmp_path, change, name):
    with releases.lease(tmp_path, name=name) as held:
        change(held.note)
        with (
            pytest.raises(BusyError, match=f"another {name} runs: "),
            releases.lease(tmp_path, name=name, wait_seconds=0),
        ):
            pass
        if held.note.is_dir():
            held.note.rmdir()


def test_another_process_is_kept_out_after_every_file_of_the_home_was_deleted(tmp_path):
    with releases.lease(tmp_path):
        for path in tmp_path.iterdir():
            path.unlink() if path.is_file() else shutil.rmtree(path)
        assert other(tmp_path) == "kept out"
    assert other(tmp_path) == "took it"


def test_a_lost_file_is_written_again_by_the_next_check(tmp_path):
    with releases.lease(tmp_path, holder="a night") as held:
        held.note.unlink()
        releases.fence(tmp_path / "releases/x")
        assert json.loads(held.note.read_bytes())["holder"] == "a night"
    assert not held.note.exists()


@pytest.mark.parametrize("member", ["holder", "localhost", "a-night"])
def test_an_erasure_of_a_member_called_like_a_word_of_the_lease_leaves_it_alone(tmp_path, member):
    with releases.lease(tmp_path, holder=member):
        assert member_search.search(tmp_path, Traces.of([member])) == {}


# ---------- fencing


@pytest.fixture
def store(tmp_path):
    home = tmp_path / "home"
    store = releases.Store(home / "releases", keys=home / "keys")
    for number in range(3):
        publish(store, shift=number, minutes=number)
    newest, middle, _ = store.list()
    promote(store, middle)
    promote(store, newest)
    return store


def taken(home):
    """Another process takes the place of the home, as after `mv home away`."""
    shutil.move(home, home.with_name("away"))
    shutil.copytree(home.with_name("away"), home)


def removed_home(home):
    shutil.move(home, home.with_name("away"))


def _publish(store):
    publish(store, shift=7, minutes=7)


def _nominate(store):
    store.nominate(store.list()[-1].id, at=AT, by="t", why="w")


def _promote(store):
    promote(store, store.list()[-1])


def _rollback(store):
    store.rollback(at=AT, by="t", why="w")


def _gc(store):
    store.gc(1, at=AT, by="t")


def _reissue(store):
    release = store.list()[-1]

    def fill(release, draft, at):
        shutil.copytree(release.path, draft.path, dirs_exist_ok=True)
        for name in ("manifest.json", "signature.json"):
            (draft.path / name).unlink()
        return reissue.manifest_fields(release)

    reissue.reissue(store, release, fill, at=AT.replace(hour=9), by="t", why="w")


def _pull(store):
    remote = Remote.open(f"file://{store.root.parents[1] / 'share'}")
    mirror.pull(store, remote, ())


OPERATIONS = [_publish, _nominate, _promote, _rollback, _gc, _reissue, _pull]


def tree(root):
    """All that a reader sees of a store: names of releases, aliases, trail."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if not path.relative_to(root).parts[0].startswith((".draft-", ".lock"))
    }


@pytest.fixture
def ahead(store):
    """A mirror that knows more than the store."""
    share = Remote.open(f"file://{store.root.parents[1] / 'share'}")
    home = store.root.parent
    kept = home.with_name("before")
    shutil.copytree(home, kept)
    promote(store, publish(store, shift=9, minutes=9))
    mirror.push(store, share, (), at=AT, by="t")
    shutil.rmtree(home)
    shutil.move(kept, home)
    return store


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.__name__.strip("_"))
def test_who_lost_the_home_renames_nothing_in_the_store(ahead, operation):
    home = ahead.root.parent
    with releases.lease(home):
        taken(home)
        before = tree(ahead.root)
        with pytest.raises(BusyError, match="was replaced, or taken by another process, while the"):
            operation(ahead)
        assert tree(ahead.root) == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.__name__.strip("_"))
def test_who_holds_the_home_still_changes_the_store(ahead, operation):
    with releases.lease(ahead.root.parent):
        before = tree(ahead.root)
        operation(ahead)
        assert tree(ahead.root) != before


def test_who_loses_the_home_between_two_steps_does_not_make_the_second(store, monkeypatch):
    home, append = store.root.parent, durable.append

    def append_then_lose(path, line):
        append(path, line)
        taken(home)

    aliases = (store.root / "aliases.json").read_bytes()
    monkeypatch.setattr(durable, "append", append_then_lose)
    with releases.lease(home), pytest.raises(BusyError, match="was replaced, or taken"):
        _promote(store)
    assert (store.root / "aliases.json").read_bytes() == aliases


def test_a_home_that_is_replaced_while_it_is_locked_is_locked_anew(tmp_path, monkeypatch):
    home, try_lock = tmp_path / "home", durable.try_lock

    def locked_too_late(descriptor):
        monkeypatch.setattr(durable, "try_lock", try_lock)
        shutil.move(home, tmp_path / "away")
        return try_lock(descriptor)

    monkeypatch.setattr(durable, "try_lock", locked_too_late)
    with releases.lease(home) as held:
        held.check()
        assert other(home) == "kept out"


def test_a_home_that_was_moved_away_is_named(tmp_path):
    home = tmp_path / "home"
    with releases.lease(home):
        removed_home(home)
        with pytest.raises(BusyError, match=f"{home} was replaced"):
            releases.fence(home)
    assert not home.exists()


def test_a_process_without_a_lease_is_not_fenced(store):
    releases.fence(store.root)
    _promote(store)
