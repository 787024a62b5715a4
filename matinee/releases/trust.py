"""Which keys a store trusts: those in `keys/` that its own audit trail introduces.

A home from before signed lines trusts every public key in `keys/`. The first signed line lists the
keys in `keys/` at that time. From then on a key is trusted once a line says so that an earlier
trusted key signed, until a line revokes it that another trusted key signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from matinee.errors import IntegrityError
from matinee.releases import signing
from matinee.releases.audit import Chain

Keys = Mapping[str, Ed25519PublicKey]
"""Public keys by their ids."""


@dataclass(frozen=True)
class Trust:
    """The keys that count after the last line of a chain."""

    keys: Keys
    """Those that sign what comes next, and any release."""

    revoked: Keys
    """Those that signed before, and sign nothing any more."""

    before: Mapping[str, frozenset[tuple[str, str]]]
    """Revoked key -> release and sha256 of its manifest, of all that lines before the one that
    revokes the key name. A signature has no time: only these were there before."""

    def for_releases(self) -> Keys:
        """The keys that a release may be signed by; then see `require_before`."""
        return {**self.revoked, **self.keys}

    def require_before(self, signer: str, release_id: str, manifest_sha256: str) -> None:
        """Refuse a release that was signed by a revoked key and is not known to be older.

        Raises
        ------
        IntegrityError
            If no line before the one that revokes the key names the release.
        """
        if (release_id, manifest_sha256) not in self.before.get(
            signer, {(release_id, manifest_sha256)}
        ):
            raise IntegrityError(
                f"{release_id} was signed by key {signer[:16]}, which is revoked, and no line of "
                f"the audit trail before that names it: do not serve it; publish it again"
            )


def trusted_keys(chain: Chain, keys: Path) -> Keys:
    """The keys that are trusted after the last line of a chain, with the chain checked."""
    return read_trust(chain, keys).keys


def read_trust(chain: Chain, keys: Path) -> Trust:
    """The keys that count after the last line of a chain, with the chain checked.

    Raises
    ------
    IntegrityError
        At the first line that is not signed although an earlier one is, or whose key or signature
        is not to be trusted.
    """
    published: Keys = signing.trusted_keys(keys)
    trusted, revoked = dict(published), dict[str, Ed25519PublicKey]()
    before: dict[str, frozenset[tuple[str, str]]] = {}
    named: set[tuple[str, str]] = set()
    is_signed = False
    for number, entry in enumerate(chain.entries, start=1):
        where = f"{chain.location}:{number}"
        if entry.key_id is None or entry.signature is None:
            if is_signed:
                raise IntegrityError(
                    f"{where} is not signed, and lines before it are: the file was changed; "
                    f"restore it from a backup"
                )
        else:
            if entry.key_id in revoked:
                raise IntegrityError(
                    f"{where} was signed by key {entry.key_id[:16]}, which a line before it "
                    f"revokes: do not trust it; restore the file from a backup"
                )
            if entry.key_id not in trusted:
                raise signing.untrusted(where, entry.key_id, keys)
            if not signing.signs_hash(trusted[entry.key_id], entry.hash, entry.signature):
                raise IntegrityError(
                    f"{where} does not verify with key {entry.key_id[:16]}: the file was changed; "
                    f"restore it from a backup"
                )
            if not is_signed:
                trusted = {entry.key_id: published[entry.key_id]}
            new = (one for one in entry.trusts if one in published and one not in revoked)
            trusted |= {one: published[one] for one in new}
            for one in filter(trusted.__contains__, entry.revokes):
                revoked[one], before[one] = trusted.pop(one), frozenset(named)
            is_signed = True
        if entry.manifest_sha256:
            named.add((entry.release_id, entry.manifest_sha256))
    return Trust(trusted, revoked, before)
