"""Releases at a URL: pushed and pulled, raced for, cut short, removed, out of reach.

    MATINEE_TRY_STORE=s3://bucket/prefix pytest tests/releases/test_mirror.py

tries a store of your own too, in new folders below the prefix, which it leaves there.
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


def test_what_is_pushed_can_be_verified_there_and_pulled(store, elsewhere, url):
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


def test_doing_it_again_moves_nothing(store, elsewhere, url):
    promote(store, publish(store))
    remote = Remote.open(url)
    push(store, remote)
    again = push(store, remote)
    assert (again.sent, again.state) == ((), 1)
    assert again.note == "the names there were those here already"
    mirror.pull(elsewhere, remote)
    before = {path: path.read_bytes() for path in elsewhere.root.rglob("*") if path.is_file()}
    assert mirror.pull(elsewhere, remote).sent == ()
    assert before == {p: p.read_bytes() for p in elsewhere.root.rglob("*") if p.is_file()}


def test_a_release_without_a_name_goes_along_when_asked_for(store, elsewhere, url):
    promote(store, publish(store))
    nameless = publish(store, shift=1, minutes=1)
    remote = Remote.open(url)
    assert nameless.id not in push(store, remote).sent
    assert push(store, remote, extra=[nameless.id]).sent == (nameless.id,)
    mirror.pull(elsewhere, remote, [nameless.id])
    assert elsewhere.verify(nameless.id)
    assert [one for one, _, _ in mirror.list_remote(remote, keys=store.keys)] == [
        nameless.id,
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


def test_of_two_machines_one_wins_and_the_other_is_told_by_whom(tmp_path, store, url):
    promote(store, publish(store))
    remote = Remote.open(url)
    push(store, remote)
    machines = [another(tmp_path, store, name, can_sign=True) for name in ("north", "south")]
    for number, machine in enumerate(machines, start=1):
        mirror.pull(machine, remote)
        promote(machine, publish(machine, shift=number, minutes=number))
    north, south = machines
    mirror.push(north, remote, at=AT, by="nora")
    said = r"nora on \S+ came first at .* \(2026-01-02T03:15:00Z, state 2: live is 2026.*pull"
    with pytest.raises(BusyError, match=said) as error:
        mirror.push(south, remote, at=AT, by="sam")
    assert error.value.exit_code == 4
    assert mirror.read_state(remote, store.keys).names == north.aliases()
    with pytest.raises(BusyError, match=r"names were moved here and at .*nora on .* to give way"):
        mirror.pull(south, remote)
    for name in ("audit.jsonl", "aliases.json"):  # what the message says
        (south.root / name).unlink()
    ours = south.list()[0]
    mirror.pull(south, remote)
    assert south.live() == south.open(north.live().id)
    promote(south, ours)
    assert mirror.push(south, remote, at=AT, by="sam").state == 3


@pytest.mark.parametrize("url", EXCLUSIVE, indirect=True)
def test_of_many_pushes_at_the_same_moment_exactly_one_wins(tmp_path, store, url):
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


def test_another_machine_that_pushes_in_the_very_moment_wins(tmp_path, store, fake):
    promote(store, publish(store))
    push(store, fake)
    rival = another(tmp_path, store, "rival", can_sign=True)
    mirror.pull(rival, fake)
    promote(rival, publish(rival, shift=2, minutes=2))
    promote(store, publish(store, shift=1, minutes=1))

    def rival_acts():  # between our look at the states and our own state
        Fake.before["create"] = lambda: mirror.push(rival, fake, at=AT, by="rival")

    Fake.before["create"] = rival_acts
    with pytest.raises(BusyError, match=r"rival on \S+ came first"):
        push(store, fake)
    assert mirror.read_state(fake, store.keys).names == rival.aliases()


def test_two_pushes_of_the_same_store_at_once_both_succeed(store, fake):
    promote(store, publish(store))
    Fake.before["create"] = lambda: push(store, fake)
    assert push(store, fake).state == 1
    assert mirror.verify_remote(fake, "live", keys=store.keys)


def test_a_push_cut_short_at_any_call_shows_no_half_release_and_can_be_done_again(
    store, elsewhere, fake
):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    push(store, fake)
    promote(store, second)
    before = dict(Fake.objects)
    Fake.fail_from(10**6)
    push(store, fake)
    calls = len(Fake.calls)
    assert calls > 20  # the control: this many places to fail were found
    outcomes = []
    for call in range(1, calls + 1):
        Fake.objects = dict(before)
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


def test_a_pull_cut_short_at_any_call_leaves_live_as_it_was(store, elsewhere, fake):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    push(store, fake)
    mirror.pull(elsewhere, fake)
    promote(store, second)
    push(store, fake)
    shutil.copytree(elsewhere.root, elsewhere.root.with_name("as-it-was"))
    Fake.fail_from(10**6)
    mirror.pull(elsewhere, fake)
    calls = len(Fake.calls)
    assert calls > 10
    for call in range(1, calls + 1):
        shutil.rmtree(elsewhere.root)
        shutil.copytree(elsewhere.root.with_name("as-it-was"), elsewhere.root)
        Fake.fail_from(call)
        with pytest.raises(StorageError, match="live is unchanged") as error:
            mirror.pull(elsewhere, fake)
        assert error.value.exit_code == 6
        assert elsewhere.verify("live").release_id == first.id
        assert not list(elsewhere.root.glob(".draft*"))
        Fake.heal()
        assert mirror.pull(elsewhere, fake).live == second.id


def test_what_was_removed_here_is_removed_there_and_wherever_it_was_pulled(store, elsewhere, url):
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


def test_half_of_an_upload_that_was_removed_here_meanwhile_goes_too(store, fake):
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


def test_a_store_that_is_ahead_is_told_so(store, elsewhere, fake):
    promote(store, publish(store))
    push(store, fake)
    promote(store, publish(store, shift=1, minutes=1))
    live = store.live()
    assert "this store is ahead" in mirror.pull(store, fake).note
    assert store.live() == live


def test_a_pull_brings_nothing_back_that_was_removed_here_on_purpose(store, fake):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    reissue(store, release, without_card, at=LATER, by="bob", why="erasure")
    assert mirror.pull(store, fake).sent == ()
    assert release.id not in [one.id for one in store.list()]
    with pytest.raises(ConfigError, match=f"{release.id} was removed here on purpose: push"):
        mirror.pull(store, fake, [release.id])


def test_a_machine_that_serves_may_tidy_up_and_pull_on(store, elsewhere, fake):
    for number in range(3):
        promote(store, publish(store, shift=number, minutes=number))
        push(store, fake)
        mirror.pull(elsewhere, fake)
    assert len(elsewhere.gc(1, at=AT, by="sam")) == 1
    promote(store, publish(store, shift=3, minutes=3))
    push(store, fake)
    assert mirror.pull(elsewhere, fake).live == store.live().id
    assert elsewhere.trail().entries() == store.trail().entries()


def test_nothing_is_pushed_before_a_release_has_a_name(store, fake):
    publish(store)
    with pytest.raises(ConfigError, match="no release has a name in"):
        push(store, fake)


def test_nothing_can_be_pulled_or_verified_where_no_store_is(elsewhere, fake):
    with pytest.raises(ConfigError, match=r"no store is at fake://bucket/matinee: .* makes one"):
        mirror.pull(elsewhere, fake)
    with pytest.raises(ConfigError, match="no store is at"):
        mirror.verify_remote(fake, "live", keys=elsewhere.keys)


def test_a_name_that_stands_for_nothing_there_is_named(store, fake):
    promote(store, publish(store))
    push(store, fake)
    with pytest.raises(ConfigError, match="no release is candidate there"):
        mirror.verify_remote(fake, "candidate", keys=store.keys)
    with pytest.raises(ConfigError, match="is neither an alias"):
        mirror.verify_remote(fake, "../x", keys=store.keys)


def test_a_release_issued_again_without_somebody_replaces_the_old_one_everywhere(
    store, elsewhere, fake
):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    mirror.pull(elsewhere, fake)
    fresh = reissue(store, release, without_card, at=LATER, by="bob", why="erasure").after
    assert push(store, fake).removed == (release.id,)
    assert not [path for path in Fake.objects if release.id in path]
    assert mirror.pull(elsewhere, fake).live == fresh
    assert [one.id for one in elsewhere.list()] == [fresh]
