"""What the log platform costs: receive, build and export, full and with one day more.

    python -m benchmarks.logs --events 1000000 10000000 50000000

Events of a year (60 % plays, 25 % impressions, 10 % searches, 5 % ratings) are drawn by DuckDB, with
1 in 100 up to three days late and 1 in 200 delivered twice, and land as Parquet, one file a stream and
day. Each step runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.settings import Settings

if TYPE_CHECKING:
    import duckdb

FIRST_DAY = date(2025, 1, 1)
EVENTS_A_MEMBER = 250
"""In a year: a member watches, rates or is shown something every other day."""

# ---------- the logs

ENVELOPE = """
    md5($stream || numbers.number) as event_id,
    happened_at as event_at,
    happened_at + to_seconds(20 + draw_b % 90)
        + to_hours(case when draw_b % 100 = 0 then 24 + draw_c % 48 else 0 end) as received_at,
    'm' || lpad((draw_a % $members)::varchar, 8, '0') as member_id,
    ['US', 'DE', 'IN', 'BR', 'JP'][1 + (draw_a % $members) % 5] as country,
    ['tv', 'phone', 'tablet', 'web', 'console'][1 + draw_c % 5] as device,
    ([-300, 60, 330, -180, 540][1 + (draw_a % $members) % 5])::bigint as utc_offset_minutes
