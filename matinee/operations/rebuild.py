"""Runs the night of a release again from the logs in its manifest, and compares the content.

The same logs, time, seed and settings in a clean home must give the same content. This shows that
the release is what its manifest describes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from matinee import durable, landing, releases
from matinee.columns import MEMBER_ID
from matinee.errors import DataError, IntegrityError, RefusedError
from matinee.night.insights import carry
from matinee.night.run import Reporter, run
from matinee.night.validate import HISTOGRAMS
from matinee.releases import build_info, files, stages
from matinee.releases.stages import StageDifference
from matinee.rights import consent, reissue
from matinee.settings import Settings

Manifest = Mapping[str, Any]

FOLDER = "rebuild"
"""Under `work/`, which the next night empties after a crash."""


@dataclass(frozen=True)
class RebuildResult:
    """The digests of a release and of its rebuild, and their differences."""

    release_id: str
    rebuilt_id: str
    content_digest: str
    rebuilt_digest: str
    notes: tuple[str, ...]
    """Changes of code, libraries and machine since the release was built."""
    differences: list[StageDifference] = field(default_factory=list)
    """Empty if the content is the same; otherwise by stage, the first stage first."""

    @property
    def is_same(self) -> bool:
        return self.content_digest == self.rebuilt_digest

    def as_dict(self) -> dict[str, Any]:
        """The result as `--format json` prints it."""
        names = {"differences": "partings"}
        fields = {names.get(name, name): value for name, value in asdict(self).items()}
        return fields | {"is_same": self.is_same}

    def raise_if_different(self) -> None:
        """Raise an IntegrityError (exit code 5) with the first stage that differs."""
        if self.is_same:
            return
        first = self.differences[0] if self.differences else None
        where = f"first differs in {first.stage}: {first.name}" if first else "differs"
        because = f" ({'; '.join(self.notes)})" if self.notes else ""
        raise IntegrityError(
            f"the rebuild of {self.release_id} {where}{because}: find the cause before you trust it"
        )


def rebuild(settings: Settings, name: str, *, progress: Reporter) -> RebuildResult:
    """Run the night of a release again in a clean home, under the lease of this home.

    Raises
    ------
    IntegrityError
        If the release does not verify, a landing file is missing or changed, or a check stops the
        rebuild that its night passed.
    DataError
        If its logs expired, a member of it refused consent since, the release whose weights it
        kept is gone, or it depends on more than that: it was reissued after an erasure, or its
        model was warm-started.
    """
    home = settings.home.resolve()
    store = releases.Store.of(settings.home)
    release = store.open(name)
    with releases.lease(home, holder=f"rebuild of {release.id}"):
        with progress("verify the release"):
            store.verify(release.id)
        manifest = release.manifest
        previous, insights = _previous(store, release), _insights(store, release)
        erased = (manifest.get("privacy") or {}).get("erased_members")
        if erased or manifest["reason"] == reissue.ERASURE:
            raise DataError(
                f"{release.id} was reissued from {manifest['supersedes']} ({manifest['reason']}): "
                f"its model was trained on data that is erased, so it cannot be rebuilt; "
                f"`matinee run --as-of {_last_day(manifest)}` makes one of that day that can be"
            )
        if earlier := manifest.get("model", {}).get("continued_from"):
            raise DataError(
                f"{release.id} was trained from the model of {earlier} (warm_start) and cannot be "
                f"rebuilt from its logs alone; rebuild a release of a night with full training"
            )
        if refused := _withdrawn_since(settings, release):
            raise DataError(
                f"{refused} members of {release.id} have refused since, and their data must not be "
                f"used again; `matinee run --as-of {_last_day(manifest)}` makes a "
                f"release of that day without them, which can be rebuilt"
            )
        clean = settings.folder("work") / FOLDER
        shutil.rmtree(clean, ignore_errors=True)
        try:
            with progress("collect its landing files"):
                collect_inputs(home, clean, manifest["inputs"])
                again = _settings_of(settings, manifest, clean)
                rebuilt = _run(again, release, previous, insights, progress)
        finally:
            shutil.rmtree(clean, ignore_errors=True)
    is_same = rebuilt["content_digest"] == manifest["content_digest"]
    return RebuildResult(
        release_id=release.id,
        rebuilt_id=rebuilt["release_id"],
        content_digest=manifest["content_digest"],
        rebuilt_digest=rebuilt["content_digest"],
        notes=tuple(_notes(settings, manifest)),
        differences=[] if is_same else stages.stage_differences(manifest, rebuilt),
    )


def _previous(store: releases.Store, release: releases.Release) -> releases.Release | None:
    """The release whose weights a release kept, or what was reissued of it with other pages."""
    name = (release.manifest.get("evaluation") or {}).get("previous")
    if name is None:
        return None
    content = release.manifest["forward_test"]["content_digest"]
    kept = [one for one in store.list() if one.manifest["content_digest"] == content]
    if not kept:
        raise DataError(
            f"{release.id} kept the weights of {name}, which is not in {store.root}: pull it from "
            f"a mirror or a backup; `matinee run --as-of {_last_day(release.manifest)} "
            f"--full-evaluation` makes a release of that day that needs no other"
        )
    found = next((one for one in kept if one.id == name), kept[0])
    store.verify(found.id)
    return found


def _insights(store: releases.Store, release: releases.Release) -> carry.Plan | None:
    """Where the weekly results of a release come from; None in releases without any.

    Results that were carried are carried from the release itself, which has them as they were.
    """
    facts = release.manifest.get("insights")
    if facts is None:
        return None
    because = f"as the release that is rebuilt: {facts['because']}"
    if facts["is_carried"]:
        return carry.Plan(because, carry.of_release(release), is_carried=True)
    if facts["content_digest"] is None:
        return carry.Plan(because, None, is_carried=False)
    kept = [
        one for one in store.list() if one.manifest["content_digest"] == facts["content_digest"]
    ]
    if not kept:
        raise DataError(
            f"the segments of {release.id} were matched with those of {facts['of_release']}, which "
            f"is not in {store.root}: pull it from a mirror or a backup"
        )
    store.verify(kept[0].id)
    return carry.Plan(because, carry.of_release(kept[0]), is_carried=False)


def _withdrawn_since(settings: Settings, release: releases.Release) -> int:
    """The number of members who refused a use of their data by the release after its night."""
    known = [entry["file"] for entry in release.manifest["inputs"]]
    refused = consent.refused_since(settings, known)
    trained_on = set(release.table(reissue.MEMBERS)[MEMBER_ID].to_pylist())
    insights = {one for one, purpose in refused if purpose == consent.INSIGHTS}
    personalisation = {one for one, purpose in refused if purpose == consent.PERSONALISATION}
    return len(insights | personalisation & trained_on)


def collect_inputs(home: Path, clean: Path, inputs: list[dict[str, Any]]) -> None:
    """Copy the landing files of a manifest into another home, and check their hashes."""
    ledger = landing.read_ledger(home).entries
    for entry in inputs:
        source = home / "landing" / entry["file"]
        known = ledger.get(entry["file"])
        if known and known.status == "dropped":
            raise DataError(
                f"{source} has expired ({known.reason}): the release cannot be rebuilt; a release "
                f"of a later night can"
            )
        target = clean / "landing" / entry["file"]
        with files.storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                found = _copied(home / "landing", entry["file"], target)
            except FileNotFoundError:
                raise IntegrityError(
                    f"{source} is missing, which is an input of the release: restore it from a "
                    f"backup"
                ) from None
            except durable.NotPlainError as error:
                raise IntegrityError(
                    f"{source} is {error}: the release was made from it; put a copy in its place"
                ) from None
        if found != entry["sha256"]:
            if known and entry["sha256"] in known.past_sha256:
                raise IntegrityError(
                    f"{source} had members erased from it since: the release cannot be rebuilt; a "
                    f"later one can"
                )
            raise IntegrityError(
                f"{source} has sha256 {found[:12]} and had {entry['sha256'][:12]} when the "
                f"release was built: restore it from a backup"
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


def _settings_of(settings: Settings, manifest: Manifest, clean: Path) -> Settings:
    """The settings of that night that can change the content, as recorded in the manifest."""
    recorded = manifest.get("settings", {})
    seed = manifest["determinism"]["seed"]
    return settings.model_copy(
        update={**recorded, "seed": seed, "home": clean, "warm_start": False}
    )


def _run(
    settings: Settings,
    release: releases.Release,
    previous: releases.Release | None,
    insights: carry.Plan | None,
    progress: Reporter,
) -> Manifest:
    """Run the night again and return the manifest of its release."""
    manifest = release.manifest
    first = manifest.get("validation", {}).get("histograms_of")
    try:
        published = run(
            settings,
            last_day=_last_day(manifest),
            full_refresh=False,
            progress=progress,
            accepted=frozenset(manifest.get("validation", {}).get("accepted", [])),
            published_histograms=(first, release.json(HISTOGRAMS)) if first else None,
            full_evaluation=previous is None,
            pinned=previous,
            pinned_insights=insights,
        )
    except RefusedError as error:
        raise IntegrityError(
            f"the rebuild of {manifest['release_id']} was stopped, but its night was not: {error}"
        ) from error
    return releases.Store.of(settings.home).open(published.release_id).manifest


def _last_day(manifest: Manifest) -> date:
    return datetime.fromisoformat(manifest["as_of"]).date() - timedelta(days=1)


def _notes(settings: Settings, manifest: Manifest) -> list[str]:
    """Possible causes of a difference, one sentence each."""
    was, now = manifest.get("code", {}), build_info.code(settings.project)
    notes = []
    if was.get("commit") != now["commit"]:
        notes.append(f"built by commit {_short(was)}, rebuilt by {_short(now)}")
    notes += [
        f"the code of the {build} had uncommitted changes"
        for build, code in (("release", was), ("rebuild", now))
        if code.get("dirty")
    ]
    before, after = manifest.get("environment", {}), build_info.environment()
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
