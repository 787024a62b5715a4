"""What abuse buys: the target's exposure and the night's time, before and after.

    python -m benchmarks.abuse --members 600 --titles 800 --days 30
    python -m benchmarks.abuse --only ring --fillers 12 --patience 3

Each case is a night of its own over the same simulated logs with one thing added: a bot that plays
one title a million times, a ring of new accounts that push it, or hostile text in columns of text
and a line of 20 MB. Exposure is the share of genuine members who have the target among their first
ten titles, and in their whole list. The target is a title that no member was shown before.
Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import landing, pipeline, warehouse
from matinee.errors import MatineeError
from matinee.settings import Settings

BOT_PLAYS = 1_000_000
RINGS = (0.01, 0.03, 0.05)
RING_DAYS = 3
"""Days on which each account of a ring plays and rates the target."""
LONG_LINE_BYTES = 20_000_000
HOSTILE = (
    "x'); drop table titles; --",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "../../../../etc/passwd",
    "nul\x00byte",
    "\u202egnp.exe",
    "\x1b[2J\x1b]0;owned\x07",
    "{{ 7 * 7 }}",
)
TEXTS = {
    "searches": ("query_text",),
    "titles": ("name", "language", "synopsis", "ai_disclosure"),
    "members": ("plan", "language", "gender"),
    "plays": ("impression_id",),
}

Plant = Callable[[Path, "Scene"], None]


class Scene:
    """What an attacker can know: the days, the genuine members, popular titles, and a target."""

    def __init__(self, home: Path, shown: dict[str, list[str]], fillers: int) -> None:
        entries = landing.read_ledger(home).received
        self.days = sorted({one.landed_on for one in entries if one.stream == "plays"})
        self.members = sorted(shown)
        played = warehouse.query(
            "select title_id, count(distinct member_id) as members from member_title_signals "
            "group by title_id order by members desc, title_id",
            home=home,
        )["title_id"].to_pylist()
        exposed = {title for titles in shown.values() for title in titles}
        titles = warehouse.query(
            "select title_id from titles where not is_retired and coalesce(minimum_age, 0) < 12 "
            "and title_id not in (select title_id from title_windows) order by title_id",
            home=home,
        )["title_id"].to_pylist()
        self.popular = played[:fillers]
        self.target = next(title for title in titles if title not in exposed)


def bot(home: Path, scene: Scene) -> None:
    """One genuine account, taken over, plays the target a million times."""
    share = BOT_PLAYS // len(scene.days)
    for day in scene.days:
        at = datetime.combine(day, datetime.min.time())
        instants = [at + timedelta(milliseconds=2 * n) for n in range(share)]
        land(
            home,
            "plays",
            day,
            [
                {
                    "event_id": f"bot-{day}-{n}",
                    "event_at": instant,
                    "received_at": instant,
                    "member_id": scene.members[-1],
                    "title_id": scene.target,
                    "watched_seconds": 7000,
                }
                for n, instant in enumerate(instants)
            ],
        )


def ring(share: float, patience: int) -> Plant:
    """New accounts, a share of all members, that play popular titles and push the target.

    Before they do, they are used on `patience` days.
    """

    def plant(home: Path, scene: Scene) -> None:
        names = [f"ring-{n:04d}" for n in range(max(1, round(share * len(scene.members))))]
        joined = {"joined_on": scene.days[0], "country": "US", "language": "en"}
        rows = [{"member_id": name, **joined} for name in names]
        land(home, "members", newest_day(home, "members"), rows)
        for number, day in enumerate(scene.days[-patience - RING_DAYS - 7 : -7]):
            at = datetime.combine(day, datetime.min.time()) + timedelta(hours=20)
            plays, ratings = [], []
            for name in names:
                act = {"event_at": at, "received_at": at, "member_id": name}
                pushed = [scene.target] * (number >= patience)
                shown = scene.popular if number == patience else scene.popular[:1]
                watched = [*pushed, *(shown if number <= patience else ())]
                plays += [
                    act | {"event_id": f"{name}-{day}-{t}", "title_id": t, "watched_seconds": 7000}
                    for t in watched
                ]
                stars = {"rating_kind": "stars", "value": 10.0}
                ratings += [
                    act | {"event_id": f"{name}-{day}-r", "title_id": t, **stars} for t in pushed
                ]
            land(home, "plays", day, plays)
            if ratings:
                land(home, "ratings", day, ratings)

    return plant


def hostile(home: Path, scene: Scene) -> None:
    """Hostile text in text columns of copied rows, and one line of 20 MB."""
    contract = landing.load(Settings().project)
    for stream, columns in TEXTS.items():
        day = newest_day(home, stream)  # a snapshot of its own would retire all other titles
        key = {"titles": "title_id", "members": "member_id"}.get(stream, "event_id")
        first = warehouse.query(
            f"select * from stg_{contract.streams[stream].source}__{stream} order by all limit 1",
            home=home,
        ).to_pylist()[0]
        row = {name: first[name] for name in contract.streams[stream].names}
        rows = [
            row | {key: f"hostile-{column}-{n}", column: text}
            for column in columns
            for n, text in enumerate(HOSTILE)
        ]
        rows += [row | {key: text} for text in HOSTILE]
        land(home, stream, day, rows)
    line = json.dumps({"event_id": "long", "query_text": "x" * LONG_LINE_BYTES})
    folder = home / "landing" / "searches" / f"dt={scene.days[-1]}"
    (folder / "long.jsonl").write_text(f"{line}\n", encoding="utf-8")


def newest_day(home: Path, stream: str) -> date:
    """The day of a stream's newest files."""
    newest = max((home / "landing" / stream).glob("dt=*")).name
    return date.fromisoformat(newest.removeprefix("dt="))


