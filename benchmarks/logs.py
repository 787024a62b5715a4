"""What the log platform costs: receive, build and export, in full and with one day more.

    python -m benchmarks.logs --events 1000000 10000000 50000000

A year of events (60 % plays, 25 % impressions, 10 % searches, 5 % ratings; 250 a member) is drawn
by DuckDB and lands as one Parquet file a stream and day; 1 in 100 is up to three days late, 1 in
200 is delivered twice. Then come a night over all days but two, a night with one day more, and one
more in which a member of a thousand refuses to be profiled. Each step is a process of its own, so
peak memory (of the process, Python included) and CPU seconds (of all threads) are its own.

`bare` is what all is held against: DuckDB alone makes the same tables by the same SELECTs from the
landing files, each event once; without ledger, contract, rejected rows, tests or dbt.

Needs about 1 GB of disk a million events; MATINEE_MEMORY_LIMIT holds, by default here 3GB. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matinee.settings import Settings

if TYPE_CHECKING:
    import duckdb

FIRST_DAY = date(2025, 1, 1)
DAYS = 365
EVENTS_A_MEMBER = 250
REFUSALS_PER_THOUSAND = 1
OURS = re.compile("(rejected|received|last)_.*|int_.*__(changed|expired)")
"""Models that keep the account of the others: DuckDB alone has none."""

# ---------- the logs

TITLE = "'t' || lpad(floor($titles * power(chance_d / 1e6, 2.5))::bigint::varchar, 6, '0')"
STREAMS = {
    "plays": (
        0.60,
        f"""{TITLE} as title_id, chance_b % 5400 as watched_seconds, 5400 as runtime_seconds,
        chance_c % 10 = 0 as is_autoplay, chance_c % 50 = 1 as is_trailer""",
    ),
    "impressions": (
        0.25,
        f"""md5('i' || number) as impression_id, md5('p' || number // 40) as page_id,
        'trending' as row_kind, chance_b % 10 as row_index, chance_c % 40 as column_index,
        {TITLE} as title_id, 'asset ' || chance_c % 500 as asset_id,
        chance_c % 12 = 0 as was_clicked""",
    ),
    "searches": (
        0.10,
        f"""'films like ' || chance_d % 5000 as query_text, chance_c % 30 as result_count,
        case when chance_b % 3 > 0 then {TITLE} end as clicked_title_id""",
    ),
    "ratings": (
        0.05,
        f"{TITLE} as title_id, 'stars' as rating_kind, (chance_b % 11)::double as value",
    ),
}
EVENTS = """
    select
        md5($stream || number) as event_id,
        happened_at - to_hours(if(chance_b % 100 = 0, 24 + chance_c % 48, 0)) as event_at,
        happened_at + to_seconds(20 + copy) as received_at,
        'm' || lpad((chance_a % $members)::varchar, 8, '0') as member_id,
        ['US', 'DE', 'IN', 'BR', 'JP'][1 + (chance_a % $members) % 5] as country,
        ['tv', 'phone', 'tablet', 'web', 'console'][1 + chance_c % 5] as device,
        [-300, 60, 330, -180, 540][1 + (chance_a % $members) % 5] as utc_offset_minutes,
        {columns}
    from (
        select number, unnest(if(hash(number) % 200 = 0, [1, 2], [1])) as copy
        from range($first, $first + $count) as numbers (number)
    ),
    lateral (
        select
            (hash(number * 4) >> 8)::bigint as chance_a,
            (hash(number * 4 + 1) >> 8)::bigint as chance_b,
            (hash(number * 4 + 2) >> 8)::bigint as chance_c,
            (hash(number * 4 + 3) >> 8)::bigint % 1000000 as chance_d
    ),
    lateral (select $day::timestamp + to_seconds(chance_d % 86000) as happened_at)
"""
SNAPSHOTS = {
    "members": """
        select
            'm' || lpad(number::varchar, 8, '0') as member_id, date '2024-01-01' as joined_on,
            ['US', 'DE', 'IN', 'BR', 'JP'][1 + number % 5] as country,
            ['basic', 'standard', 'premium'][1 + number % 3] as plan
        from range($members) as numbers (number)""",
    "titles": """
        select
            't' || lpad(number::varchar, 6, '0') as title_id, 'Title ' || number as name,
            ['movie', 'series'][1 + number % 2] as title_kind, 5400 as runtime_seconds,
            date '1980-01-01' + (hash(number) % 16000)::int as released_on,
            ['genre ' || hash(number * 3) % 20, 'genre ' || hash(number * 3 + 1) % 20] as genres,
            ['theme ' || hash(number * 5) % 200] as themes,
            ['director ' || hash(number * 7) % 2000] as directors,
            ['actor ' || hash(number * 11) % 8000, 'actor ' || hash(number * 11 + 1) % 8000,
             'actor ' || hash(number * 11 + 2) % 8000] as actors
        from range($titles) as numbers (number)""",
}
CONSENTS = """
    select
        'refusal ' || number as event_id, $day::timestamp + to_hours(12) as event_at,
        $day::timestamp + to_hours(12) as received_at,
        'm' || lpad(number::varchar, 8, '0') as member_id,
        'personalisation' as purpose, false as granted
    from range($count) as numbers (number)
"""


class Service:
    """A made-up service of some size, and the folder that its logs land in."""

    def __init__(self, home: Path, events: int) -> None:
        self.home = home
        self.events = events
        self.members = max(100, events // EVENTS_A_MEMBER)
        self.titles = min(10_000, 500 + events // 1000)

    def land(self, first: int, last: int) -> None:
        """Write what reached the service on days `first` to `last`, counted from 0."""
        for stream, (share, columns) in STREAMS.items():
            a_day = int(self.events * share) // DAYS
            sql = EVENTS.replace("{columns}", columns)
            for day in range(first, last + 1):
                self._write(stream, sql, day, stream=stream, first=day * a_day, count=a_day)
        if first == 0:
            for stream, sql in SNAPSHOTS.items():
                self._write(stream, sql, 0)

    def refuse(self, day: int) -> None:
        """Let one member of a thousand refuse to be profiled."""
        refusals = max(1, self.members * REFUSALS_PER_THOUSAND // 1000)
        self._write("consents", CONSENTS, day, count=refusals)

    def _write(self, table: str, sql: str, day: int, **values: object) -> None:
        import duckdb

        values |= {"members": self.members, "titles": self.titles, "day": _day(day)}
        parameters = {name: value for name, value in values.items() if f"${name}" in sql}
        folder = self.home / "landing" / table / f"dt={_day(day)}"
        folder.mkdir(parents=True)
        with duckdb.connect() as database:
            database.execute(
                f"copy ({sql}) to '{folder / 'part.parquet'}' (format parquet)", parameters
            )


def _day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


# ---------- the steps, each run in a process of its own


def _receive(settings: Settings, _: date) -> None:
    from matinee import pipeline

    pipeline.receive(settings)


def _dbt(settings: Settings, last_day: date) -> None:
    from matinee import transform

    transform.build(
        project=settings.project,
        home=settings.home,
        as_of=datetime.combine(last_day + timedelta(days=1), datetime.min.time(), UTC),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )


def _export(settings: Settings, _: date) -> None:
    from matinee import warehouse

    warehouse.export_features(settings.home)


def _bare(settings: Settings, _: date) -> None:
    """The SELECTs of the full build just made, over the landing files."""
    import duckdb

    target = settings.home / "warehouse" / "dbt" / "target"
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    file = settings.home / "bare" / "matinee.duckdb"
    file.parent.mkdir()
    with duckdb.connect(
        str(file), config={"memory_limit": settings.memory_limit, "threads": settings.threads}
    ) as database:
        database.execute("set preserve_insertion_order = false")
        built = settings.home / "warehouse" / "matinee.duckdb"
        database.execute(f"attach '{built}' as built (read_only)")
        for result in results:
            node = manifest.get(result["unique_id"], {})
            name = node.get("name", "")
            if name.startswith("base_"):
                _bare_base(database, settings.home, name)
            elif node.get("resource_type") == "model" and not OURS.fullmatch(name):
                kind = "view" if node["config"]["materialized"] == "view" else "table"
                sql = result["compiled_code"]
                parts = _parts(database, settings) if "getvariable('part')" in sql else 1
                database.execute(f"set variable parts = {parts}")
                for part in range(parts):
                    database.execute(f"set variable part = {part}")
                    start = f"insert into {name}" if part else f"create {kind} {name} as"
                    database.execute(f"{start} {sql}")


def _parts(database: duckdb.DuckDBPyConnection, settings: Settings) -> int:
    """How many parts the macro `set_parts` makes of a full build."""
    from matinee import transform

    counted = database.execute("select count(*) from int_member_title_days__summed").fetchall()
    size = transform.project_vars(settings.project)["title_days_per_part"]
    return int(counted[0][0]) // int(size) + 1


def _bare_base(database: duckdb.DuckDBPyConnection, home: Path, name: str) -> None:
    """Every event of a stream once, straight from its files."""
    stream = name.split("__")[1]
    columns = database.execute(f"describe built.main.{name}").fetchall()
    if not (home / "landing" / stream).is_dir():
        database.execute(f"create table {name} as from built.main.{name} limit 0")
        return
    files = f"'{home}/landing/{stream}/*/*.parquet', hive_partitioning = true"
    landed = {row[0] for row in database.execute(f"describe from read_parquet({files})").fetchall()}
    ours = {
        "file": "'landing'",
        "line": "0",
        "batch": "1",
        "landed_on": "dt",
        "delivery_number": "1",
        "is_exact_repeat": "false",
    }
    selected = ", ".join(
        f"{column if column in landed else ours.get(column, 'null')}::{kind} as {column}"
        for column, kind, *_ in columns
    )
    first = "qualify row_number() over (partition by event_id order by received_at) = 1"
    once = first if "event_id" in landed else ""
    database.execute(f"create table {name} as select {selected} from read_parquet({files}) {once}")


STEPS: Mapping[str, Callable[[Settings, date], None]] = {
    "receive": _receive,
    "dbt": _dbt,
    "export": _export,
    "bare": _bare,
}


def step(name: str, home: str, last_day: str) -> None:
    """Run one step and print what it took."""
    began = time.perf_counter()
    STEPS[name](Settings(home=Path(home)), date.fromisoformat(last_day))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    took = {
        "seconds": time.perf_counter() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(took) + "\n")


# ---------- the report


def measure(home: Path, events: int) -> None:
    """Land a year, run the nights, and print a row for each step as it ends."""
    service = Service(home, events)
    service.land(0, DAYS - 3)
    totals: dict[str, float] = {}
    for night, names in {
        "full": ("receive", "dbt", "bare", "export"),
        "a day more": ("receive", "dbt", "export"),
        "a day with refusals": ("receive", "dbt", "export"),
    }.items():
        last = DAYS - 3 + len(totals)
        if totals:
            service.land(last, last)
        if night == "a day with refusals":
            service.refuse(last)
        rows = events // DAYS if totals else events
        took = {}
        for name in names:
            took[name] = one = _run(name, home, _day(last))
            _row(
                *(f"{events:,}", night, name, f"{one['seconds']:.0f}", f"{one['cpu']:.0f}"),
                *(f"{rows / one['cpu']:,.0f}", f"{one['peak_mb']:,.0f}"),
            )
        totals[night] = sum(one["cpu"] for name, one in took.items() if name != "bare")
        if "bare" in took:
            summary = f"{totals[night] / took['bare']['cpu']:.2f} times bare"
        else:
            summary = f"{totals[night] / totals['full']:.1%} of full"
        _row(f"{events:,}", night, f"all: {summary}", "", f"{totals[night]:.0f}", "", "")


def _run(name: str, home: Path, last_day: date) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.logs", "step", name, str(home), str(last_day)]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    took: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return took


def _row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def main() -> None:
    if sys.argv[1:2] == ["step"]:
        step(*sys.argv[2:5])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    sizes = [1_000_000, 10_000_000, 50_000_000]
    parser.add_argument("--events", type=int, nargs="+", default=sizes)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    arguments = parser.parse_args()
    os.environ.setdefault("MATINEE_MEMORY_LIMIT", "3GB")
    _row("events", "night", "step", "seconds", "CPU s", "rows per CPU s", "peak MB")
    _row(*["---"] * 7)
    for events in arguments.events:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as home:
            measure(Path(home), events)


if __name__ == "__main__":
    main()
