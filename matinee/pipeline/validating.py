"""Holds each step's tables to their expectations: the warehouse, the frame, and the slates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from matinee import landing, releases, transform, validation, warehouse
from matinee.errors import MatineeError
from matinee.pipeline import reading
from matinee.pipeline.frames import PUBLISHED
from matinee.pipeline.night import Night, Progress
from matinee.pipeline.scoring import RELEASE
from matinee.provenance import document

FRAME = ("frame_member_features", "frame_signals", "frame_title_features")
SLATES = ("slates",)

HISTORY = 14

STOPPED = "stopped"
"""How a night is called that its data stopped, and the severity of what can do so."""


def validate(night: Night, progress: Progress | None = None) -> validation.Validation:
    """Hold the night's logs and features to their suites, and set them beside the live release's.

    The caller decides when to stop.
    """
    suites = validation.load_suites(night.settings.project)
    tables = {name: suite for name, suite in suites.items() if name not in FRAME + SLATES}
    found = _check(night, tables, {}, progress)
    verdict, checks = drift(night, histograms(night)["distributions"])
    standing = {validation.VOLUME} if _volume_was_accepted(night, found) else set()
    return validation.Validation(
        found.results,
        drift=checks,
        drift_verdict=verdict,
        accepted=night.accepted | standing,
    )


def _volume_was_accepted(night: Night, found: validation.Validation) -> bool:
    """Whether somebody accepted the volume of the very same files before, for a kept release.

    So the word of an operator holds for the hours and nights after, until something else lands.
    """
    broken = {one.table for one in found.stops if one.accepts == validation.VOLUME}
    folders = tuple(f"{table.split('__')[-1]}/dt={night.last_day}/" for table in broken)
    landed = {
        entry.file: {entry.sha256, *entry.past_sha256}
        for entry in landing.read_ledger(night.home).received
        if entry.file.startswith(folders)
    }

    def is_the_same(inputs: Sequence[Mapping[str, Any]]) -> bool:
        told = {one["file"]: one["sha256"] for one in inputs if one["file"].startswith(folders)}
        return told.keys() == landed.keys() and all(told[file] in landed[file] for file in told)

    return bool(landed) and any(
        is_the_same(release.manifest["inputs"])
        for release in reading.store(night.settings).list()
        if validation.VOLUME in release.manifest.get("validation", {}).get("accepted", [])
    )


def validate_frame(night: Night) -> validation.Validation:
    """Hold what the published model learns from to its suites."""
    folder = night.work(PUBLISHED)
    files = {name: folder / f"{name.removeprefix('frame_')}.parquet" for name in FRAME}
    return _check(night, _suites(night, FRAME), files)


def validate_slates(night: Night) -> validation.Validation:
    """Hold every member's slate to its suite, before it is published."""
    return _check(night, _suites(night, SLATES), {"slates": night.work(RELEASE) / "slates"})


def histograms(night: Night) -> dict[str, Any]:
    """What members did in the last week, by device, country, hour, genre and so on."""
    last_day = night.as_of.date() - timedelta(days=1)
    asked = {
        "first_day": last_day - timedelta(days=validation.DAYS - 1),
        "last_day": last_day,
        "least": transform.project_vars(night.settings.project)["minimum_cell_members"],
    }
    return {
        **{name: str(day) for name, day in asked.items() if name != "least"},
        "minimum_members": asked["least"],
        "distributions": {
            one.name: _histogram(night, one, asked) for one in validation.DISTRIBUTIONS
        },
    }


def rows(found: validation.Validation) -> list[dict[str, Any]]:
    """Every expectation as the page shows it."""
    return [
        {
            "table": one.table,
            "expectation": one.kind,
            "column": one.column,
            "severity": one.severity,
            "success": one.success,
            "observed": one.observed,
            "notes": one.notes,
            "description": one.rule.get("description"),
        }
        for one in found.everything
    ]


def history(
    store: releases.Store, night: Night, tonight: validation.Validation
) -> list[dict[str, Any]]:
    """Every expectation of the last nights and of tonight, oldest first: the grid of the page.

    A night that was stopped is among them, beside the release of its day if there is one.
    """
    nights = []
    for release in store.list()[: HISTORY - 1]:
        try:
            told = release.json("validation/results.json")
        except MatineeError:
            continue  # a release of before there were results
        facts = {name: release.manifest[name] for name in ("as_of", "created_at")}
        nights.append(facts | {"results": told["results"]})
    for path in night.settings.folder("reports").glob(f"{STOPPED}-*.json"):
        nights.append(document(path.read_bytes(), path, "remove it"))
    nights.sort(key=lambda one: datetime.fromisoformat(one["created_at"]))
    results = tonight.as_dict()["results"]
    if tonight.stops:  # a critical one that is published was accepted
        results = [
            one | {"severity": STOPPED} if one["severity"] == "critical" else one for one in results
        ]
    return [*nights[1 - HISTORY :], {"as_of": night.as_of, "results": results}]


def _histogram(
    night: Night, one: validation.Distribution, asked: Mapping[str, object]
) -> dict[str, int]:
    rows = warehouse.query(one.sql, asked, home=night.home).to_pylist()
    return {row["value"]: row["row_count"] for row in rows}


def drift(
    night: Night, tonight: Mapping[str, Mapping[str, int]]
) -> tuple[str, tuple[validation.Checked, ...]]:
    """What the night was compared with, in words, and what came of it."""
    store = reading.store(night.settings)
    live = store.aliases().live
    if live is None:
        return validation.NOT_COMPARED, ()
    try:
        before = store.open(live.release_id).json("validation/distributions.json")
    except MatineeError as error:
        return f"no verdict: {error}", ()
    checks = validation.compare(tonight, before["distributions"])
    if not checks:
        return f"too few rows in a week to compare with {live.release_id}: no verdict", ()
    far = sum(not one.success for one in checks)
    compared = f"{len(checks)} distributions are far from those of {live.release_id}"
    return f"{far} of {compared}", checks


def _suites(night: Night, names: tuple[str, ...]) -> dict[str, Any]:
    suites = validation.load_suites(night.settings.project)
    return {name: suites[name] for name in names}


def _check(
    night: Night,
    suites: Mapping[str, Any],
    files: Mapping[str, Path],
    progress: Progress | None = None,
) -> validation.Validation:
    found = validation.check_all(
        suites,
        database=warehouse.path(night.home),
        as_of=night.as_of,
        files=files,
        progress=progress,
    )
    if any("Query interrupted" in (one.error or "") for one in found.results):
        raise KeyboardInterrupt  # of which Great Expectations made a finding
    return validation.Validation(found.results, accepted=night.accepted)
