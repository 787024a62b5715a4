"""Kills steps, counts what landed, and holds the home to invariants 1 and 2 after each fault."""

import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from matinee import landing, pipeline
from matinee.errors import MatineeError
from matinee.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Tally:
    """What came of the faults aimed at one step."""

    step: str
    fired: int = 0
    landed: int = 0
    """Killed after the step began and before it ended. The others prove nothing."""
    broken: list[str] = field(default_factory=list)
    progress: int = 0
    """Times the step got through in between; a wedged step survives any number of kills."""


def start(step, home, *more):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.victim", step, str(home), *map(str, more)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def through(step, home):
    """Let a step run to its end; how long its window was, or None when it does not get through."""
    process = start(step, home)
    began = process.stdout.readline() == "begin\n" and time.monotonic()
    ended = "end\n" in iter(process.stdout.readline, "") and time.monotonic()
    process.stdout.read()
    return ended - began if process.wait() == 0 and began and ended else None


def shoot(step, home, delay):
    """Kill -9 a step `delay` seconds into its window; whether the fault landed in it."""
    process = start(step, home)
    if process.stdout.readline() != "begin\n":
        process.wait()
        return False
    time.sleep(delay)
    process.kill()
    return "end\n" not in process.stdout.readlines() and process.wait() == -9


def kill(step, home, *, kills, before=lambda: None, seed=1):
    """Fire until `kills` faults have landed in a step's window, with progress after each.

    Aim is by the clock, so on a busy machine some miss: three times as many are fired at most.
    """
    spread, tally = random.Random(seed), Tally(step)  # noqa: S311
    before()
    window = through(step, home)
    assert window is not None, f"{step} does not get through even unharmed"
    while tally.landed < kills and tally.fired < 3 * kills + 2:
        before()
        tally.fired += 1
        tally.landed += shoot(step, home, spread.uniform(0, window * 0.8))
        tally.broken += broken(home)
        tally.progress += through(step, home) is not None
        tally.broken += broken(home)
    return tally


def broken(home):
    """What is not as invariants 1 and 2 say; empty when all is well."""
    found = []
    store = pipeline.store(Settings(home=home))
    try:
        if store.aliases().live:
            store.verify("live")
    except MatineeError as error:
        found.append(f"live: {error}")
    return found + unaccounted(home)


def unaccounted(home):
    """Files of which the ledger says something else than the rows that are there."""
    held = Counter()
    for entry in landing.read_ledger(home).received:
        for number in set(entry.batches):
            held[entry.stream, number] += 0
    for stream, number in held:
        for table in (stream, f"rejected_{stream}"):
            folder = home / "received" / table / f"batch={number:06d}"
            for part in folder.glob("*.parquet"):
                held[stream, number] += pq.read_metadata(part).num_rows
    told = Counter()
    for entry in landing.read_ledger(home).received:
        told[entry.stream] += entry.rows
        if entry.rows != entry.kept + entry.rejected:
            return [f"{entry.file}: {entry.rows} rows, {entry.kept} + {entry.rejected}"]
    sums = Counter()
    for (stream, _), rows in held.items():
        sums[stream] += rows
    return [
        f"{stream}: the ledger tells of {told[stream]} rows, {sums[stream]} are there"
        for stream in told
        if told[stream] != sums[stream]
    ]
