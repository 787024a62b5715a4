"""Compares aggregates of later nights: does a released cell change? Small cells are included.

    .venv/bin/python scripts/compare_nights.py HOME 2026-01-28 2026-01-29 2026-01-30

HOME is a home after a night. Its warehouse is built again as of each day: use a copy.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from matinee import transform, warehouse
from matinee.night.publish import MARTS
from matinee.settings import Settings

EVERY_CELL = {"minimum_cell_members": 1, "dominance_divisor": 1}


def main(home: Path, days: list[str]) -> None:
    settings = Settings(home=home)
    names = [name for names in MARTS.values() for name in names]
    before: dict[str, set[str]] = {}
    for day in days:
        transform.build(
            project=settings.project,
            home=home.resolve(),
            as_of=datetime.fromisoformat(day).replace(tzinfo=UTC),
            threads=settings.threads,
            memory_limit=settings.memory_limit,
            vars={"lateness_days": settings.lateness_days, **EVERY_CELL},
            full_refresh=True,
        )
        for name in names:
            cells = {repr(row) for row in warehouse.table(name, home=home.resolve()).to_pylist()}
            earlier = before.get(name, set())
            changed = len(earlier - cells)
            sys.stdout.write(f"{day} {name:<24} {len(earlier):>6} cells, {changed:>4} changed\n")
            before[name] = cells


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
