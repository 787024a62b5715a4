"""Runs the night of a release again, from the logs that its manifest names, and compares.

The proof that a release is what its manifest says: the same logs, instant, seed and settings, in a
home where nothing else is, must give the same content.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from matinee import durable, landing, releases
from matinee.columns import MEMBER_ID
from matinee.errors import DataError, IntegrityError, RefusedError
from matinee.pipeline import consenting, origin, reading, reissuing, stages
from matinee.pipeline.run import Reporter, run
from matinee.pipeline.stages import Parting
from matinee.releases import files
from matinee.settings import Settings

Manifest = Mapping[str, Any]

FOLDER = "rebuild"
"""Below `work/`, which the next night empties: a crash leaves nothing for long."""


@dataclass(frozen=True)
class Rebuilt:
    """What came of running a night again."""

    release_id: str
    rebuilt_id: str
    content_digest: str
    rebuilt_digest: str
    notes: tuple[str, ...]
    """What else than the logs is not as it was: code, libraries, machine."""
    partings: list[Parting] = field(default_factory=list)
    """Empty when the content is the same; else all that differs, the first stage first."""

    @property
    def is_same(self) -> bool:
        return self.content_digest == self.rebuilt_digest

    def raise_if_parted(self) -> None:
        """Turn a difference into exit code 5, naming the first stage that differs."""
        if self.is_same:
            return
        first = self.partings[0] if self.partings else None
        where = f"first differs in {first.stage}: {first.name}" if first else "differs"
        because = f" ({'; '.join(self.notes)})" if self.notes else ""
        raise IntegrityError(
            f"the rebuild of {self.release_id} {where}{because}: find out why before you trust it"
        )


def rebuild(settings: Settings, name: str, *, progress: Reporter) -> Rebuilt:
    """Run the night of a release again in a clean home, under the lease of this one.

    Raises
    ------
    IntegrityError
        If the release does not verify, a landing file is missing or has changed, or a gate stops
        the rebuild where it let the night pass.
    DataError
        If its logs were dropped past their retention, a member of it has refused since, or the
        release is not their outcome alone: it was re-issued after an erasure, or its model went on
        from an earlier one.
    """
    home = settings.home.resolve()
    store = reading.store(settings)
    release = store.open(name)
    with releases.lease(home, holder=f"rebuild of {release.id}"):
        with progress("verify the release"):
            store.verify(release.id)
        manifest = release.manifest
        erased = (manifest.get("privacy") or {}).get("erased_members")
        if erased or manifest["reason"] == reissuing.ERASURE:
            raise DataError(
                f"{release.id} was re-issued from {manifest['supersedes']} ({manifest['reason']}): "
                f"its model learned from acts that are erased, so no night can make it again; "
                f"`matinee run --as-of {_last_day(manifest)}` makes one of that day that can be"
            )
        if earlier := manifest.get("model", {}).get("continued_from"):
            raise DataError(
                f"{release.id} went on from the model of {earlier} (warm_start): its logs alone "
                f"cannot make it again; rebuild a release of a night that fitted in full"
            )
        if refused := _refused_since(settings, release):
            raise DataError(
                f"{refused} members of {release.id} have refused since, and nothing may learn from "
                f"them or count them again; `matinee run --as-of {_last_day(manifest)}` makes a "
                f"release of that day without them, which can be rebuilt"
            )
        clean = settings.folder("work") / FOLDER
        shutil.rmtree(clean, ignore_errors=True)
        try:
            with progress("collect its landing files"):
                collect(home, clean, manifest["inputs"])
            again = _run(_as_it_was(settings, manifest, clean), manifest, progress)
        finally:
            shutil.rmtree(clean, ignore_errors=True)
    is_same = again["content_digest"] == manifest["content_digest"]
    return Rebuilt(
        release_id=release.id,
        rebuilt_id=again["release_id"],
        content_digest=manifest["content_digest"],
        rebuilt_digest=again["content_digest"],
        notes=tuple(_notes(settings, manifest)),
        partings=[] if is_same else stages.partings(manifest, again),
    )


def _refused_since(settings: Settings, release: releases.Release) -> int:
    """How many members refused what the release did with their acts, after its night."""
    known = [entry["file"] for entry in release.manifest["inputs"]]
    refused = consenting.refused_since(settings, known)
    learned_from = set(release.table(reissuing.MEMBERS)[MEMBER_ID].to_pylist())
    counted = {one for one, purpose in refused if purpose == consenting.INSIGHTS}
    modelled = {one for one, purpose in refused if purpose == consenting.PERSONALISATION}
    return len(counted | modelled & learned_from)


def collect(home: Path, clean: Path, inputs: list[dict[str, Any]]) -> None:
    """Bring the landing files of a manifest into another home, each held to its hash."""
    ledger = landing.read_ledger(home).entries
    for entry in inputs:
        source = home / "landing" / entry["file"]
        known = ledger.get(entry["file"])
        if known and known.status == "dropped":
            raise DataError(
                f"{source} was dropped past its retention ({known.reason}): the release cannot be "
                f"rebuilt, and must not be; one of a later night can"
            )
        target = clean / "landing" / entry["file"]
        with files.storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                found = _copied(home / "landing", entry["file"], target)
            except FileNotFoundError:
                raise IntegrityError(
                    f"{source} is missing: the release was made from it; restore it from a backup"
                ) from None
            except durable.NotPlainError as error:
                raise IntegrityError(
                    f"{source} is {error}: the release was made from it; put a copy in its place"
                ) from None
        if found != entry["sha256"]:
            if known and entry["sha256"] in known.past_sha256:
                raise IntegrityError(
                    f"{source} had members erased from it since: the release cannot be rebuilt, "
                    f"and must not be; a later one can"
                )
            raise IntegrityError(
                f"{source} has sha256 {found[:12]} and had {entry['sha256'][:12]} when the "
                f"release was made: restore it from a backup"
            )


def _copied(landing_zone: Path, name: str, target: Path) -> str:
    """Copy a landing file, and return the sha256 of the bytes that were copied."""
    *above, last = name.split("/")
    hashed = hashlib.sha256()
    with (
        durable.folder(landing_zone, above) as folder,
        os.fdopen(durable.open_plain(last, folder), "rb") as source,
        target.open("wb") as copy,
    ):
        while chunk := source.read(1 << 20):
            hashed.update(chunk)
            copy.write(chunk)
    return hashed.hexdigest()


def _as_it_was(settings: Settings, manifest: Manifest, clean: Path) -> Settings:
    """The settings of that night: those that can change the content, as they were recorded."""
    kept = manifest.get("settings", {})
    seed = manifest["determinism"]["seed"]
    return settings.model_copy(update={**kept, "seed": seed, "home": clean, "warm_start": False})


def _run(settings: Settings, manifest: Manifest, progress: Reporter) -> Manifest:
    """The manifest of the same night, run again."""
    try:
        published = run(
            settings,
            last_day=_last_day(manifest),
            full_refresh=False,
            progress=progress,
            accepted=frozenset(manifest.get("validation", {}).get("accepted", [])),
        )
    except RefusedError as error:
        raise IntegrityError(
            f"the rebuild of {manifest['release_id']} was stopped where the night was not: {error}"
        ) from error
    return reading.store(settings).open(published.release_id).manifest


def _last_day(manifest: Manifest) -> date:
    return datetime.fromisoformat(manifest["as_of"]).date() - timedelta(days=1)


def _notes(settings: Settings, manifest: Manifest) -> list[str]:
    """What may explain a difference, in one sentence each."""
    was, now = manifest.get("code", {}), origin.code(settings.project)
    notes = []
    if was.get("commit") != now["commit"]:
        notes.append(f"made by commit {_short(was)}, rebuilt by {_short(now)}")
    notes += [
        f"{word} code had uncommitted changes"
        for word, code in (("its", was), ("this", now))
        if code.get("dirty")
    ]
    before, after = manifest.get("environment", {}), origin.environment()
    versions = before.get("versions", {})
    notes += [
        f"{name} was {versions[name]}, is {version}"
        for name, version in after["versions"].items()
        if versions.get(name, version) != version
    ]
    notes += [
        f"{name} was {before[name]}, is {after[name]}"
        for name in ("python", "cpu", "system")
        if before.get(name, after[name]) != after[name]
    ]
    return notes


def _short(code: dict[str, Any]) -> str:
    return str(code.get("commit") or "unknown")[:12]
