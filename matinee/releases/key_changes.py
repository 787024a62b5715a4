"""Changes the keys of a store by lines of its audit trail that an old key signs."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from matinee import durable
from matinee.releases import audit, files, signing
from matinee.releases.register import Register
from matinee.releases.store import Store

ACTION = "trust"


def rotate_key(store: Store, *, at: datetime, by: str, why: str) -> str:
    """Replace the signing key by a new one, which a line signed by the old one introduces.

    What the old key signed stays trusted; its private half is gone. Returns the new key's id.
    """
    key = Ed25519PrivateKey.generate()
    path = (store.keys / signing.PRIVATE_KEY).resolve()
    draft = path.with_name(f".{signing.PRIVATE_KEY}.next")
    with files.storage_errors(store.keys):
        durable.remove(draft)
        durable.create(draft, signing.private_pem(key), mode=0o600)
        try:
            _trust(store, key.public_key(), at=at, by=by, why=why)
        except BaseException:
            durable.remove(draft)
            raise
        files.rename(draft, path)
    return signing.key_id(key.public_key())


def trust_key(store: Store, public: Path, *, at: datetime, by: str, why: str) -> str:
    """Trust the public key in a file, by a line that the signing key signs. Returns its id."""
    key = signing.load_public(public)
    _trust(store, key, at=at, by=by, why=why)
    return signing.key_id(key)


def _trust(store: Store, public: Ed25519PublicKey, *, at: datetime, by: str, why: str) -> None:
    entry = replace(
        audit.new_entry(ACTION, "", at=at, by=by, why=why), trusts=(signing.key_id(public),)
    )
    register = Register(store.root, store.keys)
    with files.storage_errors(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    with register.locked():
        register.signing_key()
        signing.write_public(store.keys, public)
        register.recover(entry)
        register.apply(entry)
