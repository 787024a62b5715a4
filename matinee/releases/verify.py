"""Is a release what was published, to the byte, and by whom?"""

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
    """Where the files of one release lie: a folder, or below a URL."""

    @property
    def id(self) -> str: ...

    def names(self) -> list[str]:
        """Every file that is there, `/`-separated and sorted."""

    def read(self, name: str) -> bytes: ...

    def measure(self, name: str) -> tuple[int, str]:
        """How many bytes a file has, and their sha256."""


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
    """A release that holds: every file is the one that was signed."""

    release_id: str
    manifest_sha256: str
    key_id: str
    """The trusted key that signed it."""
    file_count: int
    byte_count: int


def verify(source: ReleaseFiles, *, keys: Path, chain: Chain) -> Verification:
    """Check signature, manifest, every file and the audit trail, in this order of trust.

    Raises
    ------
    IntegrityError
        Naming the first file that is not what was signed.
    """
    present = source.names()
    manifest, manifest_sha256, key_id = signed_manifest(source, present, keys=keys)
    byte_count = _check_files(source, manifest, present)
    if not chain.contains(manifest["audit_head"]):
        raise IntegrityError(
            f"{chain.location} no longer holds the entry that {source.id}/{MANIFEST} names: "
            f"the trail was cut or made anew; restore it from a backup"
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
    """The manifest that a trusted key signed, its sha256, and that key's id."""
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
    # From here on the manifest is signed_manifest.
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
        raise IntegrityError(f"{source.id}/{name} was put there later: remove it")
    for name, record in listed.items():
        if source.measure(name) != (record["bytes"], record["sha256"]):
            raise IntegrityError(
                f"{source.id}/{name} is not the file that was published: {_REMEDY}"
            )
    return sum(record["bytes"] for record in listed.values())
