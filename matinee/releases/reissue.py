"""Reissues a release: publishes changed content under a new id, with the aliases of the old one."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from matinee.errors import DataError, IntegrityError
from matinee.provenance import STORE_FIELDS
from matinee.releases import audit, files
from matinee.releases.draft import Draft
from matinee.releases.register import Register
from matinee.releases.release import MANIFEST, SIGNATURE, Release
from matinee.releases.store import Store

Fill = Callable[[Release, Draft, datetime], Mapping[str, Any]]
"""Writes the changed release into a draft and returns the fields of its manifest."""


@dataclass(frozen=True)
class ReissueResult:
    """Ids before and after; `after` is None if the release did not verify and was removed."""

    before: str
    after: str | None


def reissue(
    store: Store, release: Release, fill: Fill, *, at: datetime, by: str, why: str
) -> ReissueResult:
    """Publish what `fill` writes, move the aliases to it, and remove the old release.

    A crash in between leaves both; the next call reuses the new release, if it verifies.

    Raises
    ------
    IntegrityError
        If the release does not verify and has an alias: signing it again would legitimise a
        forgery.
    """
    try:
        store.verify(release.id)
    except IntegrityError as error:
        if names := store.aliases().names_of(release.id):
            raise IntegrityError(
                f"{error}. It is {', '.join(names)}: move that alias to another release, then run "
                f"this again"
            ) from error
        _remove(store, release, at=at, by=by, why=f"{why}; it did not verify: {error}")
        return ReissueResult(release.id, None)
    fresh = next((one for one in store.list() if _supersedes(store, one, release)), None)
    if fresh is None:
        with store.draft() as draft:
            fields = {
                **fill(release, draft, at),
                "created_at": at,
                "reason": why,
                "supersedes": release.id,
            }
            fresh = store.publish(draft, fields, force=True)
    _rename(store, release, fresh, at=at, by=by, why=why)
    _remove(store, release, at=at, by=by, why=f"{why}; superseded by {fresh.id}")
    return ReissueResult(release.id, fresh.id)


def reissue_all(
    store: Store, release_ids: Collection[str], fill: Fill, *, at: datetime, by: str, why: str
) -> list[ReissueResult]:
    """Reissue several releases in the order of their ids, a second apart."""
    store.sweep()
    selected = sorted(
        (one for one in store.list() if one.id in release_ids), key=lambda one: one.id
    )
    return [
        reissue(store, release, fill, at=moment, by=by, why=why)
        for release, moment in zip(selected, timestamps(len(selected), at), strict=True)
    ]


def manifest_fields(release: Release) -> dict[str, Any]:
    """The fields that a release was published with, from its manifest."""
    fields = {name: value for name, value in release.manifest.items() if name not in STORE_FIELDS}
    fields["as_of"] = datetime.fromisoformat(fields["as_of"])
    return fields


def file_names(release: Release) -> list[str]:
    """Every file of a release except the manifest and the signature."""
    return [name for name in files.walk(release.path) if name not in (MANIFEST, SIGNATURE)]


def timestamps(count: int, at: datetime) -> list[datetime]:
    """`count` timestamps, a second apart, the last one `at`."""
    return [at - timedelta(seconds=count - 1 - number) for number in range(count)]


def _supersedes(store: Store, fresh: Release, release: Release) -> bool:
    """Whether a release was signed as the one that takes the place of another."""
    try:
        if fresh.manifest.get("supersedes") != release.id:  # cheap, and anybody's claim
            return False
        store.verify(fresh.id)
    except (IntegrityError, DataError):
        return False
    return Release(fresh.path).manifest.get("supersedes") == release.id


def _rename(
    store: Store, release: Release, fresh: Release, *, at: datetime, by: str, why: str
) -> None:
    verified = store.verify(fresh.id)
    entry = audit.new_entry(
        "reissue",
        fresh.id,
        at=at,
        by=by,
        why=f"{why}; supersedes {release.id}",
        manifest_sha256=verified.manifest_sha256,
        supersedes=release.id,
    )
    register = Register(store.root, store.keys)
    with register.locked():
        register.recover(entry)
        register.apply(entry)


def _remove(store: Store, release: Release, *, at: datetime, by: str, why: str) -> None:
    entry = audit.new_entry("remove", release.id, at=at, by=by, why=why)
    register = Register(store.root, store.keys)
    with register.locked():
        register.recover(entry)
        register.apply(entry)
        files.remove(Path(release.path))
