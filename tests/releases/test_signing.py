import base64
import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from matinee.errors import ConfigError, IntegrityError
from matinee.releases import signing
from tests.releases.samples import publish


def test_the_private_key_is_created_once_and_readable_by_its_owner_only(tmp_path):
    first = signing.private_key(tmp_path / "keys")
    path = tmp_path / "keys/signing.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = signing.private_key(tmp_path / "keys")
    assert signing.key_id(first.public_key()) == signing.key_id(again.public_key())


def test_a_key_readable_by_other_users_is_refused(tmp_path):
    signing.private_key(tmp_path)
    (tmp_path / "signing.pem").chmod(0o644)
    with pytest.raises(ConfigError, match=r"readable by other users: chmod 600 .*signing"):
        signing.private_key(tmp_path)


def test_an_invalid_key_is_named(tmp_path):
    signing.private_key(tmp_path)
    (tmp_path / "signing.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match=r"signing\.pem is not an Ed25519 private key"):
        signing.private_key(tmp_path)
    (tmp_path / "zz.pub").write_text("nonsense")
    with pytest.raises(IntegrityError, match=r"zz\.pub is not an Ed25519 public key"):
        signing.trusted_keys(tmp_path)


def test_releases_signed_by_a_retired_key_stay_trusted(store):
    old = publish(store)
    (store.keys / "signing.pem").unlink()
    new = publish(store, shift=1, minutes=1)
    assert store.verify(old.id).key_id != store.verify(new.id).key_id


def test_the_signature_is_dsse_over_an_in_toto_statement_that_other_tools_can_check(store):
    release = publish(store)
    envelope = json.loads((release.path / "signature.json").read_text())
    payload = base64.b64decode(envelope["payload"])
    # Written from the DSSE specification, without the code under test.
    kind = "application/vnd.in-toto+json"
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    (public,) = signing.trusted_keys(store.keys).values()
    public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    names = [subject["name"] for subject in statement["subject"]]
    assert names == ["manifest.json", *[record["file"] for record in release.manifest["files"]]]


def test_a_signature_of_another_payload_is_refused(tmp_path):
    key = signing.private_key(tmp_path)
    one, two = (json.loads(signing.sign(text, key)) for text in (b'{"a": 1}', b'{"a": 2}'))
    swapped = {**one, "payload": two["payload"]}
    text = (json.dumps(swapped, indent=2) + "\n").encode()
    with pytest.raises(IntegrityError, match=r"x does not verify with key .*: it was changed"):
        signing.verified_payload(text, tmp_path, "x")


def test_an_untrusted_key_cannot_use_a_trusted_key_id(tmp_path):
    mine = signing.private_key(tmp_path)
    forged = json.loads(signing.sign(b"{}", Ed25519PrivateKey.generate()))
    forged["signatures"][0]["keyid"] = signing.key_id(mine.public_key())
    text = (json.dumps(forged, indent=2) + "\n").encode()
    with pytest.raises(IntegrityError, match="does not verify"):
        signing.verified_payload(text, tmp_path, "x")


def test_a_linked_key_signs_and_is_not_replaced_when_missing(tmp_path):
    elsewhere, keys = tmp_path / "safe/key.pem", tmp_path / "keys"
    mine = signing.private_key(elsewhere.parent)
    (elsewhere.parent / "signing.pem").rename(elsewhere)
    keys.mkdir()
    (keys / "signing.pem").symlink_to(elsewhere)
    assert signing.key_id(signing.private_key(keys).public_key()) == signing.key_id(
        mine.public_key()
    )
    elsewhere.chmod(0o644)
    with pytest.raises(ConfigError, match="readable by other users: chmod 600"):
        signing.private_key(keys)
    elsewhere.unlink()
    with pytest.raises(ConfigError, match=r"is a link to .*key\.pem, which does not exist"):
        signing.private_key(keys)
    assert (keys / "signing.pem").is_symlink()
