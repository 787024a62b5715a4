"""Land an invented service's raw logs, with what was planted written beside them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from matinee import durable, provenance
from matinee.errors import ConfigError
from matinee.landing import place, write
from matinee.landing.write import Format
from matinee.simulator import LandingDay, Simulation, describe

Progress = Callable[[int, int, str], None]

TRUTH = "truth.json"
"""Beside the streams' folders in landing/; no step of the night reads it."""

# Every way of landing that the contract allows is used by somebody.
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
class Simulated:
    """What landed."""

    days_landed: int
    days_skipped: int
    rows: dict[str, int]
    """stream -> rows landed by this call, broken lines included."""
    truth: Path

    def summary(self) -> str:
        if not self.days_landed:
            return f"{self.days_skipped} days were there already; nothing was landed"
        rows = ", ".join(f"{count:,} {stream}" for stream, count in sorted(self.rows.items()))
        there = f" ({self.days_skipped} were there already)" if self.days_skipped else ""
        return (
            f"landed {self.days_landed} days{there}: {rows}. Planted truths: {self.truth}. "
            "A generator is no evidence of quality."
        )


def simulate(
    home: Path,
    *,
    members: int,
    titles: int,
    days: int,
    seed: int,
    progress: Progress | None = None,
) -> Simulated:
    """Land `days` of a service of `members` and `titles`; days that are there stay as they are.

    Raises
    ------
    ConfigError
        When a number is too small, or `landing/` holds other logs than a simulation of these.
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
    path = home / "landing" / TRUTH
    planted = _planted_before(path, parameters)
    start = len(planted)
    rows: dict[str, int] = {}
    if start < days:
        # The parameters come first: a simulation that is cut short is known by them. The next call
        # lands its days again, to the byte.
        if not path.exists():
            _save(path, {"parameters": parameters, "planted": planted})
        for number, day in enumerate(simulation.landing_days(start), start + 1):
            for stream, count in _land(home, day).items():
                rows[stream] = rows.get(stream, 0) + count
            planted[day.on.isoformat()] = day.planted
            if progress:
                progress(number, days, day.on.isoformat())
        _save(path, {"parameters": parameters, "planted": planted, **describe(simulation)})
    return Simulated(days - min(start, days), min(start, days), rows, path)


def _land(home: Path, day: LandingDay) -> dict[str, int]:
    rows = {}
    for stream, table in day.tables.items():
        write(home, stream, day.on, table, "part-1", FORMATS[stream])
        rows[stream] = table.num_rows
    for stream, lines in day.broken_lines.items():
        if lines:
            # What old clients send comes in a file of its own, so that the rest is written fast.
            fill = partial(_write_lines, lines)
            place(home, stream, day.on, "old-clients.jsonl", fill)
            rows[stream] += len(lines)
    return rows


def _write_lines(lines: list[str], path: Path) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _planted_before(path: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """What earlier calls planted, day by day; nothing when the landing zone is empty."""
    if not path.exists():
        streams = sorted(p.name for p in path.parent.glob("*") if p.is_dir())
        if streams:
            raise ConfigError(
                f"{path.parent} holds {', '.join(streams)} that no simulation wrote: "
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
            f"{path.parent} holds a simulation of {', '.join(differ)}: "
            "ask for the same, or choose another MATINEE_HOME"
        )
    planted: dict[str, Any] = truth["planted"]
    return planted


def _save(path: Path, truth: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with durable.drafts(path.parents[1]) as drafts:
        draft = drafts.new()
        draft.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        durable.put(draft, path)
