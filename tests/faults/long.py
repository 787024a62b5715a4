"""The long run of the fault tests: `make faults`. 100 kills and 20 full disks, one line per step.

`python -m tests.faults.long night` runs one step. The counts so far are printed to stderr after
each fault. Exit code 1 if a fault broke an invariant.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import run_night
from tests.faults import aims, disk, harness

SERVICE = {"members": 150, "titles": 200, "days": 20, "seed": 1}
"""Small, so that a night takes seconds, but large enough for its release to pass the gate."""

KILLS = {"night": 10, "receive": 20, "dbt": 10, "training": 15, "publishing": 35, "swapping": 10}
FULL = [f"full-{step}" for step in disk.STEPS]
HEAD = f"{'step':<18}{'fired':>7}{'landed':>8}{'progress':>10}{'broken':>8}  landed where"


def main(steps):
    from matinee import pipeline

    failed, began = False, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        home = scratch / "home"
        pipeline.simulate(home, **SERVICE)
        run_night(home)
        pipeline.simulate(home, **SERVICE | {"days": SERVICE["days"] + 1})  # for the next night
        # No links: it changes files in place.
        with harness.step_runner(shutil.copytree(home, scratch / "torn")) as warm:
            torn = aims.careless(warm)
        print(f"control: a publisher that writes in place, killed: {torn or 'NOT DETECTED'}")
        print(HEAD, flush=True)
        failed |= not torn
        for step in steps:
            try:
                tally, expected = (filled if step in FULL else killed)(home, scratch, step)
            except disk.NoDiskError as error:
                print(f"{step}: skipped, no small disk: {error}", flush=True)
                continue
            print("\n  ".join([tally.line(), *tally.broken[:3]]), flush=True)
            failed |= bool(tally.broken) or tally.progress < tally.fired
            failed |= tally.landed < expected
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{time.monotonic() - began:.0f} s; load {load}; {os.cpu_count()} cores")
    return int(failed)


def killed(home, scratch, step):
    with harness.step_runner(harness.copy(home, scratch / step)) as warm:
        return aims.AIMS[step](warm, home, KILLS[step]), KILLS[step]


def filled(home, scratch, step):
    with (
        disk.small(scratch / step) as small,
        harness.step_runner(shutil.copytree(home, small / "home")) as warm,
    ):
        tally = disk.fill(warm, scratch / f"kept-{step}", step.removeprefix("full-"))
        return tally, len(disk.SHARES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    every = [*KILLS, *FULL]
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", choices=[*every, []], help=", ".join(every)
    )
    sys.exit(main(parser.parse_args().steps or every))
