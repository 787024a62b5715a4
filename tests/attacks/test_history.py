"""Who can write to `releases/` or to a mirror, and has no key, changes no alias unnoticed."""

import json
import os
import shutil
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from matinee import releases
from matinee.errors import ConfigError, IntegrityError
from matinee.provenance import canonical_json, readable_json
from matinee.releases import aliases, audit, key_changes, mirror, signing
from matinee.releases.audit import Chain, new_entry
from matinee.releases.reissue import reissue
from tests.releases import objects
from tests.releases.mirrors import another, push
from tests.releases.objects import Fake
from tests.releases.samples import AT, promote, publish
from tests.releases.test_reissue import LATER, without_card


@pytest.fixture
def store(tmp_path):
    """Three releases: the second was live, the third is; the first never was."""
    store = releases.Store(tmp_path / "releases", keys=tmp_path / "keys")
    for number in range(3):
        publish(store, shift=number, minutes=number)
    newest, middle, _ = store.list()
    promote(store, middle)
    promote(store, newest)
    return store


@pytest.fixture
def fake():
    objects.register()
    return releases.Remote.open("fake://bucket/matinee")


def trail_of(store):
    return store.root / "audit.jsonl"


def aliases_of(store):
    return store.root / "aliases.json"


def forget_what_was_seen(store):
    """As on a machine that got a copy of `releases/` and the public keys, and never pulled."""
    (store.keys / "last_seen.json").unlink()


def append_unsigned(store, action="promote", release=None, key=None):
    """A line, and the aliases that follow from it, as a writer without the key makes them."""
    chain = store.trail().chain()
    release = release or store.list()[-1]
    entry = new_entry(action, release.id, at=AT, by="eve", why="mine")
    entry = entry.signed(chain.head, key) if key else entry.with_hash(chain.head)
    forged = replace(chain, entries=(*chain.entries, entry))
    write(store, forged)


def write(store, chain):
    """Both files, in agreement."""
    trail_of(store).write_bytes(chain.text())
    aliases.write(aliases_of(store), aliases.replayed(chain))


# ---------- what `verify live` has to find


def forged_promote(store):
    append_unsigned(store)


def forged_promote_by_another_key(store):
    append_unsigned(store, key=Ed25519PrivateKey.generate())


def forged_promote_by_a_key_put_into_the_folder(store):
    key = Ed25519PrivateKey.generate()
    signing.write_public(store.keys, key.public_key())
    append_unsigned(store, key=key)


def forged_rollback(store):
    append_unsigned(store, "rollback", store.list()[1])


def trail_without_its_signatures(store):
    entries = []
    for entry in store.trail().entries():
        plain = replace(entry, trusts=(), key_id=None, signature=None)
        entries.append(plain.with_hash(entries[-1].hash if entries else audit.GENESIS))
    write(store, Chain("", tuple(entries)))


def edited_alias(store):
    document = json.loads(aliases_of(store).read_bytes())
    document["live"]["release_id"] = store.list()[-1].id
    aliases_of(store).write_bytes(readable_json(document))


def edited_person(store):
    document = json.loads(aliases_of(store).read_bytes())
    document["live"]["by"] = "eve"
    aliases_of(store).write_bytes(readable_json(document))


def swapped_aliases(store):
    document = json.loads(aliases_of(store).read_bytes())
    document["live"], document["previous"] = document["previous"], document["live"]
    aliases_of(store).write_bytes(readable_json(document))


def cut_trail(store):
    lines = trail_of(store).read_bytes().splitlines(keepends=True)
    trail_of(store).write_bytes(b"".join(lines[:-1]))


def trail_cut_within_a_line(store):
    trail_of(store).write_bytes(trail_of(store).read_bytes()[:-1])


def rewound(store):
    chain = store.trail().chain()
    write(store, replace(chain, entries=chain.entries[:1]))


def rewound_aliases(store):
    chain = store.trail().chain()
    aliases.write(aliases_of(store), aliases.replayed(replace(chain, entries=chain.entries[:1])))


def emptied_trail(store):
    trail_of(store).write_bytes(b"")


def emptied_both(store):
    trail_of(store).unlink()
    aliases_of(store).unlink()


def removed_trail(store):
    trail_of(store).unlink()


def removed_aliases(store):
    aliases_of(store).unlink()


def started_anew(store):
    emptied_both(store)
    append_unsigned(store, release=store.list()[1])


def signature_of_another_line(store):
    first, last = store.trail().entries()
    write(store, Chain("", (first, replace(last, signature=first.signature))))


