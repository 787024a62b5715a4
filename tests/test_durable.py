"""Writes survive a power cut: the file is synced, then renamed, then its folder is synced."""

import ast
import errno
import os
import stat
from importlib import import_module
from pathlib import Path

import pytest

from matinee import durable, landing, provenance
from matinee.errors import StorageError
from matinee.features import online
from matinee.landing import ledger, tombstones
from matinee.releases import aliases, signing
from matinee.rights import consent, erase, withdrawals
from matinee.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

CALLS = {
    "os": {"fsync", "fdatasync", "link", "rename", "renames", "replace", "sync"},
    "shutil": {"move"},
}

ALLOWED = {
    ("matinee/night/publish.py", "shutil.move"): "into a draft, all of which is synced later",
    ("matinee/cache.py", "Path.replace"): "a file that is lost is made again",
}


def calls_of(source):
    """Every call that syncs or renames: `os.*`, `shutil.move`, and a path's `rename` or `replace`.

    A path's `replace` has one argument; a string's has two, and that of a time has names.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in CALLS:
            yield from (
                f"from {node.module}" for one in node.names if one.name in CALLS[node.module]
            )
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        name = node.func.attr
        if name in CALLS.get(owner, ()):
            yield f"{owner}.{name}"
        elif owner in ("durable", "files"):
            continue
        elif name in ("rename", "replace") and len(node.args) == 1 and not node.keywords:
            yield f"Path.{name}"


def test_files_are_synced_and_renamed_in_one_module_only():
    found = {
        (path.relative_to(ROOT).as_posix(), call)
        for folder in ("matinee", "flows", "feature_repo")
        for path in (ROOT / folder).rglob("*.py")
        for call in calls_of(path.read_text())
    }
    inside = {call for path, call in found if path == "matinee/durable.py"}
    assert inside >= {"os.fsync", "os.replace", "os.rename", "os.link"}
    outside = {one for one in found if one[0] != "matinee/durable.py"}
    assert outside == set(ALLOWED)


@pytest.mark.parametrize(
    "call",
    [
        "os.fsync(d)",
        "os.replace(a, b)",
        "import shutil; shutil.move(a, b)",
        "draft.replace(path)",
        "a.with_name('x').rename(b)",
        "from os import replace",
    ],
)
def test_the_search_for_such_calls_sees_them(call):
    assert list(calls_of(call))


@pytest.mark.parametrize("call", ["t.replace('a', 'b')", "at.replace(tzinfo=None)", "replace(a)"])
def test_the_search_for_such_calls_takes_no_other_for_one(call):
    assert not list(calls_of(call))


# ---------- file, then name, then folder


class Calls(list):
    """What reaches the disk, in order: ("sync" or "name", path)."""

    def __init__(self, monkeypatch):
        super().__init__()
        for name in ("fsync", "replace", "rename", "link"):
            monkeypatch.setattr(os, name, self._noted(name, getattr(os, name)))

    def _noted(self, name, real):
        def noted(*args, **kwargs):
            if name == "fsync":
                what = "sync", Path(os.readlink(f"/proc/self/fd/{args[0]}"))
                self.append((*what, os.fstat(args[0]).st_ino))
                return real(*args, **kwargs)
            source = Path(os.fsdecode(args[0]))
            before = source.stat().st_ino if source.is_absolute() else None
            done = real(*args, **kwargs)
            target = kwargs.get("dst_dir_fd")
            parent = Path(os.readlink(f"/proc/self/fd/{target}")) if target else None
            self.append(("name", parent / args[1] if parent else Path(args[1]), before))
            return done

        return noted

    def check(self, path):
        """The bytes of `path` were synced before it got its name, and its folder afterwards."""
        inode = path.stat().st_ino
        named = max(n for n, call in enumerate(self) if call[:2] == ("name", path))
        synced = [n for n, call in enumerate(self) if call[0] == "sync" and call[2] == inode]
        folder = [n for n, call in enumerate(self) if call[:2] == ("sync", path.parent)]
        assert any(n < named for n in synced), (path, list(self))
        assert any(n > named for n in folder), (path, list(self))


def _put(home):
    with durable.drafts(home) as drafts:
        draft = drafts.new()
        draft.write_bytes(b"new")
        durable.put(draft, home / "a")
    return home / "a"


def _replaced(home):
    (home / "a").write_bytes(b"old")
    durable.replace(home / "a", b"new")
    return home / "a"


def _created_once(home):
    assert durable.create_once(home / "a", b"new")
    return home / "a"


def _ledger(home):
    ledger.write(home, ledger.Ledger({}))
    return ledger.path_of(home)


def _key(home):
    tombstones.key(home)
    return home / tombstones.KEY


def _tombstones(home):
    tombstones.add(home, frozenset({"m1"}), _instant())
    return home / "privacy/tombstones.jsonl"


def _watermark(home):
    online._write(home / "watermark.json", {"as_of": "2026-01-01"})
    return home / "watermark.json"


def _unfinished(home):
    erase._write(home / erase.UNFINISHED, {"members": ["m1"]})
    return home / erase.UNFINISHED


def _truth(home):
    import_module("matinee.operations.simulate")._save(home / "landing/truth.json", {})
    return home / "landing/truth.json"


def _withdrawals(home):
    consent._save(Settings(home=home), withdrawals.Withdrawals(bytes(32)))
    return home / withdrawals.FILE


def _aliases(home):
    aliases.write(home / "aliases.json", aliases.Aliases())
    return home / "aliases.json"


def _signing_key(home):
    signing.private_key(home / "keys")
    return home / "keys" / signing.PRIVATE_KEY


def _landed(home):
    return landing.place(
        home, "plays", _instant().date(), "a.jsonl", lambda draft: draft.write_bytes(b"{}\n")
    )


def _instant():
    return provenance.datetime.fromisoformat("2026-01-02T03:04:05+00:00")


NAMED = [
    _put,
    _replaced,
    _created_once,
    _ledger,
    _key,
    _tombstones,
    _watermark,
    _unfinished,
    _truth,
    _withdrawals,
    _aliases,
    _signing_key,
    _landed,
]


@pytest.mark.parametrize("write", NAMED, ids=lambda one: one.__name__.strip("_"))
def test_file_and_folder_are_synced_in_that_order(tmp_path, monkeypatch, write):
    calls = Calls(monkeypatch)
    calls.check(write(tmp_path))


def test_a_line_is_on_the_disk_and_what_a_crash_left_of_one_is_gone(tmp_path, monkeypatch):
    path = tmp_path / "lines"
    path.write_bytes(b"whole\ntor")
    calls = Calls(monkeypatch)
    durable.append(path, b"next")
    assert path.read_bytes() == b"whole\nnext\n"
    assert [call[:2] for call in calls] == [("sync", path), ("sync", tmp_path)]


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", [durable.replace, durable.create, durable.create_once])
def test_a_full_disk_leaves_no_draft_and_the_old_bytes(tmp_path, monkeypatch, call):
    path = tmp_path / "a"
    if call is durable.replace:
        path.write_bytes(b"old")
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        call(path, b"new")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_no_half_of_a_line(tmp_path, monkeypatch):
    path = tmp_path / "lines"
    path.write_bytes(b"whole\n")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.append(path, b"next")
    assert path.read_bytes() == b"whole\n"


# ---------- drafts


def test_drafts_are_private_exclusive_and_gone_afterwards(tmp_path):
    with durable.drafts(tmp_path) as drafts:
        one, other = drafts.new(), drafts.new()
        assert one != other
        for folder in (tmp_path / durable.DRAFTS, drafts.path):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        one.write_bytes(b"left")
    assert list((tmp_path / durable.DRAFTS).iterdir()) == []


def test_drafts_of_the_dead_are_swept_and_those_of_the_living_stay(tmp_path):
    with durable.drafts(tmp_path) as drafts:
        kept = drafts.new()
        dead = tmp_path / durable.DRAFTS / "1-dead"
        dead.mkdir()
        (dead / "half").write_bytes(b"m-000017")
        (dead.parent / "file").write_bytes(b"m-000017")
        (dead.parent / "link").symlink_to(tmp_path)
        durable.sweep_drafts(tmp_path)
        assert kept.exists()
        assert list(dead.parent.iterdir()) == [drafts.path]


def test_a_folder_of_drafts_that_others_can_enter_is_closed_to_them(tmp_path):
    (tmp_path / durable.DRAFTS).mkdir(mode=0o777)
    with durable.drafts(tmp_path):
        assert stat.S_IMODE((tmp_path / durable.DRAFTS).stat().st_mode) == 0o700


def test_a_folder_of_drafts_that_is_a_link_is_refused(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / durable.DRAFTS).symlink_to(elsewhere)
    with pytest.raises(StorageError, match=r"\.drafts is not a folder: remove it"):
        durable.drafts(tmp_path).__enter__()
    assert list(elsewhere.iterdir()) == []


def test_a_draft_for_another_disk_is_copied_there_first(tmp_path, monkeypatch):
    real, calls = os.replace, []

    def other_disk(source, target, **kwargs):
        calls.append(source)
        if len(calls) == 1:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return real(source, target, **kwargs)

    monkeypatch.setattr(os, "replace", other_disk)
    assert _put(tmp_path).read_bytes() == b"new"
    assert sorted(one.name for one in tmp_path.iterdir()) == [durable.DRAFTS, "a"]
    assert len(calls) == 2
