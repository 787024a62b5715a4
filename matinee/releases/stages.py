"""What each stage of a night came to, by hash: so that a rebuild can say where it parted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]
"""Name -> what a stage says of it; equal where nothing differs."""

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
    """One thing of which two releases say something else."""

    stage: str
    name: str
    before: str | None
    after: str | None


def stage_differences(before: Manifest, after: Manifest) -> list[StageDifference]:
    """Everything that two manifests say differently of a stage, the first stage first."""
    old, new = _stages(before), _stages(after)
    return [
        StageDifference(stage, name, _text(was.get(name)), _text(now.get(name)))
        for stage, was in old.items()
        for now in (new[stage],)
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]


def _stages(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """A manifest, sorted into the stages of the night; what an old one lacks stays empty."""
    told = manifest.get("stages", {})
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
        "warehouse": dict(told.get("features", {})) | left,  # the aggregates are marts too
        **files,
        "frames": dict(told.get("frames", {})),
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