ATTACKS = [
    forged_promote,
    forged_promote_by_another_key,
    forged_promote_by_a_key_put_into_the_folder,
    forged_rollback,
    trail_without_its_signatures,
    edited_alias,
    edited_person,
    swapped_aliases,
    cut_trail,
    trail_cut_within_a_line,
    rewound,
    rewound_aliases,
    emptied_trail,
    emptied_both,
    removed_trail,
    removed_aliases,
    started_anew,
    signature_of_another_line,
]

UNSEEN = {rewound, rewound_aliases, emptied_both, removed_aliases, started_anew}
"""What a machine cannot find that has never seen the trail; see docs/reference/security.md."""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_a_changed_history_does_not_verify_and_is_not_signed(store, fake, attack):
    push(store, fake)
    before = dict(Fake.objects)
    attack(store)
    with pytest.raises(IntegrityError) as error:
        store.verify("live")
    assert error.value.exit_code == 5
    candidate = store.list()[0]
    for action in (
        lambda: push(store, fake),
        lambda: publish(store, shift=8, minutes=8),
        lambda: store.nominate(candidate.id, at=AT, by="t", why="w"),
        lambda: store.promote(store.list()[1].id, expected=None, at=AT, by="t", why="w"),
        lambda: store.gc(1, at=AT, by="t"),
    ):
        with pytest.raises(IntegrityError):
            action()
    assert before == Fake.objects


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one not in UNSEEN])
def test_it_does_not_verify_on_a_machine_that_never_saw_the_trail_either(store, attack):
    forget_what_was_seen(store)
    attack(store)
    with pytest.raises(IntegrityError):
        store.verify("live")


def test_a_trail_started_anew_without_signatures_does_not_verify_even_unseen(store):
    forget_what_was_seen(store)
    started_anew(store)
    with pytest.raises(IntegrityError, match="without a signature after the one that"):
        store.verify("live")


def test_control_an_untouched_history_verifies_seen_or_not(store, fake):
    assert push(store, fake).state == 1
    assert store.verify("live")
    forget_what_was_seen(store)
    assert store.verify("live")


def test_repair_writes_the_aliases_again_from_the_trail(store):
    live = store.live()
    for attack in (edited_alias, rewound_aliases, removed_aliases, swapped_aliases):
        attack(store)
        assert store.repair().live.release_id == live.id
        assert store.verify("live").release_id == live.id


def test_repair_does_not_follow_a_forged_trail(store):
    forged_promote(store)
    with pytest.raises(IntegrityError, match=r"audit\.jsonl:3 is not signed, and lines before it"):
        store.repair()


# ---------- reissue


