"""Compares two manifests by stage of the night, to find where a rebuild first differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]
"""A manifest, or its `stages` section."""

FOLDERS = {
    "validation": ("validation",),
    "frames": (),
    "model": ("vocabulary", "model", "hyperparameters.json"),
    "evaluation": ("evaluation",),
    "slates": ("slates", "rows", "similar", "reasons", "exposure"),
}
"""Stage -> its files in a release, in the order of the night."""


@dataclass(frozen=True)
class StageDifference:
    """One value that differs between two releases."""

    stage: str
    name: str
    before: str | None
    after: str | None


def stage_differences(before: Manifest, after: Manifest) -> list[StageDifference]:
    """All differences between two manifests, the first stage first."""
    old, new = _stages(before), _stages(after)
    return [
        StageDifference(stage, name, _text(was.get(name)), _text(now.get(name)))
        for stage, was in old.items()
        for now in (new[stage],)
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]


def _stages(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """The values of a manifest by stage of the night; empty where an old manifest has none."""
    recorded = manifest.get("stages", {})
    left = {
        record["file"]: record["content_sha256"]
        for record in manifest["files"]
        if record["content_sha256"]
    }
    files = {
        stage: {name: left.pop(name) for name in sorted(left) if name.split("/")[0] in folders}
        for stage, folders in FOLDERS.items()
    }
    return {
        "received rows": {
            entry["file"]: [entry["rows"], entry["rejected"]] for entry in manifest["inputs"]
        }
        | {f"all {row['stream']}": row for row in manifest.get("received", [])},
        "warehouse": dict(recorded.get("features", {})) | left,  # the aggregates are marts too
        **files,
        "frames": dict(recorded.get("frames", {})),
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
