"""Access to data: the export and the statement of one member, and the public parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from matinee import landing, releases, warehouse
from matinee.columns import MEMBER_ID, SOURCE
from matinee.errors import DataError, IntegrityError, RefusedError
from matinee.models.feature_families import MEMBER_FAMILIES, TITLE_FAMILIES
from matinee.privacy import Traces
from matinee.releases import Release
from matinee.rights import consent
from matinee.settings import Settings
from matinee.slates.sources import Source

Row = dict[str, Any]

MARTS = "dbt_project/models/marts"

USE_OF_SOURCE = {
    Source.HYBRID: "their list was ordered by a model trained on their interactions",
    Source.COLD_MEMBER: ("their list was ordered by their profile, without any interactions"),
    Source.POPULAR: (
        "their list was the popular titles of their country, without those they have watched"
    ),
    Source.NON_PROFILED: (
        "their list was the non-profiled list of their country: no data about them was used"
    ),
}


PROFILES = ("insights/segment_members.parquet", "retention/churn.parquet")
"""Files of a release that have a row for each of some members."""


def export(settings: Settings, member_id: str) -> dict[str, Any]:
    """All data about a member; each column with its purposes and its days until expiry.

    Raises
    ------
    DataError
        If there is no data about the member.
    """
    home = settings.home.resolve()
    contract = landing.load(settings.project)
    streams = {}
    for name, stream in contract.streams.items():
        rows = _received(home, name, member_id)
        broken = _rejected(home, name, member_id)
        if rows or broken:
            streams[name] = {
                "description": stream.description,
                "columns": {
                    column.name: {
                        "description": column.description,
                        "personal_data": column.pii,
                        "used_for": list(column.purpose),
                        "kept_days": column.retention_days,
                    }
                    for column in stream.columns
                },
                "rows": rows,
                "rows_that_broke_the_contract": broken,
            }
    tables = {
        name: {"used_for": use, "rows": _table(home, name, member_id)}
        for name, use in _marts(settings.project).items()
    }
    data = {
        "member_id": member_id,
        "choices_now": {
            purpose: "refused" if withdrawn else "not refused"
            for purpose, withdrawn in _withdrawn(settings, member_id).items()
        },
        "received": streams,
        "derived": {name: table for name, table in tables.items() if table["rows"]},
        "shown_now": _shown_now(settings, member_id),
        "published": {
            release.id: {
                "list": shown,
                "why": _reasons(release, member_id),
                "profiles": _profiles(release, member_id),
            }
            for release in releases.Store.of(settings.home).list()
            if (shown := release.slate(member_id).to_pylist())
        },
    }
    if not (data["received"] or data["derived"] or data["published"]):
        raise no_data(member_id)
    return data


def no_data(member_id: str) -> DataError:
    """The error of an id that nothing is known of."""
    return DataError(f"no data about member {member_id!r}: check the id")


def require_data(settings: Settings, member_id: str) -> None:
    """Refuse an id of which there is no data, in landing files that wait to be received either.

    Raises
    ------
    DataError
        If there is none.
    IntegrityError
        If the list of withdrawals is lost, and no landing file names the member.
    """
    home = settings.home.resolve()
    try:
        export(settings, member_id)
    except (DataError, IntegrityError):
        if landing.tombstones.is_named(home, landing.load(settings.project), member_id):
            return
        if not (home / "received").is_dir():  # before the first night there is no list either
            raise no_data(member_id) from None
        raise


def is_published(settings: Settings, member_id: str) -> bool:
    """Whether a kept release has a slate of a member, whose rows may have expired."""
    store = releases.Store.of(settings.home)
    return any(release.slate(member_id).num_rows for release in store.list())


def statement(settings: Settings, member_id: str) -> list[Row]:
    """Where a member's data was used: how many rows of which table, in which release, and why."""
    data = export(settings, member_id)
    rows: list[Row] = []
    for name, stream in data["received"].items():
        uses = sorted({use for column in stream["columns"].values() for use in column["used_for"]})
        count = len(stream["rows"]) + len(stream["rows_that_broke_the_contract"])
        rows.append(_row("received", name, count, f"{stream['description']} For {', '.join(uses)}"))
    for name, table in data["derived"].items():
        kind = "feature" if (settings.home / "features" / f"{name}.parquet").exists() else "table"
        rows.append(_row(kind, name, len(table["rows"]), table["used_for"]))
    for release_id, published in data["published"].items():
        release = releases.Store.of(settings.home).open(release_id)
        trained = pc.index(release.table("vocabulary/members.parquet")[MEMBER_ID], member_id)
        how = "in the training data; " if trained.as_py() >= 0 else "not in the training data; "
        source = published["list"][0][SOURCE]
        why = how + _use_of_source(source)
        if source != Source.NON_PROFILED.label and not consent.may_personalise(settings, member_id):
            why += "; they refused personalisation since and get the non-profiled list"
        rows.append(_row("release", release_id, len(published["list"]), why))
    return rows