def forged_reissue(store, live):
    """A folder without a valid signature that claims to take the place of the live release."""
    folder = store.root / "20260103T000000Z-0123456789ab"
    shutil.copytree(live.path, folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest |= {"release_id": folder.name, "supersedes": live.id, "reason": "erasure"}
    (folder / "manifest.json").write_bytes(readable_json(manifest))
    return folder.name


def test_an_unverified_supersedes_makes_no_folder_live(store):
    live = store.live()
    forged = forged_reissue(store, live)
    done = reissue(store, live, without_card, at=LATER, by="bob", why="erasure")
    assert done.after != forged
    assert store.live().id == done.after
    assert store.verify("live")


def test_a_damaged_manifest_does_not_stop_a_reissue(store):
    live = store.live()
    (store.root / forged_reissue(store, live) / "manifest.json").write_bytes(b"{")
    done = reissue(store, live, without_card, at=LATER, by="bob", why="erasure")
    assert store.verify("live").release_id == done.after


# ---------- homes from before signed lines


@pytest.fixture
def old_home(store):
    """As matinee 0.1 left it: no signed line, and manifests that do not count them."""
    trail_without_its_signatures(store)
    forget_what_was_seen(store)
    key = signing.private_key(store.keys)
    names = {one.id: one for one in store.list()}
    heads = {}
    for release in names.values():
        path = release.path / "manifest.json"
        manifest = json.loads(path.read_bytes())
        del manifest["audit_entries"]
        manifest["audit_head"] = audit.GENESIS
        path.write_bytes(readable_json(manifest))
        statement, _ = signing.verified_payload(
            (release.path / "signature.json").read_bytes(), store.keys, "x"
        )
        sha256 = releases.files.sha256(path)
        statement["subject"][0] = {"name": "manifest.json", "digest": {"sha256": sha256}}
        signature = signing.sign(canonical_json(statement), key)
        (release.path / "signature.json").write_bytes(signature)
        heads[release.id] = sha256
    entries = []
    for entry in store.trail().entries():
        plain = replace(entry, manifest_sha256=heads[entry.release_id])
        entries.append(plain.with_hash(entries[-1].hash if entries else audit.GENESIS))
    write(store, Chain("", tuple(entries)))
    assert b"signature" not in trail_of(store).read_bytes()
    return store


def test_a_home_without_signed_lines_verifies_and_the_next_line_signs_the_old_ones(old_home):
    assert old_home.verify("live")
    old_home.rollback(at=AT, by="ann", why="w")
    *old, new = old_home.trail().entries()
    assert [one.signature for one in old] == [None, None]
    assert new.signature
    assert new.before == old[-1].hash
    assert old_home.verify("live")
    append_unsigned(old_home)
    with pytest.raises(IntegrityError, match="is not signed, and lines before it are"):
        old_home.verify("live")


def test_old_lines_cannot_be_changed_under_the_new_one(old_home):
    old_home.rollback(at=AT, by="ann", why="w")
    first, *rest = old_home.trail().entries()
    entries = [replace(first, by="eve").with_hash(audit.GENESIS)]
    for entry in rest:
        entries.append(entry.with_hash(entries[-1].hash))
    write(old_home, Chain("", tuple(entries)))
    forget_what_was_seen(old_home)
    with pytest.raises(IntegrityError, match="does not verify with key"):
        old_home.verify("live")


def test_edited_aliases_of_an_old_home_are_not_signed(old_home):
    edited_alias(old_home)
    with pytest.raises(IntegrityError, match="it was edited"):
        old_home.rollback(at=AT, by="ann", why="w")


# ---------- keys


def test_a_key_put_into_the_folder_is_not_trusted_until_an_old_one_signs_it(store, tmp_path):
    other = releases.Store(tmp_path / "other/releases", keys=tmp_path / "other/keys")
    theirs = publish(other, shift=5, minutes=5)
    shutil.copytree(theirs.path, store.root / theirs.id)
    (public,) = other.keys.glob("*.pub")
    shutil.copy(public, store.keys)
    with pytest.raises(IntegrityError, match="no line of the audit trail trusts"):
        store.verify(theirs.id)
    with pytest.raises(IntegrityError, match="no line of the audit trail trusts"):
        promote(store, theirs)
    (store.keys / public.name).unlink()
    key_changes.trust_key(store, public, at=AT, by="ann", why="a second trainer")
    assert store.verify(theirs.id)
    assert store.verify("live")


def test_a_signing_key_put_in_place_of_the_old_one_signs_nothing(store):
    path = store.keys / "signing.pem"
    path.write_bytes(signing.private_pem(Ed25519PrivateKey.generate()))
    with pytest.raises(ConfigError, match="does not trust the signing key"):
        publish(store, shift=5, minutes=5)
    path.unlink()
    with pytest.raises(ConfigError, match=r"has no signing key: restore signing\.pem"):
        publish(store, shift=5, minutes=5)
    assert not path.exists()


def test_a_rotated_key_signs_from_then_on_and_old_releases_stay_trusted(store, fake):
    server = another(store.root.parent, store, "server")
    push(store, fake)
    mirror.pull(server, fake)
    old = store.verify("live").key_id
    new = key_changes.rotate_key(store, at=AT, by="ann", why="yearly")
    assert store.verify("live").key_id == old
    release = publish(store, shift=5, minutes=5)
    promote(store, release)
    assert store.verify("live").key_id == new
    push(store, fake)
    with pytest.raises(IntegrityError, match=rf"{new[:16]}, which is not in .*copy its \.pub"):
        mirror.pull(server, fake)
    shutil.copy(store.keys / f"{new[:16]}.pub", server.keys)
    assert mirror.pull(server, fake).live == release.id


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_key_folder_that_others_can_write_to_is_refused(store, mode):
    store.keys.chmod(mode)
    for action in (lambda: store.verify("live"), lambda: publish(store, shift=5, minutes=5)):
        with pytest.raises(IntegrityError, match=r"other users can write to .*chmod go-w"):
            action()
    store.keys.chmod(0o755)
    assert store.verify("live")


def test_a_key_file_that_others_can_write_to_is_refused_where_they_can_reach_it(store):
    (public,) = store.keys.glob("*.pub")
    public.chmod(0o666)
    assert store.verify("live")  # nobody else can enter the folder
    store.keys.chmod(0o755)
    with pytest.raises(IntegrityError, match=rf"other users can write to {public}"):
        store.verify("live")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_key_folder_of_another_user_is_refused(store, monkeypatch):
    os.chown(store.keys, 12345, -1)
    with pytest.raises(IntegrityError, match="belongs to user 12345"):
        store.verify("live")


# ---------- mirrors


def states():
    return sorted(path for path in Fake.objects if "/states/" in path)


def test_a_mirror_that_goes_back_is_refused_by_who_saw_more(store, fake):
    server = another(store.root.parent, store, "server")
    push(store, fake)
    promote(store, publish(store, shift=5, minutes=5))
    older = dict(Fake.objects)
    push(store, fake)
    mirror.pull(server, fake)
    live = server.live()
    Fake.objects = older | {k: v for k, v in Fake.objects.items() if "/states/" not in k}
    for action in (
        lambda: mirror.pull(server, fake),
        lambda: mirror.verify_remote(fake, "live", keys=server.keys),
        lambda: list(mirror.list_remote(fake, keys=server.keys)),
    ):
        with pytest.raises(IntegrityError, match=r"shows version 2 .* has seen version 3 there"):
            action()
    assert server.live() == live
    push(store, fake)  # as the message says
    assert mirror.pull(server, fake).live == live.id


def test_a_mirror_with_another_history_is_refused(store, fake):
    server = another(store.root.parent, store, "server")
    push(store, fake)
    mirror.pull(server, fake)
    chain = store.trail().chain()
    entry = replace(chain.entries[0], why="another").signed(
        audit.GENESIS, signing.private_key(store.keys)
    )
    for name in ("audit.jsonl", "aliases.json"):
        (server.root / name).unlink()
    forged = Chain("", (entry,))
    sign_state(store, forged, aliases.replayed(forged))
    with pytest.raises(IntegrityError, match=r"shows version 1|the last one that this machine"):
        mirror.pull(server, fake)


def sign_state(store, chain, names, **more):
    """The first state of a mirror, signed by the key of the store whatever it says."""
    path = states()[0]
    state, _ = signing.verified_payload(Fake.objects[path], store.keys, "x")
    state |= {
        "version": len(chain.entries),
        "names": aliases.to_dict(names),
        "entries": [entry.as_dict() for entry in chain.entries],
    }
    text = json.dumps(state | more).encode()
    Fake.objects[path] = signing.sign(text, signing.private_key(store.keys))


@pytest.mark.parametrize("wrong", ["version", "names"])
def test_a_state_that_contradicts_its_trail_is_refused(store, fake, wrong):
    push(store, fake)
    chain = store.trail().chain()
    names = aliases.replayed(chain)
    if wrong == "names":
        names = replace(names, live=names.previous)
    sign_state(store, chain, names, **({"version": 7} if wrong == "version" else {}))
    texts = {
        "version": r"has version 7 and the trail has \d+ entries: do not use it",
        "names": r"has aliases that are not what its audit trail says: do not use it",
    }
    with pytest.raises(IntegrityError, match=texts[wrong]):
        mirror.read_state(fake, store.keys)


def test_a_state_signed_by_a_key_that_no_line_trusts_is_refused(store, fake):
    push(store, fake)
    key = Ed25519PrivateKey.generate()
    signing.write_public(store.keys, key.public_key())
    state, _ = signing.verified_payload(Fake.objects[states()[0]], store.keys, "x")
    Fake.objects[states()[0]] = signing.sign(json.dumps(state).encode(), key)
    with pytest.raises(IntegrityError, match="no line of the audit trail trusts"):
        mirror.read_state(fake, store.keys)


class Endless:
    """A file of zeros that counts what is read of it."""

    def __init__(self):
        self.count = 0

    def read(self, size):
        assert size >= 0, "read without a limit"
        self.count += size
        return bytes(size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize("name", ["card.md", "manifest.json", "signature.json", "states"])
def test_nothing_is_fetched_beyond_the_length_that_is_signed(store, fake, monkeypatch, name):
    server = another(store.root.parent, store, "server")
    push(store, fake)
    endless, real = Endless(), Fake._open

    def opened(self, path, mode="rb", **kwargs):
        return endless if name in path else real(self, path, mode, **kwargs)

    monkeypatch.setattr(Fake, "_open", opened)
    monkeypatch.setattr(mirror, "MOST_STATE_BYTES", 1 << 20)
    monkeypatch.setattr(releases.verify, "MOST_SIGNATURE_BYTES", 1 << 20)
    for action in (
        lambda: mirror.pull(server, fake),
        lambda: mirror.verify_remote(fake, "live", keys=server.keys),
    ):
        endless.count = 0
        with pytest.raises(IntegrityError, match=r"is longer than|is not the file that was"):
            action()
        signed = len(Fake.objects[next(one for one in Fake.objects if name in one)])
        is_unsigned = name in ("states", "signature.json")
        assert endless.count <= (1 << 20 if is_unsigned else signed) + 1
    assert server.live() is None
