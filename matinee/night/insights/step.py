"""Leaves the weekly results under `work/release/`: carries those that exist, or computes them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from matinee import durable, landing, provenance, releases
from matinee.night import fit
from matinee.night.forward.released import Released
from matinee.night.frame import PUBLISHED
from matinee.night.insights.analyses import ANALYSES, FILES
from matinee.night.insights.carry import DOCUMENT, FOLDER, ORIGIN, Plan, of_release, outdated, plan
from matinee.night.insights.inputs import Inputs, Vectors, closed_until
from matinee.night.night import Night
from matinee.night.scorer import RELEASE


@dataclass(frozen=True)
class Insights:
    """Where the results of a release come from."""

    as_of: str
    """The end of the data that they were computed on."""
    until: str
    """The Monday after the newest week that they look at."""
    because: str
    """Why they were computed tonight, or which were carried."""
    is_carried: bool
    of_release: str | None
    """The release whose results were carried, or with whose segments the new ones were matched."""
    content_digest: str | None
    """Its content, for a rebuild."""

    @property
    def note(self) -> str:
        """One line for the operator."""
        return f"{'carried' if self.is_carried else 'computed'}: {self.because}"

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return dict(vars(self))


def insights(
    night: Night, *, verified: releases.Release | None = None, pinned: Plan | None = None
) -> Insights:
    """Carry or compute every analysis.

    Parameters
    ----------
    verified : Release, optional
        One that was verified tonight already.
    pinned : Plan, optional
        What a rebuild does, as its night did.
    """
    chosen = pinned or plan(night, FILES, verified=verified)
    folder, before = night.work(RELEASE), chosen.before
    if chosen.is_carried and before is not None:
        for name in (*FILES, DOCUMENT):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(before.path / name, folder / name)
        document = before.facts
    else:
        fitted = fit.load(night, PUBLISHED)
        vectors = Vectors(fitted.frame.titles, fitted.model.title_vectors(fitted.features.titles))
        previous = before.path if before else None
        document = compute(Inputs(night, vectors, folder, previous), folder)
    release = before.release if before else None
    return Insights(
        document["as_of"],
        document["until"],
        chosen.because,
        chosen.is_carried,
        release.id if release else None,
        release.manifest["content_digest"] if release else None,
    )


def compute(inputs: Inputs, folder: Path) -> Mapping[str, Any]:
    """Write the tables of every analysis below `folder`, and the document about them."""
    document: dict[str, Any] = {
        "as_of": inputs.night.as_of.isoformat(),
        "until": inputs.until.isoformat(),
    }
    for analysis in ANALYSES:
        result = analysis.compute(inputs)
        inputs.found.update(result.tables)
        for name in analysis.files:
            path = folder / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(result.tables[name], path, **releases.PARQUET)
        document[analysis.name] = dict(result.facts)
    (folder / DOCUMENT).parent.mkdir(parents=True, exist_ok=True)
    (folder / DOCUMENT).write_bytes(provenance.readable_json(document))
    return document


def compute_weekly(night: Night) -> date | None:
    """Leave the results of the newest closed weeks to the next night, with the live model.

    The caller holds the lease and has built the warehouse. None if there is no live release, or
    these weeks were computed already.
    """
    until = closed_until(night)
    final = night.home / FOLDER / until.isoformat()
    store = releases.Store.of(night.home)
    live = store.live()
    if live is None or final.exists():
        return None
    store.verify(live.id)
    before = of_release(live) if "insights" in live.manifest else None
    if before and not any(outdated(night, before, FILES)):
        return None
    released = Released.of(live)
    vectors = Vectors(released.titles, released.model.title_vectors(released.features.titles))
    draft = night.settings.folder(FOLDER) / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    known = [entry.file for entry in landing.read_ledger(night.home).received]
    origin = {
        "known": [name for name in known if name.startswith("consents/")],
        "erased_through": landing.tombstones.newest(night.home),
    }
    compute(Inputs(night, vectors, live.path, before.path if before else None), draft)
    (draft / ORIGIN).write_bytes(provenance.readable_json(origin))
    durable.sync_tree(draft)
    durable.rename(draft, final)
    for older in (night.home / FOLDER).glob("????-??-??"):
        if older != final:
            shutil.rmtree(older)
    return until