def land(home: Path, stream: str, day: date, rows: list[dict[str, Any]]) -> None:
    """Put rows beside the day's genuine files."""
    landing.write(home, stream, day, pa.Table.from_pylist(rows), "abuse", "parquet")


def night(home: Path) -> tuple[dict[str, list[str]], dict[str, float], str]:
    """Each member's list, the seconds of each step, and the error that was accepted."""
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(what: str) -> Iterator[Callable[[int, int, str], None]]:
        started = time.monotonic()
        yield lambda done, total, name: None
        seconds[what] = seconds.get(what, 0.0) + time.monotonic() - started

    settings = Settings(home=home)
    wanted: dict[str, Any] = {"last_day": None, "full_refresh": False, "progress": timed}
    stopped_by = ""
    try:
        published = pipeline.run(settings, **wanted)
    except MatineeError as stopped:
        stopped_by = str(stopped)
        seconds.clear()
        published = pipeline.run(settings, **wanted, accepted=frozenset({"volume"}))
    shown: dict[str, list[str]] = {}
    slates = pq.read_table(published.path / "slates", columns=["member_id", "rank", "title_id"])
    for row in slates.sort_by([("member_id", "ascending"), ("rank", "ascending")]).to_pylist():
        shown.setdefault(row["member_id"], []).append(row["title_id"])
    return shown, seconds, stopped_by


def main() -> None:
    """Run every case and print what it bought."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--members", type=int, default=600)
    parser.add_argument("--titles", type=int, default=800)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--fillers", type=int, default=12, help="Popular titles that a ring plays for show."
    )
    parser.add_argument(
        "--patience", type=int, default=0, help="Days on which a ring was used before."
    )
    parser.add_argument("--only", default="", help="Cases whose names hold this, as in `bot`.")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        size = {"members": wanted.members, "titles": wanted.titles, "days": wanted.days}
        pipeline.simulate(logs, **size, seed=wanted.seed)
        honest = Path(folder) / "honest"
        shutil.copytree(logs, honest)
        shown, seconds, _ = night(honest)
        scene = Scene(honest, shown, wanted.fillers)
        write_line(
            "| case | in the first 10 | in the list | night s | of it dbt s | stopped first by |"
        )
        write_line("|---|---|---|---|---|---|")
        print_case("nothing added", shown, seconds, "", scene)
        cases: dict[str, Plant] = {f"bot, {BOT_PLAYS:,} plays": bot}
        cases |= {
            f"ring of {share:.0%} of members": ring(share, wanted.patience) for share in RINGS
        }
        cases |= {"hostile text, a line of 20 MB": hostile}
        for name, plant in cases.items():
            if wanted.only not in name:
                continue
            home = Path(folder) / "case"
            shutil.copytree(logs, home)
            # `hostile` copies rows that were staged, so it reads the honest warehouse.
            shutil.copytree(honest / "warehouse", home / "warehouse")
            shutil.copytree(honest / "received", home / "received")
            plant(home, scene)
            shutil.rmtree(home / "warehouse")
            shutil.rmtree(home / "received")
            try:
                print_case(name, *night(home), scene)
            except MatineeError as stopped:
                write_line(f"| {name} | | | | | {stopped} |")
            shutil.rmtree(home)


def print_case(
    name: str,
    shown: dict[str, list[str]],
    seconds: dict[str, float],
    stopped_by: str,
    scene: Scene,
) -> None:
    """One line of the table; genuine members only."""
    lists = [shown[member] for member in scene.members if member in shown]
    first = sum(scene.target in titles[:10] for titles in lists)
    whole = sum(scene.target in titles for titles in lists)
    dbt = next(value for step, value in seconds.items() if "dbt" in step)
    write_line(
        f"| {name} | {first:,} of {len(lists):,} ({first / len(lists):.1%}) |"
        f" {whole:,} ({whole / len(lists):.1%}) | {sum(seconds.values()):.0f} | {dbt:.0f} |"
        f" {stopped_by.replace('|', '/')[:200]} |"
    )


def write_line(line: str) -> None:
    """Print at once: a case takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
