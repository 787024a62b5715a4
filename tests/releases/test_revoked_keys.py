"""A key that leaked is revoked by a line of the trail; what its thief signs verifies nowhere."""

import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from matinee import releases
from matinee.errors import ConfigError, IntegrityError
from matinee.releases import aliases, key_changes, mirror, signing
from matinee.releases.audit import new_entry
from tests.releases.mirrors import another, push
from tests.releases.samples import AT, promote, publish

WHO = {"at": AT, "by": "ann", "why": "it leaked"}


@pytest.fixture
def leaked(store, tmp_path):
    """A store whose live release was signed by the key that leaked, and a copy with that key."""
    promote(store, publish(store))
    thief = tmp_path / "thief"
    shutil.copytree(store.root, thief / "releases")
    shutil.copytree(store.keys, thief / "keys")
    old = store.verify("live").key_id
    key_changes.rotate_key(store, **WHO)
    assert key_changes.revoke_key(store, old[:16], **WHO) == old
    return store, releases.Store(thief / "releases", keys=thief / "keys"), old


def test_what_the_trail_names_from_before_stays_trusted_and_nights_go_on(leaked):
    store, _, old = leaked
    assert store.verify("live").key_id == old
    newer = publish(store, shift=1, minutes=1)
    promote(store, newer)
    assert store.verify("live").release_id == newer.id
    assert [one.action for one in store.trail().entries()] == [
        "promote",
        "trust",
        "revoke",
        "promote",
    ]


def test_a_release_that_the_thief_signs_is_refused_though_it_names_an_older_line(leaked):
    store, thief, old = leaked
    theirs = publish(thief, shift=5, minutes=5)  # its head of the trail is from before
    shutil.copytree(theirs.path, store.root / theirs.id)
    message = rf"{theirs.id} was signed by key {old[:16]}, which is revoked, and no line"
    for act in (lambda: store.verify(theirs.id), lambda: promote(store, theirs)):
        with pytest.raises(IntegrityError, match=message):
            act()


def test_a_line_that_the_thief_signs_is_refused(leaked):
    store, thief, old = leaked
    chain = store.trail().chain()
    entry = new_entry("promote", store.list()[0].id, at=AT, by="eve", why="mine")
    forged = replace(
        chain, entries=(*chain.entries, entry.signed(chain.head, signing.private_key(thief.keys)))
    )
    (store.root / "audit.jsonl").write_bytes(forged.text())
    aliases.write(store.root / "aliases.json", aliases.replayed(forged))
    with pytest.raises(IntegrityError, match=rf"audit.jsonl:4 was signed by key {old[:16]}, which"):
        store.verify("live")


def test_a_machine_that_pulled_the_line_takes_nothing_from_the_thief(leaked, fake, tmp_path):
    store, thief, _ = leaked
    server = another(tmp_path, store, "server")
    push(store, fake)
    assert mirror.pull(server, fake).live == store.live().id
    for number in range(5, 9):  # more lines than the server has seen
        promote(thief, publish(thief, shift=number, minutes=number))
    fake.remove("states", first="none")
    push(thief, fake)
    with pytest.raises(IntegrityError, match="this machine knows to be revoked"):
        mirror.pull(server, fake)
    assert server.verify("live").release_id == store.live().id


def test_the_signing_key_and_unknown_keys_are_not_revoked(leaked):
    store, _, old = leaked
    own = signing.key_id(signing.private_key(store.keys).public_key())
    with pytest.raises(ConfigError, match=r"is the signing key: run `matinee releases rotate-key`"):
        key_changes.revoke_key(store, own, **WHO)
    for name in (old, old[:8], ""):
        with pytest.raises(
            ConfigError, match=rf"no trusted key '{name}'; trusted keys: {own[:16]}"
        ):
            key_changes.revoke_key(store, name, **WHO)


def test_a_revoked_key_is_never_trusted_again(leaked):
    store, _, old = leaked
    with pytest.raises(ConfigError, match=rf"key {old[:16]} was revoked and stays so"):
        key_changes.trust_key(store, store.keys / f"{old[:16]}.pub", **WHO)


def test_a_home_without_a_signed_line_revokes_with_its_first(store, tmp_path):
    other = releases.Store(tmp_path / "other/releases", keys=tmp_path / "other/keys")
    publish(other)
    publish(store)
    (public,) = other.keys.glob("*.pub")
    shutil.copy(public, store.keys)
    key_changes.revoke_key(store, public.stem, **WHO)
    (entry,) = store.trail().entries()
    assert len(entry.trusts) == 2
    theirs = publish(other, shift=5, minutes=5)
    shutil.copytree(theirs.path, store.root / theirs.id)
    with pytest.raises(IntegrityError, match="which is revoked"):
        store.verify(theirs.id)


def test_the_command_revokes_by_the_name_of_the_file(home):
    from matinee.cli import app

    store = releases.Store.of(home)
    promote(store, publish(store))
    old = store.verify("live").key_id[:16]
    assert CliRunner().invoke(app, ["releases", "rotate-key", "--why", "leaked"]).exit_code == 0
    result = CliRunner().invoke(app, ["releases", "revoke-key", old, "--why", "leaked"])
    assert result.exit_code == 0
    assert f"key {old} signs nothing from now on" in " ".join(result.output.split())
    assert store.trail().entries()[-1].why == "leaked"
