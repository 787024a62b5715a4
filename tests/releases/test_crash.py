"""The process dies before each step that reaches the disk; what is left must still be whole."""

import os
import shutil

import pytest

from matinee.releases import files
from tests.releases.samples import AT, promote, publish

STEPS = [(os, "fsync"), (os, "replace"), (os, "rename"), (shutil, "rmtree")]


class Death(BaseException):
    """Not an Exception: nothing in the package may catch it."""


class Machine:
    """Counts the steps, and from the `last` on does none of them: the power is out."""

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


def act(store):
    """Publish and promote a second release."""
    promote(store, publish(store, shift=1, minutes=1))


def steps_of_a_night(store):
    with pytest.MonkeyPatch.context() as monkeypatch:
        machine = Machine(monkeypatch, last=None)
        act(store)
    return machine.count


def test_a_crash_at_any_step_leaves_live_whole_and_nothing_behind(tmp_path, store):
    first = publish(store)
    promote(store, first)
    shutil.copytree(store.root, tmp_path / "as-it-was")
    count = steps_of_a_night(store)
    assert count >= 20  # the control: this many places to die were found

    outcomes = []
    for last in range(1, count + 1):
        shutil.rmtree(store.root)
        shutil.copytree(tmp_path / "as-it-was", store.root)
        with pytest.MonkeyPatch.context() as monkeypatch:
            Machine(monkeypatch, last)
            with pytest.raises(Death):
                act(store)

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
        promote(store, again)  # progress: the store is not wedged
        assert store.live() == again
        assert store.trail().head() == store.aliases().audit_head
    assert outcomes[0]
    assert not outcomes[-1]  # the last step syncs a folder: the rename before it counts
    assert outcomes == sorted(outcomes, reverse=True)


def test_a_line_of_the_trail_that_never_took_effect_is_declared_void(store):
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
    told = [entry.action for entry in store.trail().entries()]
    assert told == ["promote", "promote", "void", "promote"]
    assert "never took effect: a crash came first" in store.trail().entries()[2].why


def test_a_removal_that_never_took_effect_is_not_asked_of_other_machines(store):
    kept, other = publish(store), publish(store, shift=1, minutes=1)
    promote(store, other)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(files, "replace", lambda *_: (_ for _ in ()).throw(Death))
        with pytest.raises(Death):
            store.gc(1, at=AT, by="test")
    store.nominate(kept.id, at=AT, by="test", why="the next writer says so")
    assert store.trail().entries()[-2].action == "void"
    assert store.trail().chain().removed() == set()


def test_a_crash_while_collecting_garbage_leaves_whole_releases_only(store):
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


def test_sweeping_leaves_the_draft_of_a_living_process_alone(store):
    with store.draft() as draft:
        (draft.path / "a.json").write_text("{}")
        orphan = store.root / ".draft-1-dead"
        orphan.mkdir()
        assert store.sweep() == (orphan.name,)
        assert (draft.path / "a.json").exists()
