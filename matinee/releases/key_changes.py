"""Changes the keys of a store by lines of its audit trail that an old key signs."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from matinee import durable
from matinee.errors import ConfigError
from matinee.releases import audit, files, signing, trust
from matinee.releases.register import Register
from matinee.releases.store import Store

TRUST, REVOKE = "trust", "revoke"
"""Actions of the lines."""

SHORTEST = 16
"""Digits of the id of a key that name it."""


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
    """Trust the public key in a file, by a line that the signing key signs. Returns its id.

    Raises
    ------
    ConfigError
        If the key was revoked.
    """
    key = signing.load_public(public)
    _trust(store, key, at=at, by=by, why=why)
    return signing.key_id(key)


def revoke_key(store: Store, key: str, *, at: datetime, by: str, why: str) -> str:
    """Trust a key never again, by a line that the signing key signs. Returns the key's id.

    Its lines so far, and the releases that they or others name, stay trusted. What it signs after,
    and a release that no line names yet, verifies nowhere that has the line.

    Parameters
    ----------
    key
        The first 16 or more digits of its id, as in the name of its file.

    Raises
    ------
    ConfigError
        If no trusted key has this id, or it is the signing key.
    """
    register = Register(store.root, store.keys)
    with register.locked():
        signer = signing.key_id(register.signing_key().public_key())
        trusted = trust.trusted_keys(register.chain(), store.keys)
        found = [one for one in trusted if one.startswith(key)] if len(key) >= SHORTEST else []
        if len(found) != 1:
            others = ", ".join(sorted(one[:SHORTEST] for one in trusted))
            raise ConfigError(f"no trusted key {key!r}; trusted keys: {others}")
        if found == [signer]:
            raise ConfigError(
                f"{signer[:SHORTEST]} is the signing key: run `matinee releases rotate-key` first, "
                f"and the new key can revoke it"
            )
        entry = replace(audit.new_entry(REVOKE, "", at=at, by=by, why=why), revokes=tuple(found))
        register.recover(entry)
        register.apply(entry)
    return found[0]


def _trust(store: Store, public: Ed25519PublicKey, *, at: datetime, by: str, why: str) -> None:
    new = signing.key_id(public)
    entry = replace(audit.new_entry(TRUST, "", at=at, by=by, why=why), trusts=(new,))
    register = Register(store.root, store.keys)
    with files.storage_errors(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    with register.locked():
        register.signing_key()
        if new in trust.read_trust(register.chain(), store.keys).revoked:
            raise ConfigError(f"key {new[:SHORTEST]} was revoked and stays so: make a new one")
        signing.write_public(store.keys, public)
        register.recover(entry)
        register.apply(entry)
