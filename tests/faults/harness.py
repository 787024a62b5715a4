"""Kills steps, counts what landed where, and holds the home to invariants 1 and 2 after each."""

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

from matinee import landing, pipeline, warehouse
from matinee.errors import MatineeError
from matinee.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

WRITTEN_IN_PLACE = ("warehouse", "feast", "privacy", "aliases.json", "audit.jsonl")
"""Files or folders of a home that are; all else is written once, so a link is a copy."""

ONE_NAME = ("landing",)
"""Folders whose files are refused when they have a second name."""


@dataclass
class Tally:
    """What came of the faults aimed at one step."""

    step: str
    fired: int = 0
    landed: int = 0
    """Killed after the step began and before it ended. The others prove nothing."""
    windows: Counter = field(default_factory=Counter)
    """Where the faults that landed did."""
    progress: int = 0
    """Times the step got through in between; a wedged step survives any number of kills."""
    broken: list[str] = field(default_factory=list)

    def line(self):
        where = ", ".join(f"{count} {name}" for name, count in self.windows.items() if name)
        counts = f"{self.fired:>7}{self.landed:>8}{self.progress:>10}{len(self.broken):>8}"
        return f"{self.step:<18}{counts}  {where}"

    def tell(self):
        """Say how far it is, as a long run may be cut off."""
        print(self.line(), file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Run:
    """What one run of a step said."""

    code: int
    said: list[str]
    seconds: float
    """From `begin`, or from where it was waited for, to its end."""

    @property
    def is_through(self):
        return self.code == 0 and "end" in self.said

    @property
    def is_hit(self):
        return self.code == -signal.SIGKILL and "begin" in self.said and "end" not in self.said

    @property
    def window(self):
        return next((line[3:] for line in reversed(self.said) if line.startswith("at ")), None)


@dataclass(frozen=True)
class Victims:
    """A warm process that forks a step at a time."""

    process: subprocess.Popen
    home: Path

    def at(self, home):
        """The same process, for another home."""
        return replace(self, home=home)

    def hear(self):
        line = self.process.stdout.readline()
        assert line, "the victims' own process died"
        return line.strip()

    def order(self, step, *more):
        self.process.stdin.write(f"{' '.join(map(str, (step, self.home, *more)))}\n")
        self.process.stdin.flush()

    def prepare(self):
        """Come to where a night would publish."""
        self.order("prepare")
        while self.hear() != "ready":
            pass

    def begin(self, step, *more):
        """Start a step; its pid, once it is about to do its work."""
        self.order(step, *more)
        pid = int(self.hear().removeprefix("pid "))
        assert self.hear() == "begin"
        return pid

    def end(self):
        """What a step that was begun says until it is gone."""
        began, said = time.monotonic(), ["begin"]
        while not (line := self.hear()).startswith("gone "):
            said.append(line)
        return Run(int(line[5:]), said, time.monotonic() - began)

    def run(self, step, *more, at=None):
        self.begin(step, *more)
        self.wait(at)
        return self.end()

    def wait(self, at):
        """Until the step says that it is there."""
        while at and (line := self.hear()) != f"at {at}":
            assert not line.startswith("gone "), f"it never came to {at}"

    def shoot(self, step, delay, *, at=None):
        """Kill -9 a step `delay` seconds after it began, or after it said to be `at` something."""
        pid = self.begin(step)
        self.wait(at)
        time.sleep(delay)
        with suppress(ProcessLookupError):  # it was faster
            os.kill(pid, signal.SIGKILL)
        return self.end()


@contextmanager
def victims(home):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.victim"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    warm = Victims(process, home)
    try:
        assert warm.hear() == "ready"
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
    """Fire until `kills` faults have landed in a step's window, with progress after each.

    Aim is by the clock, so on a busy machine some miss: three times as many are fired at most.
    `before` brings the home to where the step has work to do, `between` does what comes before the
    step when a night is run again, `window` says where a fault landed, `reached` whether a step
    that got through did what it is for, and `at` from where on it is shot at.
    """
    spread, tally = random.Random(seed), Tally(step)  # noqa: S311
    before()
    whole = warm.run(step, at=at)
    assert whole.is_through, f"{step} does not get through even unharmed: {whole.said[-1]}"
    seconds = whole.seconds
    while tally.landed < kills and tally.fired < 3 * kills:
        before()
        tally.fired += 1
        shot = warm.shoot(step, spread.uniform(0, seconds * 0.95), at=at)
        if shot.is_hit:
            tally.landed += 1
            tally.windows[window(shot)] += 1
        tally.broken += broken(warm.home)
        between()
        again = warm.run(step)  # from the beginning: what `at` waits for may be done already
        if again.is_through and reached():
            tally.progress += 1
            if at is None:
                seconds = (seconds + again.seconds) / 2  # a machine's load comes and goes
        tally.broken += broken(warm.home) + leftovers(warm.home)
        tally.tell()
    return tally


def copy(home, target):
    """A home like another, as links wherever nothing is written in place."""
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
    """What is not as invariants 1 and 2 say; empty when all is well."""
    found = []
    store = pipeline.store(Settings(home=home))
    try:
        if store.aliases().live:
            store.verify("live")
    except MatineeError as error:
        found.append(f"live: {error}")
    return found + unaccounted(home)


def leftovers(home):
    """What a step that got through should have swept, and rows that no table of a build holds."""
    found = [
        f"left over: {path.name}" for path in (home / "releases").glob(".*") if path.name != ".lock"
    ]
    try:
        counted = warehouse.counts(home)
    except MatineeError as error:
        return [*found, f"warehouse: {error}"]
    return found + [
        f"{stream}: {rows}"
        for stream, rows in counted.items()
        if rows.received != rows.staged + rows.exact_repeats + rows.rejected
    ]


def unaccounted(home):
    """Files of which the ledger says something else than the rows that are there."""
    held = Counter()
    entries = landing.read_ledger(home).received
    for stream, number in {(entry.stream, number) for entry in entries for number in entry.batches}:
        for table in (stream, f"rejected_{stream}"):
            folder = home / "received" / table / f"batch={number:06d}"
            for part in folder.glob("*.parquet"):
                held[stream] += pq.read_metadata(part).num_rows
    told = Counter()
    for entry in entries:
        told[entry.stream] += entry.rows
        if entry.rows != entry.kept + entry.rejected:
            return [f"{entry.file}: {entry.rows} rows, {entry.kept} + {entry.rejected}"]
    return [
        f"{stream}: the ledger tells of {told[stream]} rows, {held[stream]} are there"
        for stream in told
        if told[stream] != held[stream]
    ]
