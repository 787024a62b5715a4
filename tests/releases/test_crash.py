"""The process dies before each step that writes to disk; the store must stay intact."""

import os
import shutil

import pytest

from matinee.releases import files
from tests.releases.samples import AT, promote, publish

STEPS = [(os, "fsync"), (os, "replace"), (os, "rename"), (shutil, "rmtree")]


class Death(BaseException):
    """Not an Exception, so that nothing in the package catches it."""


class Machine:
    """Counts the steps and runs none from `last` on, as in a power cut."""

    def __init__(self, monkeypatch, last):
        self.count = 0
        for module, name in STEPS:
            monkeypatch.setattr(module, name, self.step(getattr(module, name), last))

    def step(self, real, last):
        def counted(*args, **kwargs):
            self.count += 1
            if last is not None and self.count >= last:
                raise Death
            return real(*args, **kwargs)

        return counted


def publish_and_promote(store):
    """Publish and promote a second release."""
    promote(store, publish(store, shift=1, minutes=1))


def steps_of_a_night(store):
    with pytest.MonkeyPatch.context() as monkeypatch:
        machine = Machine(monkeypatch, last=None)
        publish_and_promote(store)
    return machine.count


def test_a_crash_at_any_step_leaves_live_intact_and_no_remains(tmp_path, store):
    first = publish(store)
    promote(store, first)
    folders = {store.root: tmp_path / "as-it-was", store.keys: tmp_path / "keys-as-they-were"}
    for folder, copy in folders.items():
        shutil.copytree(folder, copy)
    count = steps_of_a_night(store)
    assert count >= 20  # control: the number of steps counted

    outcomes = []
    for last in range(1, count + 1):
        for folder, copy in folders.items():
            shutil.rmtree(folder)
            shutil.copytree(copy, folder)
        with pytest.MonkeyPatch.context() as monkeypatch:
            Machine(monkeypatch, last)
            with pytest.raises(Death):
                publish_and_promote(store)

        live = store.live()
        assert store.verify(live.id)
        store.sweep()
        assert store.verify(live.id)
        assert not [path for path in store.root.glob(".*") if path.name != ".lock"]
        for release in store.list():
            assert store.verify(release.id)
        outcomes.append(live == first)

        second = [release for release in store.list() if release != first]
        again = second[0] if second else publish(store, shift=1, minutes=2)
        promote(store, again)  # the store still works
        assert store.live() == again
        assert store.trail().head() == store.aliases().audit_head
    assert outcomes[0]
    assert not outcomes[-1]  # the last step syncs a folder: the rename before it counts
    assert outcomes == sorted(outcomes, reverse=True)


def test_an_audit_entry_without_effect_is_declared_void(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(files, "replace", lambda *_: (_ for _ in ()).throw(Death))
        with pytest.raises(Death):
            promote(store, second)
    assert store.live() == first
    assert store.audited_ids() == {first.id}
    promote(store, second)
    assert store.audited_ids() == {first.id, second.id}
    actions = [entry.action for entry in store.trail().entries()]
    assert actions == ["promote", "promote", "void", "promote"]
    assert "had no effect: interrupted by a crash" in store.trail().entries()[2].why


def test_a_removal_without_effect_is_not_repeated_on_other_machines(store):
    older, other = publish(store), publish(store, shift=1, minutes=1)
    promote(store, other)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(files, "replace", lambda *_: (_ for _ in ()).throw(Death))
        with pytest.raises(Death):
            store.gc(1, at=AT, by="test")
    store.nominate(older.id, at=AT, by="test", why="the next writer")
    assert store.trail().entries()[-2].action == "void"
    assert store.trail().chain().removed() == set()


def test_a_crash_during_gc_leaves_intact_releases_only(store):
    for number in range(4):
        publish(store, shift=number, minutes=number)
    for last in range(1, 8):
        with pytest.MonkeyPatch.context() as monkeypatch:
            Machine(monkeypatch, last)
            with pytest.raises(Death):
                store.gc(1, at=AT, by="test")
        for release in store.list():
            assert store.verify(release.id)
        store.sweep()
    store.gc(1, at=AT, by="test")
    assert len(store.list()) == 1


def test_sweep_keeps_the_draft_of_a_running_process(store):
    with store.draft() as draft:
        (draft.path / "a.json").write_text("{}")
        orphan = store.root / ".draft-1-dead"
        orphan.mkdir()
        assert store.sweep() == (orphan.name,)
        assert (draft.path / "a.json").exists()
