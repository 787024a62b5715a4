"""One holder of a home, whatever happens to its files; who lost the home renames nothing."""

import json
import shutil
import subprocess
import sys

import pytest

from matinee import durable, releases
from matinee.errors import BusyError
from matinee.features import online
from matinee.landing import ledger, tombstones
from matinee.night import run
from matinee.privacy import Traces
from matinee.releases import files, mirror, reissue
from matinee.releases.remote import Remote
from matinee.rights import consent, erase, member_search
from matinee.settings import Settings
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
    home, append = store.root.parent, files.append

    def append_then_lose(path, line):
        append(path, line)
        taken(home)

    aliases = (store.root / "aliases.json").read_bytes()
    monkeypatch.setattr(files, "append", append_then_lose)
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


def _written(home):
    path = home / "x"
    path.write_bytes(b"old\n")
    return path


def _put(home):
    draft = home.with_name("draft")
    draft.write_bytes(b"new")
    durable.put(draft, home / "x")


def _renamed(home):
    (home.with_name("folder")).mkdir()
    durable.rename(home.with_name("folder"), home / "folder")


WRITERS = {
    "create": lambda home: durable.create(home / "y", b"new"),
    "create_once": lambda home: durable.create_once(home / "y", b"new"),
    "replace": lambda home: durable.replace(home / "x", b"new"),
    "append": lambda home: durable.append(home / "x", b"new"),
    "remove": lambda home: durable.remove(home / "x"),
    "rename": _renamed,
    "put": _put,
    "ledger": lambda home: ledger.write(home, ledger.Ledger({})),
    "tombstones": lambda home: tombstones.add(home, frozenset({"m1"}), AT),
    "withdrawals": lambda home: consent.refresh(Settings(home=home)),
    "watermark": lambda home: online._write(home / "watermark.json", {}),
    "unfinished erasure": lambda home: erase._write(home / erase.UNFINISHED, {}),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("is_lost", [False, True], ids=["held", "lost"])
def test_who_lost_the_home_gives_no_file_of_it_other_bytes(tmp_path, write, is_lost):
    home = tmp_path / "home"
    home.mkdir()
    _written(home)
    (home / "keys").mkdir(mode=0o700)
    (home / "keys/privacy.key").write_bytes(bytes(32))
    (home / "keys/privacy.key").chmod(0o600)
    (home / "received").mkdir()
    (home / "privacy").mkdir()
    with releases.lease(home):
        if is_lost:
            taken(home)
        before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
        if is_lost:
            with pytest.raises(BusyError, match="was replaced, or taken by another process"):
                write(home)
        else:
            write(home)
        after = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
        assert (before == after) == (is_lost or write is _renamed)


def test_a_home_lost_while_bytes_are_written_gets_no_name(tmp_path, monkeypatch):
    home, fill = tmp_path / "home", durable._fill
    home.mkdir()
    path = _written(home)

    def slow(*arguments):
        fill(*arguments)
        taken(home)

    monkeypatch.setattr(durable, "_fill", slow)
    with releases.lease(home), pytest.raises(BusyError, match="was replaced, or taken"):
        durable.replace(path, b"new")
    assert path.read_bytes() == b"old\n"


def test_a_step_of_a_night_looks_at_the_lease_before_after_and_as_it_reports(tmp_path):
    settings, done = Settings(home=tmp_path / "home"), []

    def step(started, progress):
        done.append("began")
        if lose == "while it runs":
            taken(settings.home)
        progress(1, 2, "half")
        done.append("ended")
        if lose == "at its end":
            taken(settings.home)
        return "a note"

    for lose, expected in (
        ("never", ["began", "ended"]),
        ("before", []),
        ("while it runs", ["began"]),
        ("at its end", ["began", "ended"]),
    ):
        done.clear()
        with releases.lease(settings.home):
            if lose == "before":
                taken(settings.home)
            one = run.Step("x", "x", step)
            if lose == "never":
                assert one.run(run.NightRun(settings), None) == "a note"
            else:
                with pytest.raises(BusyError, match="was replaced, or taken"):
                    one.run(run.NightRun(settings), None)
        assert done == expected
        shutil.rmtree(settings.home.with_name("away"), ignore_errors=True)
