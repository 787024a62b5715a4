"""Lands the raw logs of a simulated service, and writes down the planted truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from matinee import durable, provenance
from matinee.errors import ConfigError
from matinee.landing import place, write
from matinee.landing.write import Format
from matinee.progress import Progress
from matinee.simulator import LandingDay, Simulation, describe

TRUTH = "simulator/truth.json"
"""Path of the planted truth under a home; no step of a night reads it."""

OLD_TRUTH = "landing/truth.json"
"""Where earlier versions wrote it."""

# Every format that the contract allows is used by at least one stream.
FORMATS: dict[str, Format] = {
    "plays": "jsonl.gz",
    "impressions": "jsonl.gz",
    "ratings": "jsonl.gz",
    "searches": "csv",
    "subscriptions": "jsonl",
    "consents": "jsonl",
    "privacy_requests": "jsonl",
    "titles": "parquet",
    "title_windows": "parquet",
    "assets": "parquet",
    "members": "parquet",
}


@dataclass(frozen=True)
class SimulationResult:
    """What `simulate` landed."""

    days_landed: int
    days_skipped: int
    rows: dict[str, int]
    """Stream -> rows landed by this call, broken lines included."""
    truth: Path

    def summary(self) -> str:
        if not self.days_landed:
            return f"{self.days_skipped} days exist already; nothing was landed"
        rows = ", ".join(f"{count:,} {stream}" for stream, count in sorted(self.rows.items()))
        skipped = f" ({self.days_skipped} exist already)" if self.days_skipped else ""
        return (
            f"landed {self.days_landed} days{skipped}: {rows}. Planted truth: {self.truth}. "
            "Results on simulated data are no evidence of quality."
        )


def simulate(
    home: Path,
    *,
    members: int,
    titles: int,
    days: int,
    seed: int,
    progress: Progress | None = None,
) -> SimulationResult:
    """Land `days` of a service of `members` and `titles`; existing days are not changed.

    Raises
    ------
    ConfigError
        If a number is too small, or `landing/` has logs that are not of this simulation.
    """
    for name, value, least in (("members", members, 1), ("titles", titles, 1), ("days", days, 1)):
        if value < least:
            raise ConfigError(f"--{name} must be at least {least}, got {value}")
    simulation = Simulation(members=members, titles=titles, days=days, seed=seed)
    parameters = {
        "members": members,
        "titles": titles,
        "seed": seed,
        "first_day": simulation.first_day.isoformat(),
    }
    path = home / TRUTH
    if (home / OLD_TRUTH).exists() and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(path, durable.read_plain(home, OLD_TRUTH.split("/")))
        durable.remove(home / OLD_TRUTH)
    planted = _planted_before(path, home / "landing", parameters)
    start = len(planted)
    rows: dict[str, int] = {}
    if start < days:
        # The parameters are written first, to recognise a simulation that was interrupted. The next
        # call lands its days again, with equal bytes.
        if not path.exists():
            _save(path, {"parameters": parameters, "planted": planted})
        for number, day in enumerate(simulation.landing_days(start), start + 1):
            for stream, count in _land(home, day).items():
                rows[stream] = rows.get(stream, 0) + count
            planted[day.on.isoformat()] = day.planted
            if progress:
                progress(number, days, day.on.isoformat())
        _save(path, {"parameters": parameters, "planted": planted, **describe(simulation)})
    return SimulationResult(days - min(start, days), min(start, days), rows, path)


def _land(home: Path, day: LandingDay) -> dict[str, int]:
    rows = {}
    for stream, table in day.tables.items():
        write(home, stream, day.on, table, "part-1", FORMATS[stream])
        rows[stream] = table.num_rows
    for stream, lines in day.broken_lines.items():
        if lines:
            # Broken lines are in their own file, so that the rest is written as a table.
            fill = partial(_write_lines, lines)
            place(home, stream, day.on, "old-clients.jsonl", fill)
            rows[stream] += len(lines)
    return rows


def _write_lines(lines: list[str], path: Path) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _planted_before(path: Path, landing: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """What earlier calls planted, by day; empty if nothing has landed."""
    if not path.exists():
        streams = sorted(p.name for p in landing.glob("*") if p.is_dir())
        if streams:
            raise ConfigError(
                f"{landing} has {', '.join(streams)} that were not simulated: "
                "choose another MATINEE_HOME"
            )
        return {}
    cure = "choose another MATINEE_HOME"
    truth = provenance.document(path.read_bytes(), path, cure)
    if not {"parameters", "planted"} <= truth.keys():
        raise ConfigError(f"{path} is no truth that a simulation wrote: {cure}")
    there = truth["parameters"]
    if there != parameters:
        differ = [f"{k} {there.get(k)} not {v}" for k, v in parameters.items() if there.get(k) != v]
        raise ConfigError(
            f"{landing} has a simulation with {', '.join(differ)}: "
            "use the same parameters, or choose another MATINEE_HOME"
        )
    planted: dict[str, Any] = truth["planted"]
    return planted


def _save(path: Path, truth: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with durable.drafts(path.parents[1]) as drafts:
        draft = drafts.new()
        draft.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        durable.put(draft, path)
