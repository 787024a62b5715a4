"""Verifies a release: signature, manifest, every byte of every file, audit trail."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from matinee.errors import IntegrityError
from matinee.releases import files, signing, trust
from matinee.releases.audit import Chain
from matinee.releases.release import MANIFEST, SIGNATURE, parse_manifest

MOST_SIGNATURE_BYTES = 16 << 20
"""Nothing signs the length of a signature itself; of 500 files it has 0.1 MB."""

MOST_MANIFEST_BYTES = 64 << 20
"""For a release from before the length of its manifest was signed."""


class ReleaseFiles(Protocol):
    """The files of one release: in a folder, or at a URL."""

    @property
    def id(self) -> str: ...

    def names(self) -> list[str]:
        """Every file, `/`-separated and sorted."""

    def read(self, name: str, most_bytes: int) -> bytes:
        """All bytes of a file; raises IntegrityError once there are more than `most_bytes`."""

    def measure(self, name: str, most_bytes: int) -> tuple[int, str]:
        """The size in bytes and the sha256 of a file, of which no more is read than that."""


@dataclass(frozen=True)
class LocalFiles:
    """The files of a release on this machine."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    def names(self) -> list[str]:
        with files.storage_errors(self.path):
            return files.walk(self.path)

    def read(self, name: str, most_bytes: int) -> bytes:
        with files.storage_errors(self.path), open(self.path / name, "rb") as file:
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise too_long(f"{self.id}/{name}", most_bytes)
        return data

    def measure(self, name: str, most_bytes: int) -> tuple[int, str]:
        with files.storage_errors(self.path), open(self.path / name, "rb") as file:
            return files.measure(file, most_bytes)


def too_long(name: str, most_bytes: int) -> IntegrityError:
    """The error for a file of which more is there than can have been signed."""
    return IntegrityError(
        f"{name} is longer than {most_bytes:,} bytes, which is all that was signed: the rest was "
        f"not read; do not use it"
    )


@dataclass(frozen=True)
class Verification:
    """A successful verification: every file is the one that was signed."""

    release_id: str
    manifest_sha256: str
    key_id: str
    """Id of the trusted key that signed the release."""
    file_count: int
    byte_count: int


def verify(source: ReleaseFiles, *, keys: Path, chain: Chain) -> Verification:
    """Check signature, manifest, every file and the audit trail, in this order.

    Raises
    ------
    IntegrityError
        With the first file that is not what was signed.
    """
    present = source.names()
    trusted = trust.read_trust(chain, keys)
    manifest, manifest_sha256, key_id = signed_manifest(source, present, keys=keys, trusted=trusted)
    byte_count = _check_files(source, manifest, present)
    if not chain.contains(manifest["audit_head"]):
        raise IntegrityError(
            f"{chain.location} does not contain the entry that {source.id}/{MANIFEST} names: "
            f"it was truncated or rewritten; restore it from a backup"
        )
    later = chain.after(manifest["audit_head"]) if "audit_entries" in manifest else ()
    if any(entry.signature is None for entry in later):
        raise IntegrityError(
            f"{chain.location} has lines without a signature after the one that {source.id} "
            f"names: it was rewritten; restore it from a backup"
        )
    decided = {
        entry.manifest_sha256
        for entry in chain.effective_entries()
        if entry.release_id == source.id and entry.manifest_sha256
    }
    if decided - {manifest_sha256}:
        raise IntegrityError(
            f"{source.id}/{MANIFEST} is not the one that {chain.location} names: {_REMEDY}"
        )
    return Verification(
        release_id=source.id,
        manifest_sha256=manifest_sha256,
        key_id=key_id,
        file_count=len(present),
        byte_count=byte_count,
    )


def signed_manifest(
    source: ReleaseFiles, present: list[str], *, keys: Path, trusted: trust.Trust
) -> tuple[Mapping[str, Any], str, str]:
    """The manifest after a check of its signature, its sha256, and the id of the key."""
    for name in (MANIFEST, SIGNATURE):
        if name not in present:
            raise IntegrityError(f"{source.id}/{name} is missing: {_REMEDY}")
    statement, key_id = signing.verified_payload(
        source.read(SIGNATURE, MOST_SIGNATURE_BYTES),
        keys,
        f"{source.id}/{SIGNATURE}",
        trusted.for_releases(),
    )
    signed_sha256, signed_bytes = _signed_manifest(statement)
    text = source.read(MANIFEST, signed_bytes)
    manifest_sha256 = hashlib.sha256(text).hexdigest()
    if manifest_sha256 != signed_sha256:
        raise IntegrityError(
            f"{source.id}/{MANIFEST} is not the one that {SIGNATURE} signs: {_REMEDY}"
        )
    # The manifest is trusted from here on.
    manifest = parse_manifest(source.id, text)
    if manifest["release_id"] != source.id:
        raise IntegrityError(
            f"{source.id}/{MANIFEST} belongs to release {manifest['release_id']}: {_REMEDY}"
        )
    trusted.require_before(key_id, source.id, manifest_sha256)
    return manifest, manifest_sha256, key_id


_REMEDY = "do not serve it; roll back, or publish again"


def _signed_manifest(statement: Mapping[str, Any]) -> tuple[str | None, int]:
    """The sha256 and the length of the manifest that a statement is about."""
    for subject in statement.get("subject", []):
        if subject["name"] == MANIFEST:
            length = subject.get("annotations", {}).get("bytes", MOST_MANIFEST_BYTES)
            return subject["digest"]["sha256"], length
    return None, MOST_MANIFEST_BYTES


def _check_files(source: ReleaseFiles, manifest: Mapping[str, Any], present: list[str]) -> int:
    listed = {record["file"]: record for record in manifest["files"]}
    for name in sorted(listed.keys() - set(present)):
        raise IntegrityError(f"{source.id}/{name} is missing: {_REMEDY}")
    for name in sorted(set(present) - listed.keys() - {MANIFEST, SIGNATURE}):
        raise IntegrityError(f"{source.id}/{name} is not in the manifest: remove it")
    for name, record in listed.items():
        if source.measure(name, record["bytes"]) != (record["bytes"], record["sha256"]):
            raise IntegrityError(
                f"{source.id}/{name} is not the file that was published: {_REMEDY}"
            )
    return sum(record["bytes"] for record in listed.values())
