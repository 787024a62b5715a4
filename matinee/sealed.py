"""Short texts that only this home can read or make: encrypted and authenticated, URL-safe."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from matinee import durable

KEY_BITS = 512


class Sealer:
    """Seals and opens texts with the key of a home.

    AES-SIV (RFC 5297): equal texts give equal results, and no nonce can be used twice by mistake.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    @classmethod
    def of(cls, path: Path) -> Sealer:
        """With the key in a file, which is made when it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            durable.create_once(path, AESSIV.generate_key(KEY_BITS), mode=0o600)
        return cls(path.read_bytes())

    def seal(self, text: bytes) -> str:
        """The sealed text."""
        return _encoded(self._cipher.encrypt(text, None))

    def unseal(self, sealed: str) -> bytes | None:
        """The text, or None when it was not sealed with this key."""
        padding = "=" * (-len(sealed) % 4)
        try:
            data = base64.b64decode(sealed.encode("ascii") + padding.encode(), b"-_", validate=True)
            text = self._cipher.decrypt(data, None)
        except (InvalidTag, binascii.Error, UnicodeEncodeError, ValueError):
            return None
        return text if _encoded(data) == sealed else None  # base64 has several spellings


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
