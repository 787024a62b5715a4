"""Which keys a store trusts: those in `keys/` that its own audit trail introduces.

A home from before signed lines trusts every public key in `keys/`. The first signed line lists the
keys in `keys/` at that time. From then on a key is trusted once a line says so that an earlier
trusted key signed.
"""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from matinee.errors import IntegrityError
from matinee.releases import signing
from matinee.releases.audit import Chain

Keys = Mapping[str, Ed25519PublicKey]
"""Public keys by their ids."""


def trusted_keys(chain: Chain, keys: Path) -> Keys:
    """The keys that are trusted after the last line of a chain, with the chain checked.

    Raises
    ------
    IntegrityError
        At the first line that is not signed although an earlier one is, or whose key or signature
        is not to be trusted.
    """
    published: Keys = signing.trusted_keys(keys)
    trusted = dict(published)
    is_signed = False
    for number, entry in enumerate(chain.entries, start=1):
        where = f"{chain.location}:{number}"
        if entry.key_id is None or entry.signature is None:
            if is_signed:
                raise IntegrityError(
                    f"{where} is not signed, and lines before it are: the file was changed; "
                    f"restore it from a backup"
                )
            continue
        if entry.key_id not in trusted:
            raise signing.untrusted(where, entry.key_id, keys)
        if not signing.signs_hash(trusted[entry.key_id], entry.hash, entry.signature):
            raise IntegrityError(
                f"{where} does not verify with key {entry.key_id[:16]}: the file was changed; "
                f"restore it from a backup"
            )
        if not is_signed:
            trusted = {entry.key_id: published[entry.key_id]}
        trusted |= {one: published[one] for one in entry.trusts if one in published}
        is_signed = True
    return trusted