"""

TITLE = (
    "'t' || lpad(floor($titles * power((draw_d % 1000000) / 1e6, 2.5))::bigint::varchar, 6, '0')"
)

STREAMS: dict[str, tuple[float, str]] = {
    "plays": (
        0.60,
        f"""{TITLE} as title_id, (draw_b % 5400)::bigint as watched_seconds,
        5400::bigint as runtime_seconds, draw_c % 10 = 0 as is_autoplay, draw_c % 50 = 1 as is_trailer""",
    ),
    "impressions": (
        0.25,
        f"""md5('i' || numbers.number) as impression_id, md5('p' || numbers.number // 40) as page_id,
        'trending' as row_kind, (draw_b % 10)::bigint as row_index,
        (draw_c % 40)::bigint as column_index, {TITLE} as title_id, draw_c % 12 = 0 as was_clicked""",
    ),
    "searches": (
        0.10,
        f"""'films like ' || draw_d % 5000 as query_text, (draw_c % 30)::bigint as result_count,
        case when draw_b % 3 > 0 then {TITLE} end as clicked_title_id""",
    ),
    "ratings": (
        0.05,
        f"""{TITLE} as title_id, 'stars' as rating_kind, (draw_b % 11)::double as value""",
    ),
}


def land(home: Path, *, events: int, days: int, first: int = 0) -> None:
    """Write the events of `days` days from day `first` on; `events` is of a whole year."""
    import duckdb

    members, titles = max(100, events // EVENTS_A_MEMBER), min(10_000, 500 + events // 1000)
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as database:
        database.execute("set preserve_insertion_order = false")
        for stream, (share, columns) in STREAMS.items():
            a_day = int(events * share) // 365
            folder = home / "landing" / stream
            folder.mkdir(parents=True, exist_ok=True)
            for day in range(first, first + days):
                target = folder / f"dt={FIRST_DAY + timedelta(days=day)}"
                target.mkdir()
                _land_day(database, stream, columns, day, a_day, members, titles, target)
        if first == 0:
            _land_catalogue(database, home, members, titles)


def _land_day(database, stream, columns, day, a_day, members, titles, target) -> None:
    """What reached the service on one day: nearly all that happened then, and what is late."""
    # A late event happened one to three days before; each day has as many of one as of the other.
    drawn = f"""
        from (
            select number, unnest(case when hash(number) % 200 = 0 then [1, 2] else [1] end)
            from range($first, $first + $count) as numbers (number)
        ) as numbers (number, copy),
        lateral (
            select
                (hash(number * 4) >> 8)::bigint as draw_a, (hash(number * 4 + 1) >> 8)::bigint as draw_b,
                (hash(number * 4 + 2) >> 8)::bigint as draw_c, (hash(number * 4 + 3) >> 8)::bigint as draw_d
        ) as draws
    """
    sql = f"""
        select
            md5($stream || numbers.number) as event_id,
            happened_at - to_hours(case when draw_b % 100 = 0 then 24 + draw_c % 48 else 0 end) as event_at,
            happened_at + to_seconds(20 + copy) as received_at,
            'm' || lpad((draw_a % $members)::varchar, 8, '0') as member_id,
            ['US', 'DE', 'IN', 'BR', 'JP'][1 + (draw_a % $members) % 5] as country,
            ['tv', 'phone', 'tablet', 'web', 'console'][1 + draw_c % 5] as device,
            ([-300, 60, 330, -180, 540][1 + (draw_a % $members) % 5])::bigint as utc_offset_minutes,
            {columns}
        {drawn}, lateral (
            select $day::timestamp + to_seconds(draw_d % 86000) as happened_at
        ) as moments
    """
    values = {
        "stream": stream,
        "first": day * a_day,
        "count": a_day,
        "members": members,
        "titles": titles,
        "day": FIRST_DAY + timedelta(days=day),
    }
    used = {name: value for name, value in values.items() if f"${name}" in sql}
    database.execute(f"copy ({sql}) to '{target / 'part.parquet'}' (format parquet)", used)


def _land_catalogue(database, home, members, titles) -> None:
    day = FIRST_DAY
    for stream, sql in {
        "members": """
            select 'm' || lpad(number::varchar, 8, '0') as member_id, date '2024-01-01' as joined_on,
            ['US', 'DE', 'IN', 'BR', 'JP'][1 + number % 5] as country,
            ['basic', 'standard', 'premium'][1 + number % 3] as plan
            from range($members) as numbers (number)""",
        "titles": """
            select 't' || lpad(number::varchar, 6, '0') as title_id, 'Title ' || number as name,
            ['movie', 'series'][1 + number % 2] as title_kind, 5400::bigint as runtime_seconds,
            date '1980-01-01' + (hash(number) % 16000)::int as released_on,
            ['genre ' || hash(number * 3) % 20, 'genre ' || hash(number * 3 + 1) % 20] as genres,
            ['theme ' || hash(number * 5) % 200] as themes,
            ['director ' || hash(number * 7) % 2000] as directors,
            ['actor ' || hash(number * 11) % 8000, 'actor ' || hash(number * 11 + 1) % 8000,
             'actor ' || hash(number * 11 + 2) % 8000] as actors
            from range($titles) as numbers (number)""",
    }.items():
        target = home / "landing" / stream / f"dt={day}"
        target.mkdir(parents=True)
        values = {"members": members, "titles": titles}
        used = {name: value for name, value in values.items() if f"${name}" in sql}
        database.execute(f"copy ({sql}) to '{target / 'part.parquet'}' (format parquet)", used)


# ---------- the steps, each in a process of its own


def step_receive(settings: Settings, last_day: date) -> object:
    from matinee import pipeline

    return sum(t.received for t in pipeline.receive(settings).totals.values())


def step_dbt(settings: Settings, last_day: date) -> object:
    from matinee import transform

    built = transform.build(
        project=settings.project,
        home=settings.home,
        as_of=pipeline_as_of(last_day),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
    return dict(built.seconds)


def pipeline_as_of(last_day):
    from datetime import UTC, datetime

    return datetime.combine(last_day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)


def step_export(settings: Settings, last_day: date) -> object:
    from matinee import warehouse

    return sum(one.rows for one in warehouse.export_features(settings.home))


STEPS: dict[str, Callable[[Settings, date], object]] = {
    "receive": step_receive,
    "dbt": step_dbt,
    "export": step_export,
}


def main() -> None:
    if sys.argv[1:2] == ["step"]:
        name, home, last_day = sys.argv[2:5]
        began = time.perf_counter()
        answer = STEPS[name](Settings(home=Path(home)), date.fromisoformat(last_day))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(
            json.dumps(
                {
                    "step": name,
                    "seconds": round(time.perf_counter() - began, 2),
                    "cpu": round(usage.ru_utime + usage.ru_stime, 2),
                    "peak_mb": usage.ru_maxrss // 1024,
                    "answer": answer,
                }
            )
        )
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--home", type=Path, default=Path("/tmp/s/home"))
    args = parser.parse_args()
    for events in args.events:
        home = args.home / str(events)
        shutil.rmtree(home, ignore_errors=True)
        t = time.time()
        land(home, events=events, days=args.days - 1)
        print("landed", round(time.time() - t, 1))
        for which in ("full", "day"):
            if which == "day":
                land(home, events=events, days=1, first=args.days - 1)
            last = FIRST_DAY + timedelta(days=args.days - (2 if which == "full" else 1))
            for name in STEPS:
                out = subprocess.run(
                    [sys.executable, "-m", "benchmarks.logs", "step", name, str(home), str(last)],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                ).stdout
                said = json.loads(out.strip().splitlines()[-1])
                answer = said.pop("answer")
                print(which, said, answer if not isinstance(answer, dict) else "", flush=True)
                if isinstance(answer, dict):
                    for node, seconds in sorted(answer.items(), key=lambda o: -o[1])[:45]:
                        print("     ", node, seconds)


if __name__ == "__main__":
    main()
