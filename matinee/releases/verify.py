"""Verifies a release: signature, manifest, every byte of every file, audit trail."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from matinee.errors import IntegrityError
from matinee.releases import files, signing
from matinee.releases.audit import Chain
from matinee.releases.release import MANIFEST, SIGNATURE, parse_manifest


class ReleaseFiles(Protocol):
    """The files of one release: in a folder, or at a URL."""

    @property
    def id(self) -> str: ...

    def names(self) -> list[str]:
        """Every file, `/`-separated and sorted."""

    def read(self, name: str) -> bytes: ...

    def measure(self, name: str) -> tuple[int, str]:
        """The size in bytes and the sha256 of a file."""


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

    def read(self, name: str) -> bytes:
        with files.storage_errors(self.path):
            return (self.path / name).read_bytes()

    def measure(self, name: str) -> tuple[int, str]:
        with files.storage_errors(self.path):
            return (self.path / name).stat().st_size, files.sha256(self.path / name)


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
    manifest, manifest_sha256, key_id = signed_manifest(source, present, keys=keys)
    byte_count = _check_files(source, manifest, present)
    if not chain.contains(manifest["audit_head"]):
        raise IntegrityError(
            f"{chain.location} does not contain the entry that {source.id}/{MANIFEST} names: "
            f"it was truncated or rewritten; restore it from a backup"
        )
    return Verification(
        release_id=source.id,
        manifest_sha256=manifest_sha256,
        key_id=key_id,
        file_count=len(present),
        byte_count=byte_count,
    )


def signed_manifest(
    source: ReleaseFiles, present: list[str], *, keys: Path
) -> tuple[Mapping[str, Any], str, str]:
    """The manifest after a check of its signature, its sha256, and the id of the key."""
    for name in (MANIFEST, SIGNATURE):
        if name not in present:
            raise IntegrityError(f"{source.id}/{name} is missing: {_REMEDY}")
    statement, key_id = signing.verified_payload(
        source.read(SIGNATURE), keys, f"{source.id}/{SIGNATURE}"
    )
    text = source.read(MANIFEST)
    manifest_sha256 = hashlib.sha256(text).hexdigest()
    if manifest_sha256 != _signed_manifest(statement):
        raise IntegrityError(
            f"{source.id}/{MANIFEST} is not the one that {SIGNATURE} signs: {_REMEDY}"
        )
    # The manifest is trusted from here on.
    manifest = parse_manifest(source.id, text)
    if manifest["release_id"] != source.id:
        raise IntegrityError(
            f"{source.id}/{MANIFEST} belongs to release {manifest['release_id']}: {_REMEDY}"
        )
    return manifest, manifest_sha256, key_id


_REMEDY = "do not serve it; roll back, or publish again"


def _signed_manifest(statement: Mapping[str, Any]) -> str | None:
    hashes = {
        subject["name"]: subject["digest"]["sha256"] for subject in statement.get("subject", [])
    }
    return hashes.get(MANIFEST)


def _check_files(source: ReleaseFiles, manifest: Mapping[str, Any], present: list[str]) -> int:
    listed = {record["file"]: record for record in manifest["files"]}
    for name in sorted(listed.keys() - set(present)):
        raise IntegrityError(f"{source.id}/{name} is missing: {_REMEDY}")
    for name in sorted(set(present) - listed.keys() - {MANIFEST, SIGNATURE}):
        raise IntegrityError(f"{source.id}/{name} is not in the manifest: remove it")
    for name, record in listed.items():
        if source.measure(name) != (record["bytes"], record["sha256"]):
            raise IntegrityError(
                f"{source.id}/{name} is not the file that was published: {_REMEDY}"
            )
    return sum(record["bytes"] for record in listed.values())
