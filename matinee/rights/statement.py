"""What is held of a member, what it was used for, and what decides what everyone is shown."""

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
from matinee.errors import DataError, RefusedError
from matinee.models.feature_families import MEMBER_FAMILIES, TITLE_FAMILIES
from matinee.privacy import Traces
from matinee.releases import Release
from matinee.rights import consent
from matinee.settings import Settings
from matinee.slates.sources import Source

Row = dict[str, Any]

MARTS = "dbt_project/models/marts"

USED_IN = {
    Source.HYBRID: "their list was ordered by a model that learned from what they did",
    Source.COLD_MEMBER: (
        "their list was ordered by what is known of them, without any interaction of theirs"
    ),
    Source.POPULAR: ("their list was what many watch where they are, without what they have seen"),
    Source.NON_PROFILED: (
        "their list was the one for all in their country: nothing about them was used"
    ),
}


def export(settings: Settings, member_id: str) -> dict[str, Any]:
    """Everything held of a member, each column with what it is used for and for how long.

    Raises
    ------
    DataError
        If nothing is held.
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
        name: {"used_for": why, "rows": _table(home, name, member_id)}
        for name, why in _marts(settings.project).items()
    }
    held = {
        "member_id": member_id,
        "choices_now": {
            purpose: "refused" if withdrawn else "not refused"
            for purpose, withdrawn in _withdrawn(settings, member_id).items()
        },
        "received": streams,
        "derived": {name: table for name, table in tables.items() if table["rows"]},
        "shown_now": _shown_now(settings, member_id),
        "published": {
            release.id: {"list": shown, "why": _reasons(release, member_id)}
            for release in releases.Store.of(settings.home).list()
            if (shown := release.slate(member_id).to_pylist())
        },
    }
    if not (held["received"] or held["derived"] or held["published"]):
        raise DataError(f"nothing is held of member {member_id!r}: check the id")
    return held


def statement(settings: Settings, member_id: str) -> list[Row]:
    """Where a member's data was used: how many rows of which table, in which release, and why."""
    held = export(settings, member_id)
    rows: list[Row] = []
    for name, stream in held["received"].items():
        uses = sorted({use for column in stream["columns"].values() for use in column["used_for"]})
        count = len(stream["rows"]) + len(stream["rows_that_broke_the_contract"])
        rows.append(_row("received", name, count, f"{stream['description']} For {', '.join(uses)}"))
    for name, table in held["derived"].items():
        kind = "feature" if (settings.home / "features" / f"{name}.parquet").exists() else "table"
        rows.append(_row(kind, name, len(table["rows"]), table["used_for"]))
    for release_id, published in held["published"].items():
        release = releases.Store.of(settings.home).open(release_id)
        trained = pc.index(release.table("vocabulary/members.parquet")[MEMBER_ID], member_id)
        how = "in the training data; " if trained.as_py() >= 0 else "not in the training data; "
        source = published["list"][0][SOURCE]
        why = how + _used_in(source)
        if source != Source.NON_PROFILED.label and not consent.may_personalise(settings, member_id):
            why += "; they refused since, and are shown the list for all"
        rows.append(_row("release", release_id, len(published["list"]), why))
    return rows


def parameters(settings: Settings, name: str) -> dict[str, Any]:
    """The main parameters of a release's lists, for everyone to read; from its manifest alone."""
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
            # Releases from before it was chosen by each night have it among their settings.
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
    """The heaviest first: what it is, its name in the registry, and its weight beside the id's."""
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
    """Rows that broke the contract and name the member; of a replayed one the newest."""
    wanted = Traces.of([member_id])
    rows: list[Row] = []
    for path in sorted((home / "received" / f"rejected_{stream}").glob("batch=*/*.parquet")):
        table = pq.read_table(path)
        texts = table["raw_text"].to_pylist()
        named = [wanted.in_text((text or "").encode()) for text in texts]
        rows += table.filter(pa.array(named, pa.bool_())).to_pylist()
    return rows


def _table(home: Path, name: str, member_id: str) -> list[Row]:
    try:
        rows = warehouse.query(f"select * from {name} where member_id = ?", [member_id], home=home)
    except DataError:  # not built yet
        return []
    found: list[Row] = rows.to_pylist()
    return found


def _marts(project: Path) -> dict[str, str]:
    """Every table for others to read that is about members, and the first sentence on it."""
    found = {}
    for path in sorted((project / MARTS).glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            if MEMBER_ID in {column["name"] for column in model.get("columns", [])}:
                found[str(model["name"])] = str(model["description"])
    return found


def _reasons(release: Release, member_id: str) -> list[Row]:
    held = [one["file"] for one in release.manifest["files"] if one["file"].startswith("reasons/")]
    return [
        row
        for name in held
        for row in pq.read_table(
            release.path / name, filters=[(MEMBER_ID, "=", member_id)]
        ).to_pylist()
    ]


def _shown_now(settings: Settings, member_id: str) -> list[Row]:
    live = releases.Store.of(settings.home).live()
    try:
        rows: list[Row] = consent.slate(settings, live, member_id).to_pylist() if live else []
    except RefusedError:  # the release holds no list that may be shown to them
        return []
    return rows


def _withdrawn(settings: Settings, member_id: str) -> dict[str, bool]:
    withdrawals = consent.read(settings)
    return {purpose: withdrawals.holds(member_id, purpose) for purpose in consent.PURPOSES}


def _used_in(source: str) -> str:
    """What a list of this source was made from; the source itself where it is an older one."""
    return next((text for one, text in USED_IN.items() if one.label == source), source)
