"""Whoever writes to a mirror can take releases away, and put nothing into them unseen."""

import json

import pytest

from matinee import releases
from matinee.errors import IntegrityError
from matinee.releases import mirror, signing
from tests.releases.mirrors import push
from tests.releases.objects import Fake
from tests.releases.samples import promote, publish


def test_an_upload_that_arrives_changed_never_gets_a_name(store, fake):
    first = publish(store)
    promote(store, first)
    push(store, fake)
    promote(store, publish(store, shift=1, minutes=1))
    Fake.garbles = "titles.npy"
    with pytest.raises(IntegrityError, match=r"titles\.npy is not the file that was published"):
        push(store, fake)
    assert mirror.verify_remote(fake, "live", keys=store.keys).release_id == first.id


def test_one_flipped_byte_there_is_named_and_not_pulled(store, elsewhere, fake):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    top = f"bucket/matinee/releases/{release.id}/"
    for path in [one for one in Fake.objects if one.startswith(top)]:
        whole = Fake.objects[path]
        Fake.objects[path] = bytes([whole[0] ^ 4]) + whole[1:]
        for act in (
            lambda: mirror.verify_remote(fake, "live", keys=store.keys),
            lambda: mirror.pull(elsewhere, fake),
        ):
            with pytest.raises(IntegrityError, match=f"{release.id}/{path[len(top) :]}"):
                act()
        assert elsewhere.live() is None
        Fake.objects[path] = whole
    assert mirror.pull(elsewhere, fake).live == release.id


def test_a_missing_and_an_extra_file_there_are_named(store, fake):
    release = publish(store)
    promote(store, release)
    push(store, fake)
    card = f"bucket/matinee/releases/{release.id}/card.md"
    text = Fake.objects.pop(card)
    with pytest.raises(IntegrityError, match=r"card\.md is missing"):
        mirror.verify_remote(fake, "live", keys=store.keys)
    Fake.objects |= {card: text, card + "x": b""}
    with pytest.raises(IntegrityError, match=r"card\.mdx was put there later"):
        mirror.verify_remote(fake, "live", keys=store.keys)


def test_a_changed_swapped_forged_or_missing_state_is_named(tmp_path, store, fake):
    promote(store, publish(store))
    push(store, fake)
    promote(store, publish(store, shift=1, minutes=1))
    push(store, fake)
    one, two = (f"bucket/matinee/states/{number:012}.json" for number in (1, 2))
    whole = dict(Fake.objects)
    changed = whole[two].replace(b'"payload": "ey', b'"payload": "Ey')
    stranger = releases.Store(store.root, keys=tmp_path / "stranger")
    forged = signing.sign(b'{"_type": "x"}', signing.private_key(store.keys))
    theirs = signing.sign(b'{"_type": "x"}', signing.private_key(stranger.keys))
    for objects_there, said in (
        (whole | {two: changed}, r"states/000000000002\.json .*changed"),
        (whole | {two: whole[one]}, r"states/000000000002\.json is not state 2 of a store"),
        (whole | {two: forged}, r"states/000000000002\.json is not state 2 of a store"),
        (whole | {two: theirs}, r"states/000000000002\.json was signed by key .* not in"),
        ({k: v for k, v in whole.items() if k != one}, r"states/000000000001\.json is missing"),
    ):
        Fake.objects = objects_there
        with pytest.raises(IntegrityError, match=said):
            mirror.read_state(fake, store.keys)


def test_a_state_whose_names_or_lines_do_not_fit_is_named(store, fake):
    promote(store, publish(store))
    push(store, fake)
    path = "bucket/matinee/states/000000000001.json"
    told, _ = signing.verified_payload(Fake.objects[path], store.keys, "x")
    line = told["entries"][0]
    for wrong, said in (
        (told | {"names": told["names"] | {"audit_head": "0" * 64}}, "another entry than its last"),
        (told | {"entries": [line | {"by": "eve"}]}, "states:1 breaks the chain"),
        (told | {"entries": [line | {"before": "f" * 64}]}, "does not begin the audit trail"),
    ):
        Fake.objects[path] = signing.sign(
            json.dumps(wrong).encode(), signing.private_key(store.keys)
        )
        with pytest.raises(IntegrityError, match=said):
            mirror.read_state(fake, store.keys)


def test_a_manifest_that_leads_out_of_the_release_is_refused(store, elsewhere, fake, monkeypatch):
    promote(store, publish(store))
    push(store, fake)
    for name in ("../../keys/x.pub", "/etc/x", "a\\..\\b"):
        listed = {"files": [{"file": name}]}
        monkeypatch.setattr(
            mirror, "signed_manifest", lambda *_, listed=listed, **__: (listed, "", "")
        )
        with pytest.raises(IntegrityError, match="leads out of it"):
            mirror.pull(elsewhere, fake)
    assert elsewhere.list() == ()


def test_a_machine_that_trusts_no_key_or_another_one_pulls_nothing(tmp_path, store, fake):
    promote(store, publish(store))
    push(store, fake)
    naive = releases.Store(tmp_path / "naive" / "releases", keys=tmp_path / "naive" / "keys")
    with pytest.raises(IntegrityError, match="no trusted key in"):
        mirror.pull(naive, fake)
    signing.private_key(naive.keys)
    with pytest.raises(IntegrityError, match=r"000000000001\.json was signed by key"):
        mirror.pull(naive, fake)
    assert naive.list() == ()


def test_another_release_under_the_same_id_is_refused(store, fake):
    release = publish(store)
    promote(store, release)
    Fake.objects[f"bucket/matinee/releases/{release.id}/manifest.json"] = b"{}"
    with pytest.raises(IntegrityError, match="is another release than the one here"):
        push(store, fake)


def test_a_release_here_that_is_broken_does_not_become_live_by_a_pull(store, elsewhere, fake):
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
