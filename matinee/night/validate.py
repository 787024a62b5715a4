"""Validates the tables of each step, and stops the night on a breach.

The tables are those of the warehouse, the frame, and the slates. A night that its data stops leaves
no release, but a page of all that was found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from matinee import landing, releases, report, transform, validation, warehouse
from matinee.errors import ExpectationError, MatineeError
from matinee.night.frame import PUBLISHED
from matinee.night.night import Night
from matinee.night.scorer import RELEASE
from matinee.progress import Progress
from matinee.provenance import document

FRAME = ("frame_member_features", "frame_signals", "frame_title_features")

SLATES = ("slates",)

HISTOGRAMS = "validation/distributions.json"
WEEK = ("first_day", "last_day", "minimum_members")
"""What tells of which week, and of which members, histograms are."""

STOPPED = "stopped"
"""The state of a night that a breach stopped, and the severity of such a breach."""


def validate(night: Night, progress: Progress | None = None) -> validation.Validation:
    """Validate the logs and features of the night, and compare them with the live release.

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
    """Whether the volume of the same files was accepted before, for a release that is kept.

    So an acceptance stays valid for later nights, until the files change.
    """
    broken = {one.table for one in found.stops if one.accepts == validation.VOLUME}
    folders = tuple(f"{table.split('__')[-1]}/dt={night.last_day}/" for table in broken)
    landed = {
        entry.file: {entry.sha256, *entry.past_sha256}
        for entry in landing.read_ledger(night.home).received
        if entry.file.startswith(folders)
    }

    def is_the_same(inputs: Sequence[Mapping[str, Any]]) -> bool:
        inputs_used = {
            one["file"]: one["sha256"] for one in inputs if one["file"].startswith(folders)
        }
        return inputs_used.keys() == landed.keys() and all(
            inputs_used[file] in landed[file] for file in inputs_used
        )

    return bool(landed) and any(
        is_the_same(release.manifest["inputs"])
        for release in releases.Store.of(night.settings.home).list()
        if validation.VOLUME in release.manifest.get("validation", {}).get("accepted", [])
    )


def validate_frame(night: Night) -> validation.Validation:
    """Validate the training frame of the published model."""
    folder = night.work(PUBLISHED)
    files = {name: folder / f"{name.removeprefix('frame_')}.parquet" for name in FRAME}
    return _check(night, validation.load_suites(night.settings.project, FRAME), files)


def validate_slates(night: Night) -> validation.Validation:
    """Validate all slates before they are published."""
    suites = validation.load_suites(night.settings.project, SLATES)
    return _check(night, suites, {"slates": night.work(RELEASE) / "slates"})


def published_histograms(night: Night) -> tuple[Mapping[str, Any], str | None]:
    """What a release says of the week, and the release that said so first, if it is not this one.

    The first release of a day decides: the difference of two would be what one member did, when
    that member is erased, or lands late, between them.
    """
    fresh = histograms(night)
    if night.published_histograms is not None:
        name, document = night.published_histograms
        return document, name
    store = releases.Store.of(night.settings.home)
    for release in reversed(store.list()):
        try:
            if datetime.fromisoformat(release.manifest["as_of"]) != night.as_of:
                continue
            store.verify(release.id)
            document = release.json(HISTOGRAMS)
        except MatineeError:  # not of ours, or from before there were any
            continue
        if [document.get(name) for name in WEEK] == [fresh[name] for name in WEEK]:
            return document, release.id
    return fresh, None


def histograms(night: Night) -> dict[str, Any]:
    """What members did in the last week, by device, country, hour, genre and so on."""
    last_day = night.as_of.date() - timedelta(days=1)
    query_parameters = {
        "first_day": last_day - timedelta(days=validation.DAYS - 1),
        "last_day": last_day,
        "least": transform.project_vars(night.settings.project)["minimum_cell_members"],
    }
    with warehouse.connect(night.home):  # opened once for all
        distributions = {
            one.name: _histogram(night, one, query_parameters) for one in validation.DISTRIBUTIONS
        }
    return {
        **{name: str(day) for name, day in query_parameters.items() if name != "least"},
        "minimum_members": query_parameters["least"],
        "distributions": distributions,
    }


