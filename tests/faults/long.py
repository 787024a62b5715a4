"""The long run: `make faults`. A hundred kills, a line a step; exit code 1 when anything broke."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.conftest import SMALL, run_night
from tests.faults import harness

SHARES = {"receive": 0.2, "dbt": 0.1, "training": 0.2, "publishing": 0.5}


def main(kills):
    from matinee import pipeline

    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch, "home")
        pipeline.simulate(home, **SMALL)
        run_night(home)
        print(f"{'step':<12}{'fired':>7}{'landed':>8}{'progress':>10}{'broken':>8}")
        for step, share in SHARES.items():
            wanted = max(1, round(kills * share))

            def before(step=step):
                if step == "receive":
                    shutil.rmtree(home / "received")

            tally = harness.kill(step, home, kills=wanted, before=before)
            counts = tally.fired, tally.landed, tally.progress, len(tally.broken)
            print(
                f"{step:<12}{counts[0]:>7}{counts[1]:>8}{counts[2]:>10}{counts[3]:>8}", flush=True
            )
            for line in tally.broken[:3]:
                print(f"  {line}")
            failed |= bool(tally.broken) or tally.progress < tally.fired
            failed |= tally.landed < wanted
    return int(failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    sys.exit(main(parser.parse_args().kills))
