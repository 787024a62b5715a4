"""The metrics of the last night and of live, as a file for Prometheus' textfile collector.

`metrics/matinee.prom` in the home is replaced after each night, a failed one too, so that an alert
on the age of live needs nothing else.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from matinee import durable, releases

PATH = "metrics/matinee.prom"

STATES = ("live", "not live", "refused", "failed", "busy", "interrupted", "crashed")
"""The values of the label `state`."""

EVERYONE, PUBLISHED = "everyone", "hybrid"
"""Cohort and model of the quality figures that are exported."""


def write(home: Path, record: Mapping[str, Any]) -> None:
    """Replace the file by the metrics after a night."""
    registry = CollectorRegistry()
    _of_night(registry, record)
    store = releases.Store.of(home)
    _gauge(registry, "releases", "Releases in the home.").set(len(store.list()))
    free = shutil.disk_usage(home).free
    _gauge(registry, "disk_free_bytes", "Free bytes of the disk of the home.").set(free)
    if live := store.live():
        _of_live(registry, live.manifest)
    path = home / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(path, generate_latest(registry))


def _of_night(registry: CollectorRegistry, record: Mapping[str, Any]) -> None:
    started = _gauge(registry, "night_started_timestamp_seconds", "Start of the last night.")
    started.set(_seconds(record["started_at"]))
    ended = _gauge(registry, "night_ended_timestamp_seconds", "End of the last night.")
    ended.set(_seconds(record["ended_at"]))
    _gauge(registry, "night_exit_code", "Exit code of the last night.").set(record["exit_code"])
    state = _gauge(registry, "night_state", "1 for how the last night ended.", "state")
    for name in STATES:
        state.labels(name).set(record["state"] == name)
    steps = _gauge(registry, "night_step_seconds", "Seconds of each step.", "step")
    for one in record["steps"]:
        steps.labels(one["step"]).set(one["seconds"])
    files = _gauge(registry, "night_set_aside_files", "Landing files that were not received.")
    files.set(len(record["set_aside"]))
    rules = _gauge(registry, "night_gate_rules", "Gate rules that did not pass.", "status")
    rules.labels("FAIL").set(len(record["failed_rules"]))
    rules.labels("WARN").set(len(record["warned_rules"]))


def _of_live(registry: CollectorRegistry, manifest: Mapping[str, Any]) -> None:
    for name, text in (
        ("created_at", "When the live release was made."),
        ("as_of", "The instant up to which live has data."),
    ):
        gauge = _gauge(registry, f"live_{name.removesuffix('_at')}_timestamp_seconds", text)
        gauge.set(_seconds(manifest[name]))
    rows = _gauge(registry, "live_rows", "Rows that live was made from.", "stream", "outcome")
    for one in manifest["received"]:
        for outcome in ("kept", "repeats", "rejected"):
            rows.labels(one["stream"], outcome).set(one[outcome])
    members = _gauge(registry, "live_members", "Members in the training data of live.")
    members.set(manifest["privacy"]["members_in"])
    figures = _gauge(registry, "live_evaluation", "Held-out figures of the lists.", "metric")
    for one in manifest["evaluation"]["metrics"]:
        if (one["model"], one["cohort"]) == (PUBLISHED, EVERYONE):
            figures.labels(one["metric"]).set(one["mean"])
    rules = _gauge(registry, "live_gate_rules", "Rules of the gate of live.", "status")
    counts = Counter(str(one.get("status")) for one in manifest["gate"]["rules"])
    for status in ("PASS", "WARN", "FAIL"):
        rules.labels(status).set(counts[status])


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"matinee_{name}", text, labels, registry=registry)


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
