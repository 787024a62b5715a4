"""Releases at a URL: push, pull, races, interruptions, removal and unreachable stores.

    MATINEE_TRY_STORE=s3://bucket/prefix pytest tests/releases/test_mirror.py

also tests a real store, in new folders under the prefix, which are not removed.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from matinee.errors import BusyError, ConfigError, StorageError
from matinee.releases import mirror
from matinee.releases.reissue import reissue
from matinee.releases.remote import Remote
from tests.releases.mirrors import EXCLUSIVE, another, push
from tests.releases.objects import Fake
from tests.releases.samples import AT, promote, publish
from tests.releases.test_reissue import LATER, without_card


def test_a_pushed_release_can_be_verified_remotely_and_pulled(store, elsewhere, url):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    promote(store, second)
    remote = Remote.open(url)
    moved = push(store, remote)
    assert moved.sent == (first.id, second.id)
    assert (moved.live, moved.state) == (second.id, 1)
    assert mirror.verify_remote(remote, "live", keys=elsewhere.keys) == store.verify("live")

    pulled = mirror.pull(elsewhere, remote)
    assert pulled.live == second.id
    assert elsewhere.aliases() == store.aliases()
    assert elsewhere.trail().entries() == store.trail().entries()
    assert elsewhere.verify("live") == store.verify("live")
    assert elsewhere.verify("previous").release_id == first.id
    assert [path.name for path in elsewhere.root.glob(".draft*")] == []


def test_a_second_push_and_pull_transfer_nothing(store, elsewhere, url):
    promote(store, publish(store))
    remote = Remote.open(url)
    push(store, remote)
    again = push(store, remote)
    assert (again.sent, again.state) == ((), 1)
    assert again.note == "the remote aliases are up to date"
    mirror.pull(elsewhere, remote)
    before = {path: path.read_bytes() for path in elsewhere.root.rglob("*") if path.is_file()}
    assert mirror.pull(elsewhere, remote).sent == ()
    assert before == {p: p.read_bytes() for p in elsewhere.root.rglob("*") if p.is_file()}


def test_a_release_without_an_alias_is_transferred_on_request(store, elsewhere, url):
    promote(store, publish(store))
    unnamed = publish(store, shift=1, minutes=1)
    remote = Remote.open(url)
    assert unnamed.id not in push(store, remote).sent
    assert push(store, remote, extra=[unnamed.id]).sent == (unnamed.id,)
    mirror.pull(elsewhere, remote, [unnamed.id])
    assert elsewhere.verify(unnamed.id)
    assert [one for one, _, _ in mirror.list_remote(remote, keys=store.keys)] == [
        unnamed.id,
        store.live().id,
    ]


def test_states_read_before_are_not_read_again(store, elsewhere, fake):
    for number in range(4):
        promote(store, publish(store, shift=number, minutes=number))
        push(store, fake)
        Fake.calls.clear()
        mirror.pull(elsewhere, fake)
        read = [path for what, path in Fake.calls if what == "read" and "/states/" in path]
        assert len(read) == 1
    assert len(mirror.read_state(fake, elsewhere.keys).chain.entries) == 4


def test_of_two_machines_one_wins_and_the_other_gets_its_name(tmp_path, store, url):
    promote(store, publish(store))
    remote = Remote.open(url)
    push(store, remote)
    machines = [another(tmp_path, store, name, can_sign=True) for name in ("north", "south")]
    for number, machine in enumerate(machines, start=1):
        mirror.pull(machine, remote)
        promote(machine, publish(machine, shift=number, minutes=number))
    north, south = machines
    mirror.push(north, remote, at=AT, by="nora")
    message = r"nora on \S+ pushed first to .* \(2026-01-02T03:15:00Z, state 2: live is 2026.*pull"
    with pytest.raises(BusyError, match=message) as error:
        mirror.push(south, remote, at=AT, by="sam")
    assert error.value.exit_code == 4
    assert mirror.read_state(remote, store.keys).names == north.aliases()
    with pytest.raises(
        BusyError, match=r"aliases were changed here and at .*nora on .* to discard"
    ):
        mirror.pull(south, remote)
    for path in (
        south.root / "audit.jsonl",
        south.root / "aliases.json",
        south.keys / "last_seen.json",
    ):
        path.unlink()  # as the message says
    ours = south.list()[0]
    mirror.pull(south, remote)
    assert south.live() == south.open(north.live().id)
    promote(south, ours)
    assert mirror.push(south, remote, at=AT, by="sam").state == 3


@pytest.mark.parametrize("url", EXCLUSIVE, indirect=True)
def test_of_many_concurrent_pushes_exactly_one_wins(tmp_path, store, url):
    remote = Remote.open(url)
    promote(store, publish(store))
    push(store, remote)
    machines = [another(tmp_path, store, f"m{number}", can_sign=True) for number in range(6)]
    for number, machine in enumerate(machines, start=1):
        mirror.pull(machine, remote)
        promote(machine, publish(machine, shift=number, minutes=number))

    def attempt(machine):
        try:
            mirror.push(machine, remote, at=AT, by="all")
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(attempt, machines))
    assert sum(won) == 1
    assert mirror.read_state(remote, store.keys).names == machines[won.index(True)].aliases()
    assert mirror.verify_remote(remote, "live", keys=store.keys)


def test_a_push_between_the_read_and_the_write_of_another_push_wins(tmp_path, store, fake):
    promote(store, publish(store))
    push(store, fake)
    other = another(tmp_path, store, "other", can_sign=True)
    mirror.pull(other, fake)
    promote(other, publish(other, shift=2, minutes=2))
    promote(store, publish(store, shift=1, minutes=1))

    def push_other():  # between the read of the states and the new state
        Fake.before["create"] = lambda: mirror.push(other, fake, at=AT, by="other")

    Fake.before["create"] = push_other
    with pytest.raises(BusyError, match=r"other on \S+ pushed first"):
        push(store, fake)
    assert mirror.read_state(fake, store.keys).names == other.aliases()


def test_two_pushes_of_the_same_store_at_once_both_succeed(store, fake):
    promote(store, publish(store))
    Fake.before["create"] = lambda: push(store, fake)
    assert push(store, fake).state == 1
    assert mirror.verify_remote(fake, "live", keys=store.keys)


def test_an_interrupted_push_shows_no_incomplete_release_and_can_be_repeated(
    store, elsewhere, fake
):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    push(store, fake)
    promote(store, second)
    before, seen = dict(Fake.objects), store.keys / "last_seen.json"
    seen_before = seen.read_bytes()
    Fake.fail_from(10**6)
    push(store, fake)
    calls = len(Fake.calls)
    assert calls > 20  # control: the number of calls counted
    outcomes = []
    for call in range(1, calls + 1):
        Fake.objects = dict(before)
        seen.write_bytes(seen_before)
        Fake.fail_from(call)
        with pytest.raises(StorageError, match="could not be reached, read or written"):
            push(store, fake)
        Fake.heal()
        for release_id, _, _ in mirror.list_remote(fake, keys=store.keys):
            assert mirror.verify_remote(fake, release_id, keys=store.keys)
        live = mirror.verify_remote(fake, "live", keys=store.keys).release_id
        outcomes.append(live == first.id)
        assert push(store, fake).live == second.id  # progress
        assert mirror.verify_remote(fake, "live", keys=store.keys).release_id == second.id
    assert outcomes == sorted(outcomes, reverse=True)
    assert outcomes[0]


def test_an_interrupted_pull_leaves_live_unchanged(store, elsewhere, fake):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    push(store, fake)
    mirror.pull(elsewhere, fake)
    promote(store, second)
    push(store, fake)
    home = elsewhere.root.parent
    shutil.copytree(home, home.with_name("as-it-was"))
    Fake.fail_from(10**6)
    mirror.pull(elsewhere, fake)
    calls = len(Fake.calls)
    assert calls > 10
    for call in range(1, calls + 1):
        shutil.rmtree(home)
        shutil.copytree(home.with_name("as-it-was"), home)
        Fake.fail_from(call)
        with pytest.raises(StorageError, match="live is unchanged") as error:
            mirror.pull(elsewhere, fake)
        assert error.value.exit_code == 6
        assert elsewhere.verify("live").release_id == first.id
        assert not list(elsewhere.root.glob(".draft*"))
        Fake.heal()
        assert mirror.pull(elsewhere, fake).live == second.id


def test_a_removed_release_is_removed_from_the_mirror_and_from_other_machines(
    store, elsewhere, url
):
    releases_ = [publish(store, shift=number, minutes=number) for number in range(3)]
    remote = Remote.open(url)
    for release in releases_[:2]:
        promote(store, release)
    push(store, remote)
    mirror.pull(elsewhere, remote)
    promote(store, releases_[2])
    store.gc(2, at=AT, by="test")
    assert push(store, remote).removed == (releases_[0].id,)
    assert remote.names(f"releases/{releases_[0].id}") == []
    assert mirror.pull(elsewhere, remote).removed == (releases_[0].id,)
    assert [one.id for one in elsewhere.list()] == [releases_[2].id, releases_[1].id]


def test_an_incomplete_upload_of_a_removed_release_is_removed(store, fake):
    promote(store, publish(store))
    doomed = publish(store, shift=1, minutes=1)
    Fake.fail_from(9)
    with pytest.raises(StorageError):
        push(store, fake, extra=[doomed.id])
    Fake.heal()
    Fake.objects[f"bucket/matinee/releases/{doomed.id}/slates/part-0000.parquet"] = b"m1"
    promote(store, publish(store, shift=2, minutes=2))
    store.gc(1, at=AT, by="test")
    push(store, fake)
    assert not [path for path in Fake.objects if doomed.id in path]


def test_a_pull_into_a_store_that_is_ahead_changes_nothing(store, elsewhere, fake):
    promote(store, publish(store))
    push(store, fake)
    promote(store, publish(store, shift=1, minutes=1))
    live = store.live()
    assert "this store is ahead" in mirror.pull(store, fake).note
    assert store.live() == live


def test_a_pull_restores_no_removed_release(store, fake):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    reissue(store, release, without_card, at=LATER, by="bob", why="erasure")
    assert mirror.pull(store, fake).sent == ()
    assert release.id not in [one.id for one in store.list()]
    with pytest.raises(ConfigError, match=f"{release.id} was removed from this store: push"):
        mirror.pull(store, fake, [release.id])


def test_a_serving_machine_can_gc_and_pull(store, elsewhere, fake):
    for number in range(3):
        promote(store, publish(store, shift=number, minutes=number))
        push(store, fake)
        mirror.pull(elsewhere, fake)
    assert len(elsewhere.gc(1, at=AT, by="sam")) == 1
    promote(store, publish(store, shift=3, minutes=3))
    push(store, fake)
    assert mirror.pull(elsewhere, fake).live == store.live().id
    assert elsewhere.trail().entries() == store.trail().entries()


def test_nothing_is_pushed_before_a_release_has_an_alias(store, fake):
    publish(store)
    with pytest.raises(ConfigError, match="no release has an alias in"):
        push(store, fake)


def test_pull_and_verify_need_a_store_at_the_url(elsewhere, fake):
    with pytest.raises(ConfigError, match=r"no store at fake://bucket/matinee: .* creates one"):
        mirror.pull(elsewhere, fake)
    with pytest.raises(ConfigError, match="there is no store at"):
        mirror.verify_remote(fake, "live", keys=elsewhere.keys)


def test_an_unset_or_invalid_remote_alias_is_named(store, fake):
    promote(store, publish(store))
    push(store, fake)
    with pytest.raises(ConfigError, match="the remote store has no candidate release"):
        mirror.verify_remote(fake, "candidate", keys=store.keys)
    with pytest.raises(ConfigError, match="is neither an alias"):
        mirror.verify_remote(fake, "../x", keys=store.keys)


def test_a_reissued_release_replaces_the_old_one_everywhere(store, elsewhere, fake):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    mirror.pull(elsewhere, fake)
    fresh = reissue(store, release, without_card, at=LATER, by="bob", why="erasure").after
    assert push(store, fake).removed == (release.id,)
    assert not [path for path in Fake.objects if release.id in path]
    assert mirror.pull(elsewhere, fake).live == fresh
    assert [one.id for one in elsewhere.list()] == [fresh]
