"""What a night costs beside its logs: CPU seconds, time and memory of every step.

    python -m benchmarks.night --members 300 --titles 200 --days 14

A made-up service is simulated in a temporary home. A first night runs over its days; then one more
day lands and a second night runs. Each night is a process of its own, as `matinee run` is, so the
start of the interpreter and all imports are in the table. The first night finds an empty cache and
parses the dbt project; the second finds it parsed. It is a forward night: it fits what it publishes
and nothing else, and evaluates the release of the first. With a public set of ratings the first
night ends a day before the last one of the set:

    python -m benchmarks.night --dataset movielens ~/ml-latest-small

CPU seconds are user and system time of the
process and of its children; memory is the peak of the process by the end of the step.

Exits 1 when a night of the default size takes more CPU than its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from matinee import landing

DEFAULTS = {"members": 300, "titles": 200, "days": 14}
SEED = 1

# CPU seconds of a night of the default size on one idle core of a common server. Nearly all of it
# is fixed: imports, dbt, Great Expectations and Feast cost as much for ten members. A busy machine
# adds up to a fifth, so look at a second run before you look for the cause.
LIMITS = {"first night": 25.0, "second night": 18.0}

MODELS = ("fit models", "choose the weights", "evaluate")
"""Starts of the steps that a forward night saves on; its forward test is in the frames."""

IMPORTERS = {"movielens": landing.import_movielens, "movietweetings": landing.import_movietweetings}


def cpu_seconds() -> float:
    """User and system time of this process, and of its children that have ended."""
    took = os.times()
    return took.user + took.system + took.children_user + took.children_system


def run_night(home: str, last_day: str | None) -> None:
    """Run one night in this process, and print what each step took as JSON."""
    steps: list[dict[str, Any]] = []
    cpu, started = 0.0, time.perf_counter()

    def record(name: str) -> None:
        nonlocal cpu, started
        now, clock = cpu_seconds(), time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps.append({"step": name, "cpu": now - cpu, "wall": clock - started, "peak_mb": peak})
        cpu, started = now, clock

    @contextmanager
    def reporter(name: str) -> Iterator[Any]:
        yield lambda done, total, what: None
        record(name)

    from matinee import pipeline
    from matinee.settings import Settings

    record("start, import matinee")
    pipeline.run(
        Settings(home=Path(home)),
        last_day=date.fromisoformat(last_day) if last_day else None,
        full_refresh=False,
        progress=reporter,
        tell=lambda note: sys.stderr.write(note + "\n"),
    )
    sys.stdout.write(json.dumps(steps) + "\n")


def measure(
    home: Path, environment: dict[str, str], last_day: date | None = None
) -> list[dict[str, Any]]:
    """The steps of one night, in a process of its own, and their sum with the end of it."""
    before, started = cpu_seconds(), time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.night", "--run-night-in", str(home)]
    command += ["--as-of", last_day.isoformat()] if last_day else []
    process = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    steps: list[dict[str, Any]] = json.loads(process.stdout.splitlines()[-1])
    took = {"cpu": cpu_seconds() - before, "wall": time.perf_counter() - started}
    return [*steps, {"step": "all", **took, "peak_mb": max(one["peak_mb"] for one in steps)}]


def print_table(nights: dict[str, list[dict[str, Any]]]) -> None:
    """One row a step: for each night its CPU seconds, wall seconds and peak memory in MB."""
    heads = "".join(f" | {f'{name}: CPU s':>19} |  wall s | peak MB" for name in nights)
    rule = "-|-".join(["-" * 40, *["-" * 19, "-" * 7, "-" * 7] * len(nights)])
    sys.stdout.write(f"| {'step':<40}{heads} |\n|-{rule}-|\n")
    for steps in zip(*nights.values(), strict=True):
        cells = "".join(
            f" | {one['cpu']:19.2f} | {one['wall']:7.2f} | {one['peak_mb']:7.0f}" for one in steps
        )
        sys.stdout.write(f"| {steps[0]['step']:<40}{cells} |\n")


def shares(steps: list[dict[str, Any]]) -> str:
    """CPU seconds of a night beside those of its fits and of its work on data and lists."""
    cpu = {one["step"]: one["cpu"] for one in steps}
    models = sum(seconds for step, seconds in cpu.items() if step.startswith(MODELS))
    others = cpu["all"] - models
    return f"{cpu['all']:.1f} CPU seconds: {models:.1f} fit and evaluate, {others:.1f} others"


def main() -> int:
    """Simulate, run both nights, print the table; 1 when a default night is over its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in DEFAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--dataset", nargs=2, metavar=("KIND", "FOLDER"))
    for name in ("--run-night-in", "--as-of"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    arguments = vars(parser.parse_args())
    home, last_day = arguments.pop("run_night_in"), arguments.pop("as_of")
    if home:
        run_night(home, last_day)
        return 0
    dataset = arguments.pop("dataset")

    from matinee import pipeline

    nights = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/cache"}
        landed = Path(folder) / "home"
        if dataset:
            imported = IMPORTERS[dataset[0]](Path(dataset[1]), home=landed)
        for more, name in enumerate(LIMITS):
            end = imported.last_day - timedelta(days=1 - more) if dataset else None
            if not dataset:
                size = arguments | {"days": arguments["days"] + more}
                pipeline.simulate(landed, **size, seed=SEED)
            nights[name] = measure(landed, environment, end)
    print_table(nights)
    sys.stdout.write("".join(f"{name}: {shares(steps)}\n" for name, steps in nights.items()))
    over = [
        f"the {name} took {nights[name][-1]['cpu']:.1f} CPU seconds, limit {limit:g}"
        for name, limit in LIMITS.items()
        if arguments == DEFAULTS and not dataset and nights[name][-1]["cpu"] > limit
    ]
    sys.stdout.write("".join(f"FAIL  {line}\n" for line in over) or "PASS\n")
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