def parameters(settings: Settings, name: str) -> dict[str, Any]:
    """The main parameters that order the lists of a release, from its manifest; public."""
    manifest = releases.Store.of(settings.home).open(name).manifest
    model, features = manifest["model"], manifest["features"]
    return {
        "release": manifest["release_id"],
        "as_of": manifest["as_of"],
        "learned_from": {
            "acts": model["interactions"],
            "members": model["members"],
            "half_life_days": model["recency_half_life_days"],
        },
        "in_the_order": {
            "parts": list(model.get("parts", ("hybrid",))),
            # Older releases have it in their settings: it was not chosen by the night then.
            "calibration_weight": model.get(
                "calibration_weight", manifest["settings"].get("calibration_weight")
            ),
        },
        "about_members": _weighted(model["member_feature_weights"], MEMBER_FAMILIES),
        "about_titles": _weighted(model["title_feature_weights"], TITLE_FAMILIES),
        "never_used": ["age", "gender", "what was typed into the search"],
        "features": {
            "service": features["service"],
            "views": list(features["views"]),
            "registry_sha256": features["registry_sha256"],
        },
        "without_personalisation": manifest["privacy"]["excluded_by_purpose"]["personalisation"],
        "who_never_answered": manifest["privacy"]["consent_without_record"],
        "how_to_say_no": "matinee consent MEMBER --purpose personalisation --refuse",
    }


def _weighted(weights: Mapping[str, float], columns: Mapping[str, str]) -> list[Row]:
    """Feature families by weight, largest first: family, registry column, relative weight."""
    ordered = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        {"parameter": family, "column": columns[family], "weight": weight}
        for family, weight in ordered
    ]


def _row(kind: str, name: str, rows: int, why: str) -> Row:
    return {"kind": kind, "name": name, "rows": rows, "why": " ".join(why.split())}


def _received(home: Path, stream: str, member_id: str) -> list[Row]:
    rows: list[Row] = []
    for path in sorted((home / "received" / stream).glob("batch=*/*.parquet")):
        if MEMBER_ID in pq.read_schema(path).names:
            rows += pq.read_table(path, filters=[(MEMBER_ID, "=", member_id)]).to_pylist()
    return rows


def _rejected(home: Path, stream: str, member_id: str) -> list[Row]:
    """Rejected rows that name the member; of a replayed row the newest."""
    traces = Traces.of([member_id])
    rows: list[Row] = []
    for path in sorted((home / "received" / f"rejected_{stream}").glob("batch=*/*.parquet")):
        table = pq.read_table(path)
        named = landing.mask_of(home, path)(table, traces)
        rows += table.filter(pa.array(named)).to_pylist()
    return rows


def _table(home: Path, name: str, member_id: str) -> list[Row]:
    try:
        rows = warehouse.query(f"select * from {name} where member_id = ?", [member_id], home=home)
    except DataError:  # not built yet
        return []
    result: list[Row] = rows.to_pylist()
    return result


def _marts(project: Path) -> dict[str, str]:
    """Every mart that has a member id, with its description."""
    marts = {}
    for path in sorted((project / MARTS).glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            if MEMBER_ID in {column["name"] for column in model.get("columns", [])}:
                marts[str(model["name"])] = str(model["description"])
    return marts


def _reasons(release: Release, member_id: str) -> list[Row]:
    names = [one["file"] for one in release.manifest["files"] if one["file"].startswith("reasons/")]
    return [
        row
        for name in names
        for row in pq.read_table(
            release.path / name, filters=[(MEMBER_ID, "=", member_id)]
        ).to_pylist()
    ]


def _profiles(release: Release, member_id: str) -> dict[str, list[Row]]:
    """What the insights of a release say of a member, by file."""
    found = {
        name: pq.read_table(path, filters=[(MEMBER_ID, "=", member_id)]).to_pylist()
        for name in PROFILES
        if (path := release.path / name).is_file()
    }
    return {name: rows for name, rows in found.items() if rows}


def _shown_now(settings: Settings, member_id: str) -> list[Row]:
    live = releases.Store.of(settings.home).live()
    try:
        rows: list[Row] = consent.slate(settings, live, member_id).to_pylist() if live else []
    except RefusedError:  # the release has no list that they may be shown
        return []
    return rows


def _withdrawn(settings: Settings, member_id: str) -> dict[str, bool]:
    withdrawals = consent.read(settings)
    return {purpose: withdrawals.includes(member_id, purpose) for purpose in consent.PURPOSES}


def _use_of_source(source: str) -> str:
    """What a list of this source was made from; the source itself if it is no longer known."""
    return next((text for one, text in USE_OF_SOURCE.items() if one.label == source), source)
