"""The long run: `make faults`. A hundred kills, a line a step; exit code 1 when anything broke."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import run_night
from tests.faults import aims, harness

SERVICE = {"members": 150, "titles": 200, "days": 20, "seed": 1}
"""Small, so that a night takes seconds, and big enough for its release to go live."""

SHARES = {"receive": 0.2, "dbt": 0.1, "training": 0.15, "publishing": 0.45, "night": 0.1}


def main(kills):
    from matinee import pipeline

    failed, began = False, time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch, "home")
        pipeline.simulate(home, **SERVICE)
        run_night(home)
        pipeline.simulate(home, **SERVICE | {"days": SERVICE["days"] + 1})  # for the next night
        # No links here: it writes into files.
        with harness.victims(shutil.copytree(home, Path(scratch, "torn"))) as warm:
            torn = aims.careless(warm)
        print(
            f"control: a publisher that writes in place, killed: {torn or 'NOT SEEN'}", flush=True
        )
        failed |= not torn
        print(f"{'step':<12}{'fired':>7}{'landed':>8}{'progress':>10}{'broken':>8}  landed where")
        for step, share in SHARES.items():
            wanted = max(1, round(kills * share))
            with harness.victims(harness.copy(home, Path(scratch, step))) as warm:
                tally = aims.AIMS[step](warm, home, wanted)
            print(tally.line(), flush=True)
            for line in tally.broken[:3]:
                print(f"  {line}")
            failed |= bool(tally.broken) or tally.progress < tally.fired
            failed |= tally.landed < wanted
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{time.monotonic() - began:.0f} s; load {load}; {os.cpu_count()} cores")
    return int(failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    sys.exit(main(parser.parse_args().kills))
