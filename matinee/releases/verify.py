"""Is a release what was published, to the byte, and by whom?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.errors import IntegrityError
from matinee.releases import files, signing
from matinee.releases.audit import Trail
from matinee.releases.release import MANIFEST, SIGNATURE, Release


@dataclass(frozen=True)
class Verified:
    """A release that holds: every file is the one that was signed."""

    release_id: str
    manifest_sha256: str
    key_id: str
    """The trusted key that signed it."""
    file_count: int
    byte_count: int


def verify(release: Release, *, keys: Path, trail: Trail) -> Verified:
    """Check signature, manifest, every file and the audit trail, in this order of trust.

    Raises
    ------
    IntegrityError
        Naming the first file that is not what was signed.
    """
    with files.storage_errors(release.path):
        present = files.walk(release.path)
        for name in (MANIFEST, SIGNATURE):
            if name not in present:
                raise IntegrityError(f"{release.id}/{name} is missing: {_CURE}")
        statement, key_id = signing.signed_payload(
            (release.path / SIGNATURE).read_bytes(), keys, f"{release.id}/{SIGNATURE}"
        )
        manifest_sha256 = hashlib.sha256((release.path / MANIFEST).read_bytes()).hexdigest()
        if manifest_sha256 != _signed_manifest(statement):
            raise IntegrityError(
                f"{release.id}/{MANIFEST} is not the one that {SIGNATURE} signs: {_CURE}"
            )
        # From here on the manifest is believed.
        manifest = Release(release.path).manifest
        if manifest["release_id"] != release.id:
            raise IntegrityError(
                f"{release.id}/{MANIFEST} belongs to release {manifest['release_id']}: {_CURE}"
            )
        byte_count = _check_files(release, manifest, present)
    if not trail.holds(manifest["audit_head"]):
        raise IntegrityError(
            f"{trail.path} no longer holds the entry that {release.id}/{MANIFEST} names: "
            f"the trail was cut or made anew; restore it from a backup"
        )
    return Verified(
        release_id=release.id,
        manifest_sha256=manifest_sha256,
        key_id=key_id,
        file_count=len(present),
        byte_count=byte_count,
    )


_CURE = "do not serve it; roll back, or publish again"


def _signed_manifest(statement: Mapping[str, Any]) -> str | None:
    hashes = {
        subject["name"]: subject["digest"]["sha256"] for subject in statement.get("subject", [])
    }
    return hashes.get(MANIFEST)


def _check_files(release: Release, manifest: Mapping[str, Any], present: list[str]) -> int:
    listed = {record["file"]: record for record in manifest["files"]}
    for name in sorted(listed.keys() - set(present)):
        raise IntegrityError(f"{release.id}/{name} is missing: {_CURE}")
    for name in sorted(set(present) - listed.keys() - {MANIFEST, SIGNATURE}):
        raise IntegrityError(f"{release.id}/{name} was put there later: remove it")
    for name, record in listed.items():
        path = release.path / name
        if path.stat().st_size != record["bytes"] or files.sha256(path) != record["sha256"]:
            raise IntegrityError(f"{release.id}/{name} is not the file that was published: {_CURE}")
    return sum(record["bytes"] for record in listed.values())
