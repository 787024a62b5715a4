"""Puts a release together from what the steps left, publishes it, and names it live or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import releases, report, warehouse
from matinee.columns import MEMBER_ID
from matinee.errors import GateError
from matinee.models import feature_families
from matinee.night import evaluate, scorer, validate
from matinee.night.frame import PUBLISHED, read_frame
from matinee.night.manifest import Evidence, manifest, metrics_table, query
from matinee.night.night import Night
from matinee.slates import ai_labels

MARTS = {
    "artwork": ("asset_performance_daily",),
    "insights": ("daypart_trends_daily", "genre_trends_daily", "search_gaps_daily"),
    "retention": ("churn_daily",),
}
"""Aggregates that leave the warehouse; each cell is of `minimum_cell_members` or more."""

TITLES = """
    select
        title_id, name, title_kind, released_on, language, countries, genres, themes, directors,
        actors, minimum_age, ai_use, ai_disclosure, is_retired
    from titles
    order by title_id
"""


@dataclass(frozen=True)
class Published:
    """The result of the night."""

    release_id: str
    path: Path
    refusals: tuple[str, ...]
    """One sentence for each rule of the gate that failed."""
    note: str
    """What happened, in one sentence."""

    def card(self) -> str:
        """The model card."""
        return (self.path / "card.md").read_text(encoding="utf-8")

    def raise_if_refused(self) -> None:
        """Turn a refusal into exit code 3; the release stays on the disk, live is untouched."""
        if self.refusals:
            raise GateError(
                f"release {self.release_id} is refused: {'; '.join(self.refusals)}. "
                f"Live is untouched. Look at {self.path / 'report.html'}, then mend the cause or "
                f"`matinee releases promote {self.release_id} --override RULE --by WHO --why TEXT`"
            )


def publish(night: Night, evidence: Evidence) -> Published:
    """Write, hash, sign and name the release; promote it, or keep it as candidate."""
    store = releases.Store.of(night.settings.home)
    store.sweep()
    with warehouse.connect(night.home), store.draft() as draft:  # opened once for all queries
        fields = manifest(night, evidence)
        histograms, first = validate.published_histograms(night)
        fields["validation"] |= {"histograms_of": first}
        _fill(night, evidence, histograms, draft.path)
        _plot(fields, draft.path)
        release_id = draft.release_id(night.started_at)
        for name, text in report.draw(draft.path, {**fields, "release_id": release_id}).items():
            (draft.path / name).write_text(text, encoding="utf-8")
        release = store.publish(draft, fields)
    refusals = tuple(verdict.text for verdict in evidence.verdicts if not verdict.passed)
    note = _name(store, release, night, refusals)
    if night.settings.keep_days and not refusals:
        store.gc(night.settings.keep_days, at=night.started_at, by="night", why="keep_days")
    return Published(release.id, release.path, refusals, note)


def _fill(night: Night, evidence: Evidence, histograms: Mapping[str, Any], folder: Path) -> None:
    """Everything whose content is part of the digest."""
    for part in night.work(scorer.RELEASE).iterdir():
        shutil.move(part, folder / part.name)
    model = night.work(f"fit-{PUBLISHED}")
    for name in ("member_embeddings", "title_embeddings"):
        shutil.copy(model / f"{name}.npy", folder / "model" / f"{name}.npy")
    shutil.copy(model / "hyperparameters.json", folder / "hyperparameters.json")

    frame = read_frame(night.work(PUBLISHED))
    described = feature_families.described(frame)
    tables = {
        "vocabulary/members": pa.table({MEMBER_ID: frame.members.ids}),
        "vocabulary/titles": query(TITLES, night),
        "vocabulary/member_features": _names(described.members),
        "vocabulary/title_features": _names(described.titles),
        "evaluation/metrics": metrics_table(evidence.evaluation),
        "artwork/assets": ai_labels.approved(query(evaluate.ARTWORK, night)),
    }
    tables |= {
        f"{part}/{name}": warehouse.table(name, home=night.home)
        for part, names in MARTS.items()
        for name in names
    }
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(table, path, **releases.PARQUET)
    documents: dict[str, Any] = {
        "evaluation/gate": [verdict.facts() for verdict in evidence.verdicts],
        "exposure/exposure": evidence.exposure(),
        "validation/results": evidence.validation.as_dict(),
        "validation/distributions": histograms,
    }
    for name, document in documents.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _plot(fields: Mapping[str, Any], folder: Path) -> None:
    """The charts of the model card: of this night's numbers only, so part of the digest."""
    (folder / report.PLOTS).mkdir()
    for name, (_, text) in report.plots(fields).items():
        (folder / name).write_text(text, encoding="utf-8")


def _name(
    store: releases.Store, release: releases.Release, night: Night, refusals: tuple[str, ...]
) -> str:
    """Move `live` or `candidate` to the release, unless it is an old one that comes again."""
    names = store.aliases()
    if names.live and names.live.release_id == release.id:
        return f"nothing new: {release.id} is live and holds the same content"
    # One that never had a name is new, or was published by a night that died before it named it.
    if release.id in store.audited_ids():
        return (
            f"nothing new: {release.id} holds the same content and is not live, "
            f"as was decided before; `matinee releases promote {release.id}` makes it live"
        )
    live = names.live.release_id if names.live else None
    served = store.open(live).manifest["as_of"] if live else ""
    is_older = datetime.fromisoformat(served or release.manifest["as_of"]) > night.as_of
    newer = f"live is as of {served[:10]}, which is newer"
    if refusals and is_older:
        return f"{release.id} is refused, and no candidate: {newer}"
    if refusals:
        store.nominate(release.id, at=night.started_at, by="night", why="; ".join(refusals))
        return f"{release.id} is refused and kept as candidate"
    if is_older:
        return (
            f"{release.id} is published and not live: {newer}; "
            f"`matinee releases promote {release.id}` makes it live all the same"
        )
    store.promote(release.id, expected=live, at=night.started_at, by="night", why="the gate held")
    return f"{release.id} is live"


def _names(described: Any) -> pa.Table:
    return pa.table({"name": list(described.names), "family": list(described.families)})
