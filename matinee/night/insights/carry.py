"""Whether a night carries the results that an earlier release or the weekly flow computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee import landing, provenance, releases
from matinee.errors import MatineeError
from matinee.night.insights.inputs import closed_until
from matinee.night.night import Night
from matinee.rights import consent

DOCUMENT = "insights/insights.json"
"""When the results were computed, of which weeks, and a few facts of each analysis."""

FOLDER = "insights"
"""Under the home: what the weekly flow leaves to the next night, in a folder of the form of a
release. Erasing a member removes it whole."""

ORIGIN = "origin.json"
"""Beside the results of the weekly flow: the choices and erasures that they obey."""


@dataclass(frozen=True)
class Before:
    """Results that exist already."""

    path: Path
    """A folder in which they have the names that they have in a release."""

    facts: Mapping[str, Any]
    """The content of `DOCUMENT`."""

    known: tuple[str, ...]
    """The landing files of consent choices that they obey."""

    erased_through: str | None
    """The newest tombstone when they were computed."""

    release: releases.Release | None = None
    """None for those of the weekly flow."""


@dataclass(frozen=True)
class Plan:
    """Where tonight's results come from."""

    because: str
    before: Before | None
    """Results to carry, or to match the new segments with."""
    is_carried: bool


def plan(night: Night, files: Sequence[str], *, verified: releases.Release | None) -> Plan:
    """Carry the newest results, unless a week has closed, or someone in them has left since.

    Parameters
    ----------
    files : names of all files that the analyses write
    verified : Release, optional
        One that was verified tonight already.
    """
    before, why = _of_releases(night, verified)
    weekly = _of_flow(night)
    is_newer = weekly and (before is None or weekly.facts["until"] > before.facts["until"])
    if weekly and is_newer and not any(outdated(night, weekly, files)):
        return Plan(_source(weekly), weekly, is_carried=True)
    if before is None:
        return Plan(why, None, is_carried=False)
    because = next(outdated(night, before, files), None)
    return Plan(because or _source(before), before, is_carried=because is None)


def _source(before: Before) -> str:
    name = before.release.id if before.release else "the weekly flow"
    return f"of {before.facts['as_of'][:10]}, from {name}"


def _of_releases(night: Night, verified: releases.Release | None) -> tuple[Before | None, str]:
    """The results of the newest release of earlier data, or why there are none."""
    store = releases.Store.of(night.home)
    earlier = [
        (as_of, one.id, one)
        for one in store.list()
        if (as_of := datetime.fromisoformat(one.manifest["as_of"])) < night.as_of
        and "insights" in one.manifest
    ]
    if not earlier:
        return None, "no release of earlier data has results"
    release = max(earlier, key=lambda one: one[:2])[2]
    try:
        if verified is None or verified.id != release.id:
            store.verify(release.id)
        return of_release(release), ""
    except MatineeError as error:
        return None, f"the release before cannot be used: {error}"


def of_release(release: releases.Release) -> Before:
    """The results that a release has.

    Raises
    ------
    IntegrityError
        If the document is damaged.
    """
    return Before(
        release.path,
        release.json(DOCUMENT),
        tuple(entry["file"] for entry in release.manifest["inputs"]),
        (release.manifest.get("privacy") or {}).get("erased_through"),
        release,
    )


def _of_flow(night: Night) -> Before | None:
    """The newest results of the weekly flow that tonight may use."""
    until = closed_until(night).isoformat()
    folders = sorted((night.home / FOLDER).glob("????-??-??"))
    usable = [one for one in folders if one.name <= until and (one / DOCUMENT).is_file()]
    if not usable:
        return None
    path = usable[-1] / DOCUMENT
    facts = provenance.document(path.read_bytes(), path, f"remove {usable[-1]}")
    if datetime.fromisoformat(facts["as_of"]) > night.as_of:
        return None
    origin = provenance.document((path.parents[1] / ORIGIN).read_bytes(), path, "remove it")
    return Before(usable[-1], facts, tuple(origin["known"]), origin["erased_through"])


def outdated(night: Night, before: Before, files: Sequence[str]) -> Iterator[str]:
    """Reasons not to carry results."""
    until = closed_until(night).isoformat()
    if missing := [name for name in files if not (before.path / name).is_file()]:
        yield f"the results before have no {missing[0]}"
    if before.facts["until"] != until:
        yield f"the results before are of the weeks until {before.facts['until']}, now {until}"
    erased = before.release and (before.release.manifest.get("privacy") or {}).get("erased_members")
    if erased or before.erased_through != landing.tombstones.newest(night.home):
        yield "a member was erased since"
    refused = consent.refused_since(night.settings, before.known)
    if refused:
        yield "a member refused since"
