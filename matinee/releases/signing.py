"""Ed25519 signatures in a DSSE envelope, the form that in-toto tools read.

The private key is created on first use and stays in `keys/`. Only public keys in `keys/` are
trusted, not the copy beside the releases, which an attacker could replace together with them; and
of those, once the audit trail is signed, only the ones that a line of it trusts (see `trust`).
"""

import base64
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from matinee.errors import ConfigError, IntegrityError
from matinee.provenance import parse_json, readable_json
from matinee.releases import files

PRIVATE_KEY = "signing.pem"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
ENTRY_TYPE = "application/vnd.matinee.audit-entry"

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def key_id(public: Ed25519PublicKey) -> str:
    """The sha256 of a public key's 32 bytes, in hex."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def public_key_name(public: Ed25519PublicKey) -> str:
    """The file name of a public key: `<16 hex of its id>.pub`."""
    return f"{key_id(public)[:16]}.pub"


def public_pem(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_key(keys: Path) -> Ed25519PrivateKey:
    """The private key, created if `keys/` has none; it may be a symbolic link.

    Raises
    ------
    ConfigError
        If it is no key, is readable by other users, or is a link to nothing.
    IntegrityError
        If other users can write to `keys/`.
    """
    path = keys / PRIVATE_KEY
    with files.storage_errors(path):
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        refuse_writable(keys)
        with files.locked(keys / ".lock", wait_seconds=10):
            if path.is_symlink() and not path.exists():
                raise ConfigError(
                    f"{path} is a link to {path.readlink()}, which does not exist: restore the "
                    f"signing key, or remove the link to create a new key"
                )
            if not path.exists():
                _create_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"the signing key is readable by other users: chmod 600 {path}")
        key = _load_private(path)
        public = key.public_key()
        if not (keys / public_key_name(public)).exists():
            write_public(keys, public)
    return key


def write_public(keys: Path, public: Ed25519PublicKey) -> None:
    """Put a public key into a folder of keys."""
    files.replace(keys / public_key_name(public), public_pem(public), mode=0o644)


def trusted_keys(keys: Path) -> dict[str, Ed25519PublicKey]:
    """Every public key in `keys/`, by its id.

    Raises
    ------
    IntegrityError
        If there is none, one is damaged, or other users can write to the folder or a key.
    """
    trusted = {}
    with files.storage_errors(keys):
        if keys.exists():
            refuse_writable(keys)
        for path in sorted(keys.glob("*.pub")):
            public = load_public(path)
            trusted[key_id(public)] = public
    if not trusted:
        raise IntegrityError(
            f"no trusted key in {keys}: copy the public key (.pub) of the signer there"
        )
    return trusted


def refuse_writable(keys: Path) -> None:
    """Refuse a folder of keys whose files other users can replace or change.

    Raises
    ------
    IntegrityError
        If a mode lets a group or others write, or another user than root owns the folder.
    """
    status = keys.stat()
    if status.st_uid not in (0, os.geteuid()):
        raise IntegrityError(
            f"{keys} belongs to user {status.st_uid}, so its keys prove nothing: check what is "
            f"there, then chown it"
        )
    is_reachable = status.st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    for path in [keys, *(sorted(keys.iterdir()) if is_reachable else [])]:
        if path.exists() and path.stat().st_mode & WRITABLE_BY_OTHERS:
            raise IntegrityError(
                f"other users can write to {path}, so the keys in {keys} prove nothing: check "
                f"what is there, then chmod go-w {path}"
            )


def sign_hash(digest: str, key: Ed25519PrivateKey) -> str:
    """The signature of a line of the audit trail, in base64, over the hash of the line."""
    return base64.b64encode(key.sign(_to_be_signed(digest.encode(), ENTRY_TYPE))).decode()


def signs_hash(public: Ed25519PublicKey, digest: str, signature: str) -> bool:
    """Whether a signature is `sign_hash` of a hash by a key, byte for byte."""
    try:
        raw = base64.b64decode(signature, validate=True)
        public.verify(raw, _to_be_signed(digest.encode(), ENTRY_TYPE))
    except (InvalidSignature, ValueError):
        return False
    return base64.b64encode(raw).decode() == signature


def sign(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """A signed envelope with the payload, as the bytes of `signature.json`."""
    signature = key.sign(_to_be_signed(payload))
    return _envelope(payload, key_id(key.public_key()), signature)


def verified_payload(
    envelope: bytes,
    keys: Path,
    name: str,
    trusted: Mapping[str, Ed25519PublicKey] | None = None,
) -> tuple[dict[str, Any], str]:
    """The payload of an envelope signed by a trusted key, and the id of that key.

    Parameters
    ----------
    trusted
        The keys to trust, by id; every public key in `keys/` without it.

    Raises
    ------
    IntegrityError
        With `name`, if the envelope is not byte for byte what `sign` writes, or is not signed by a
        trusted key.
    """
    if trusted is None:
        trusted = trusted_keys(keys)
    try:
        read = parse_json(envelope)
        payload = base64.b64decode(read["payload"])
        signer = str(read["signatures"][0]["keyid"])
        signature = base64.b64decode(read["signatures"][0]["sig"])
        # JSON and base64 have several encodings of a value: only the canonical one is valid.
        is_canonical = _envelope(payload, signer, signature) == envelope
    except (ValueError, KeyError, IndexError, TypeError):
        is_canonical = False
    if not is_canonical:
        raise IntegrityError(f"{name} is not a signature that this store wrote: it was changed")
    if signer not in trusted:
        raise untrusted(name, signer, keys)
    try:
        trusted[signer].verify(signature, _to_be_signed(payload))
    except InvalidSignature:
        raise IntegrityError(
            f"{name} does not verify with key {signer[:16]}: it was changed"
        ) from None
    statement: dict[str, Any] = parse_json(payload)
    return statement, signer


def untrusted(name: str, signer: str, keys: Path) -> IntegrityError:
    """The error for something that a key signed which is not trusted."""
    if any(keys.glob(f"{signer[:16]}.pub")):
        return IntegrityError(
            f"{name} was signed by key {signer[:16]}, which is in {keys} but which no line of the "
            f"audit trail trusts: do not trust it, or `matinee releases trust-key` it where "
            f"releases are built"
        )
    return IntegrityError(
        f"{name} was signed by key {signer[:16]}, which is not in {keys}: do not trust it, "
        f"or copy its .pub there if you do"
    )


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _create_key(path: Path) -> None:
    files.replace(path, private_pem(Ed25519PrivateKey.generate()), mode=0o600)


def _load_private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} is not an Ed25519 private key in PEM without a password")
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise IntegrityError(f"{path} is not an Ed25519 public key in PEM: restore or remove it")
    return key


def _envelope(payload: bytes, signer: str, signature: bytes) -> bytes:
    return readable_json(
        {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": signer, "sig": base64.b64encode(signature).decode()}],
        }
    )


def _to_be_signed(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """DSSE pre-authentication encoding: type and payload, each preceded by its length."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
