"""Kills steps, counts where kills landed, and checks invariants 1 and 2 of the home after each."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq

from matinee import landing, releases, warehouse
from matinee.errors import MatineeError

ROOT = Path(__file__).resolve().parents[2]

WRITTEN_IN_PLACE = ("warehouse", "feast", "privacy", "aliases.json", "audit.jsonl")
"""Files and folders of a home that are changed in place; other files can be hard-linked."""

ONE_NAME = ("landing",)
"""Folders whose files are refused when they have a second name."""


@dataclass
class Tally:
    """Counts of the faults of one step."""

    step: str
    fired: int = 0
    landed: int = 0
    """Kills between the start and the end of the step; others are not counted."""
    windows: Counter = field(default_factory=Counter)
    """Position in the step -> kills that landed there."""
    progress: int = 0
    """Successful runs after a fault; without progress, survival of kills shows nothing."""
    broken: list[str] = field(default_factory=list)

    def line(self):
        where = ", ".join(f"{count} {name}" for name, count in self.windows.items() if name)
        counts = f"{self.fired:>7}{self.landed:>8}{self.progress:>10}{len(self.broken):>8}"
        return f"{self.step:<18}{counts}  {where}"

    def print(self):
        """Print the counts so far, since a long run may be interrupted."""
        print(self.line(), file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Run:
    """The output and exit code of one run of a step."""

    code: int
    output: list[str]
    seconds: float
    """From `begin`, or from the awaited position, to the end."""

    @property
    def is_through(self):
        return self.code == 0 and "end" in self.output

    @property
    def is_hit(self):
        return self.code == -signal.SIGKILL and "begin" in self.output and "end" not in self.output

    @property
    def window(self):
        return next((line[3:] for line in reversed(self.output) if line.startswith("at ")), None)


@dataclass(frozen=True)
class StepRunner:
    """A warm process that forks one step at a time."""

    process: subprocess.Popen
    home: Path

    def at(self, home):
        """The same process, for another home."""
        return replace(self, home=home)

    def read_line(self):
        line = self.process.stdout.readline()
        assert line, "the process died"
        return line.strip()

    def send(self, step, *more):
        self.process.stdin.write(f"{' '.join(map(str, (step, self.home, *more)))}\n")
        self.process.stdin.flush()

    def prepare(self):
        """Run a night up to its publish step."""
        self.send("prepare")
        while self.read_line() != "ready":
            pass

    def begin(self, step, *more):
        """Start a step; return its pid once its work begins."""
        self.send(step, *more)
        pid = int(self.read_line().removeprefix("pid "))
        assert self.read_line() == "begin"
        return pid

    def end(self):
        """Read the output of a started step until it ends."""
        began, output = time.monotonic(), ["begin"]
        while not (line := self.read_line()).startswith("gone "):
            output.append(line)
        return Run(int(line[5:]), output, time.monotonic() - began)

    def run(self, step, *more, at=None):
        self.begin(step, *more)
        self.wait(at)
        return self.end()

    def wait(self, at):
        """Wait until the step prints that it is at a position."""
        while at and (line := self.read_line()) != f"at {at}":
            assert not line.startswith("gone "), f"the step did not reach {at}"

    def kill_at(self, step, delay, *, at=None):
        """Kill -9 a step `delay` seconds after it began, or after it is `at` a position."""
        pid = self.begin(step)
        self.wait(at)
        time.sleep(delay)
        with suppress(ProcessLookupError):  # it has ended already
            os.kill(pid, signal.SIGKILL)
        return self.end()


@contextmanager
def step_runner(home):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.victim"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    warm = StepRunner(process, home)
    try:
        assert warm.read_line() == "ready"
        yield warm
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def kill(
    warm,
    step,
    *,
    kills,
    before=lambda: None,
    between=lambda: None,
    window=lambda run: run.window,
    reached=lambda: True,
    at=None,
    seed=1,
):
    """Kill until `kills` faults have landed in a step, with a successful run after each.

    Kills are timed by the clock, so on a busy machine some miss; at most three times as many are
    tried. `before` prepares the home for the step, `between` restores what earlier steps of a night
    write, `window` returns where a fault landed, `reached` whether a successful step had its
    effect, and `at` is the position from which kills are timed.
    """
    spread, tally = random.Random(seed), Tally(step)  # noqa: S311
    before()
    complete = warm.run(step, at=at)
    assert complete.is_through, f"{step} fails even without a kill: {complete.output[-1]}"
    seconds = complete.seconds
    while tally.landed < kills and tally.fired < 3 * kills:
        before()
        tally.fired += 1
        killed = warm.kill_at(step, spread.uniform(0, seconds * 0.95), at=at)
        if killed.is_hit:
            tally.landed += 1
            tally.windows[window(killed)] += 1
        tally.broken += broken(warm.home)
        between()
        again = warm.run(step)  # without `at`: that position may be passed already
        if again.is_through and reached():
            tally.progress += 1
            if at is None:
                seconds = (seconds + again.seconds) / 2  # the load of the machine varies
        tally.broken += broken(warm.home) + leftovers(warm.home)
        tally.print()
    return tally


def copy(home, target):
    """Copy a home, with hard links for files that are not changed in place."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        home,
        target,
        copy_function=lambda source, there: (
            shutil.copy2(source, there)
            if {*WRITTEN_IN_PLACE, *ONE_NAME} & set(Path(source).relative_to(home).parts)
            else os.link(source, there)
        ),
    )
    return target


def broken(home):
    """Violations of invariants 1 and 2; empty if there are none."""
    errors = []
    store = releases.Store.of(home)
    try:
        if store.aliases().live:
            store.verify("live")
    except MatineeError as error:
        errors.append(f"live: {error}")
    return errors + unaccounted(home)


def leftovers(home):
    """Files that a successful step should have removed, and rows that no table of a build has."""
    errors = [
        f"left over: {path.name}" for path in (home / "releases").glob(".*") if path.name != ".lock"
    ]
    try:
        counted = warehouse.counts(home)
    except MatineeError as error:
        return [*errors, f"warehouse: {error}"]
    return errors + [
        f"{stream}: {rows}"
        for stream, rows in counted.items()
        if rows.received != rows.staged + rows.exact_repeats + rows.rejected
    ]


def unaccounted(home):
    """Streams whose row counts differ between the ledger and the received files."""
    in_files = Counter()
    entries = landing.read_ledger(home).received
    for stream, number in {(entry.stream, number) for entry in entries for number in entry.batches}:
        for table in (stream, f"rejected_{stream}"):
            folder = home / "received" / table / f"batch={number:06d}"
            for part in folder.glob("*.parquet"):
                in_files[stream] += pq.read_metadata(part).num_rows
    in_ledger = Counter()
    for entry in entries:
        in_ledger[entry.stream] += entry.rows
        if entry.rows != entry.kept + entry.rejected:
            return [f"{entry.file}: {entry.rows} rows, {entry.kept} + {entry.rejected}"]
    return [
        f"{stream}: the ledger has {in_ledger[stream]} rows, the files have {in_files[stream]}"
        for stream in in_ledger
        if in_ledger[stream] != in_files[stream]
    ]
