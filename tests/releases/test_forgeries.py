"""Who can write to a mirror can remove releases, but cannot change one undetected."""

import json

import pytest

from matinee import releases
from matinee.errors import IntegrityError
from matinee.releases import mirror, signing
from tests.releases.mirrors import push
from tests.releases.objects import Fake
from tests.releases.samples import promote, publish


def test_an_upload_that_arrives_changed_gets_no_alias(store, fake):
    first = publish(store)
    promote(store, first)
    push(store, fake)
    promote(store, publish(store, shift=1, minutes=1))
    Fake.garbles = "titles.npy"
    with pytest.raises(IntegrityError, match=r"titles\.npy is not the file that was published"):
        push(store, fake)
    assert mirror.verify_remote(fake, "live", keys=store.keys).release_id == first.id


def test_one_flipped_remote_byte_is_named_and_not_pulled(store, elsewhere, fake):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    top = f"bucket/matinee/releases/{release.id}/"
    for path in [one for one in Fake.objects if one.startswith(top)]:
        whole = Fake.objects[path]
        Fake.objects[path] = bytes([whole[0] ^ 4]) + whole[1:]
        for action in (
            lambda: mirror.verify_remote(fake, "live", keys=store.keys),
            lambda: mirror.pull(elsewhere, fake),
        ):
            with pytest.raises(IntegrityError, match=f"{release.id}/{path[len(top) :]}"):
                action()
        assert elsewhere.live() is None
        Fake.objects[path] = whole
    assert mirror.pull(elsewhere, fake).live == release.id


def test_missing_and_extra_remote_files_are_named(store, fake):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    card = f"bucket/matinee/releases/{release.id}/card.md"
    text = Fake.objects.pop(card)
    with pytest.raises(IntegrityError, match=r"card\.md is missing"):
        mirror.verify_remote(fake, "live", keys=store.keys)
    Fake.objects |= {card: text, card + "x": b""}
    with pytest.raises(IntegrityError, match=r"card\.mdx is not in the manifest"):
        mirror.verify_remote(fake, "live", keys=store.keys)


def test_a_changed_swapped_forged_or_missing_state_is_named(tmp_path, store, fake):
    promote(store, publish(store))
    push(store, fake)
    promote(store, publish(store, shift=1, minutes=1))
    push(store, fake)
    one, two = (f"bucket/matinee/states/{number:012}.json" for number in (1, 2))
    whole = dict(Fake.objects)
    changed = whole[two].replace(b'"payload": "ey', b'"payload": "Ey')
    untrusted = releases.Store(store.root, keys=tmp_path / "untrusted")
    forged = signing.sign(b'{"_type": "x"}', signing.private_key(store.keys))
    theirs = signing.sign(b'{"_type": "x"}', signing.private_key(untrusted.keys))
    for objects, message in (
        (whole | {two: changed}, r"states/000000000002\.json .*changed"),
        (whole | {two: whole[one]}, r"states/000000000002\.json is not state 2 of a store"),
        (whole | {two: forged}, r"states/000000000002\.json is not state 2 of a store"),
        (whole | {two: theirs}, r"states/000000000002\.json was signed by key .* not in"),
        (
            {k: v for k, v in whole.items() if k != one},
            r"states/000000000001\.json is missing: restore it from a backup",
        ),
    ):
        Fake.objects = objects
        with pytest.raises(IntegrityError, match=message):
            mirror.read_state(fake, store.keys)


def test_a_state_with_inconsistent_aliases_or_entries_is_named(store, fake):
    promote(store, publish(store))
    push(store, fake)
    path = "bucket/matinee/states/000000000001.json"
    state, _ = signing.verified_payload(Fake.objects[path], store.keys, "x")
    entry = state["entries"][0]
    for wrong, message in (
        (state | {"names": state["names"] | {"audit_head": "0" * 64}}, "not its last entry"),
        (state | {"entries": [entry | {"by": "eve"}]}, "states:1 breaks the chain"),
        (
            state | {"entries": [entry | {"before": "f" * 64}]},
            "is not the start of the audit trail",
        ),
    ):
        Fake.objects[path] = signing.sign(
            json.dumps(wrong).encode(), signing.private_key(store.keys)
        )
        with pytest.raises(IntegrityError, match=message):
            mirror.read_state(fake, store.keys)


def test_a_manifest_with_paths_outside_of_the_release_is_refused(
    store, elsewhere, fake, monkeypatch
):
    promote(store, publish(store))
    push(store, fake)
    for name in ("../../keys/x.pub", "/etc/x", "a\\..\\b"):
        manifest = {"files": [{"file": name, "bytes": 1}]}
        monkeypatch.setattr(mirror, "signed_manifest", lambda *_, m=manifest, **__: (m, "", ""))
        with pytest.raises(IntegrityError, match="is outside of the release"):
            mirror.pull(elsewhere, fake)
    assert elsewhere.list() == ()


def test_a_machine_without_the_trusted_key_pulls_nothing(tmp_path, store, fake):
    promote(store, publish(store))
    push(store, fake)
    other = releases.Store(tmp_path / "other" / "releases", keys=tmp_path / "other" / "keys")
    with pytest.raises(IntegrityError, match="no trusted key in"):
        mirror.pull(other, fake)
    signing.private_key(other.keys)
    with pytest.raises(IntegrityError, match=r"000000000001\.json was signed by key"):
        mirror.pull(other, fake)
    assert other.list() == ()


def test_another_release_under_the_same_id_is_refused(store, fake):
    release = publish(store)
    promote(store, release)
    Fake.objects[f"bucket/matinee/releases/{release.id}/manifest.json"] = b"{}"
    with pytest.raises(IntegrityError, match="differs from the local release"):
        push(store, fake)


def test_a_broken_local_release_does_not_become_live_by_a_pull(store, elsewhere, fake):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    push(store, fake, extra=[second.id])
    mirror.pull(elsewhere, fake, [second.id])
    (elsewhere.root / second.id / "card.md").write_text("x")
    promote(store, second)
    push(store, fake)
    with pytest.raises(IntegrityError, match=r"card\.md"):
        mirror.pull(elsewhere, fake)
    assert elsewhere.live().id == first.id