def results(found: validation.Validation) -> list[dict[str, Any]]:
    """Every result as a release holds it; those that stopped the night have severity `stopped`."""
    everything = [*found.as_dict()["results"], *found.facts()["drift"]["results"]]
    if not found.stops:  # a critical one that is published was accepted
        return everything
    return [
        one | {"severity": STOPPED} if one["severity"] == "critical" else one for one in everything
    ]


def history(night: Night) -> list[dict[str, Any]]:
    """How the checks of each table ended on the nights before, oldest first: as_of, tables.

    A night that was stopped is among them, beside the release of its day if there is one.
    """
    found = [
        (release.manifest, report.validation_results(release.path, release.manifest))
        for release in releases.Store.of(night.settings.home).list()[: report.HISTORY - 1]
    ]
    for path in night.settings.folder("reports").glob(f"{STOPPED}-*.json"):
        stopped = document(path.read_bytes(), path, "remove it")
        found.append((stopped, stopped["results"]))
    nights = [
        (datetime.fromisoformat(facts["as_of"]), facts["created_at"], report.states(results))
        for facts, results in found
        if results and datetime.fromisoformat(facts["as_of"]) <= night.as_of
    ]
    nights.sort(key=lambda one: one[:2])
    return [{"as_of": as_of, "tables": tables} for as_of, _, tables in nights[1 - report.HISTORY :]]


def _histogram(
    night: Night, one: validation.Distribution, query_parameters: Mapping[str, object]
) -> dict[str, int]:
    rows = warehouse.query(one.sql, query_parameters, home=night.home).to_pylist()
    return {row["value"]: row["row_count"] for row in rows}


def drift(
    night: Night, tonight: Mapping[str, Mapping[str, int]]
) -> tuple[str, tuple[validation.Checked, ...]]:
    """A sentence on what the night was compared with, and the checks."""
    store = releases.Store.of(night.settings.home)
    live = store.aliases().live
    if live is None:
        return validation.NOT_COMPARED, ()
    try:
        before = store.open(live.release_id).json(HISTOGRAMS)
    except MatineeError as error:
        return f"no verdict: {error}", ()
    checks = validation.compare(tonight, before["distributions"])
    if not checks:
        return f"too few rows in a week to compare with {live.release_id}: no verdict", ()
    far = sum(not one.success for one in checks)
    compared = f"{len(checks)} distributions are far from those of {live.release_id}"
    return f"{far} of {compared}", checks


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


def stop_on_breach(night: Night, found: validation.Validation) -> None:
    """Stop the night on a breach that is not accepted, and write a page of all results.

    Raises
    ------
    ExpectationError
        Names the first breach, what to do, and where the page is.
    """
    try:
        found.raise_if_stopped()
    except ExpectationError as error:
        raise ExpectationError(f"{error}. All that was found is in {_left(night, found)}") from None


def _left(night: Night, found: validation.Validation) -> Path:
    """The page of the night that was stopped last; its results are kept for pages to come."""
    folder = night.settings.folder("reports")
    found_results = results(found)
    page = report.stopped(
        found_results,
        day=str(night.last_day),
        as_of=night.as_of,
        nights=history(night),
        drift=found.drift_verdict,
    )
    kept = {"as_of": night.as_of, "created_at": night.started_at, "results": found_results}
    text = json.dumps(kept, default=datetime.isoformat)
    (folder / f"{STOPPED}-{night.last_day}.json").write_text(text, encoding="utf-8")
    path = folder / f"{STOPPED}.html"
    path.write_text(page, encoding="utf-8")
    return path
