"""The closed feedback loop to watch: a night, a server, a day of members, the next night.

Run by `make demo`. It works in a home of its own, which it removes at the end; --keep keeps it.
Members are simulated, with planted tastes: what they do shows that the loop is closed and no more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from matinee import pipeline, warehouse
from matinee.errors import IntegrityError, MatineeError
from matinee.operations.api_client import ApiClient
from matinee.operations.play import PlayedDay, simulated
from matinee.releases import Store
from matinee.settings import Settings
from matinee.simulator.tables import member_id
from matinee.simulator.viewers import Viewers

ROOT = Path(__file__).resolve().parent.parent
TOP = 10
SWAP_SECONDS = 90
console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    options = _options()
    home = Path(tempfile.mkdtemp(prefix="matinee-demo-")) / "home"
    settings = Settings(home=home)
    try:
        _play(settings, options)
    except MatineeError as error:
        console.print(f"demo: {error}", markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        if options.keep:
            console.print(f"\nkept: MATINEE_HOME={home}")
        else:
            shutil.rmtree(home.parent, ignore_errors=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=300)
    parser.add_argument("--titles", type=int, default=400)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the home, and say where it is")
    return parser.parse_args()


def _play(settings: Settings, options: argparse.Namespace) -> None:
    home = settings.home.resolve()
    _heading(1, f"{options.days} days of raw logs of {options.members} simulated members")
    given = {name: getattr(options, name) for name in ("members", "titles", "days", "seed")}
    with _step("simulate") as step:
        done = pipeline.simulate(home, **given, progress=step)
    console.print(f"{sum(done.rows.values()):,} rows in {home / 'landing'}", markup=False)
    _heading(2, "A night: logs to a signed release")
    before = _night(settings)
    simulation = simulated(home)
    day = simulation.tables.on(simulation.days)
    viewers = Viewers(simulation, simulation.days, seed=simulation.seed)
    _heading(3, f"The server answers from it, and members come: {day}")
    with _server(home, f"{day}T00:00:00Z") as url:
        client = ApiClient(url)
        evening = viewers.instant(20 * 3600)
        picks = _top_picks(client, viewers, evening)
        with _step("a day") as step:
            played = pipeline.play(home, url, progress=step)
        _tell_day(home, played)
        _heading(4, "The next night, while the server answers")
        _wait_for_files(home)
        after = _night(settings)
        _wait_for(client, after)
        console.print(f"the server answers from {after}, without a restart")
        _heading(5, "What changed")
        _tell_change(settings, viewers, played, before, after)
        again = _top_picks(client, viewers, evening + timedelta(days=1))
        client.close()
    _tell_taste(viewers, picks, again)


def _night(settings: Settings) -> str:
    """Run a night; the id of its release."""
    began = time.monotonic()
    with console.status("begins") as status:

        @contextmanager
        def reporter(title: str) -> Iterator[object]:
            status.update(f"{title} ...")
            yield lambda done, total, name: None

        published = pipeline.run(settings, last_day=None, full_refresh=False, progress=reporter)
    published.raise_if_refused()
    release = Store.of(settings.home).open("live")
    received = sum(row["kept"] for row in release.manifest["received"])
    console.print(
        f"{release.id} is live: {received:,} rows, gate PASS ({time.monotonic() - began:.0f} s)"
    )
    return str(release.id)


@contextmanager
def _server(home: Path, now: str) -> Iterator[str]:
    """A server, for as long as it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).parent / "matinee", "serve", "--port", str(port), "--now", now]
    environment = {**os.environ, "MATINEE_HOME": str(home)}
    log = home.parent / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=output, stderr=output, cwd=ROOT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(server, url, log)
        console.print(f"matinee serve --port {port} --now {now}")
        yield url
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise MatineeError(f"matinee serve ended: {log.read_text(errors='replace').strip()}")
        try:
            client = ApiClient(url)
        except MatineeError:
            time.sleep(0.2)
            continue
        is_ready = bool(client.release_id())
        client.close()
        if is_ready:
            return
    raise MatineeError("matinee serve did not begin to answer within 120 s")


def _wait_for(client: ApiClient, release_id: str) -> None:
    for _ in range(SWAP_SECONDS * 2):
        if client.release_id() == release_id:
            return
        time.sleep(0.5)
    raise MatineeError(f"the server did not open {release_id} within {SWAP_SECONDS} s")


def _wait_for_files(home: Path) -> None:
    """Until the server has closed its landing files: a night leaves open ones alone."""
    for _ in range(SWAP_SECONDS * 2):
        if not list((home / "landing").glob("*/dt=*/.api-*")):
            return
        time.sleep(0.5)


def _top_picks(client: ApiClient, viewers: Viewers, at: datetime) -> dict[int, list[str]]:
    """The first titles of Top picks of every member."""
    picks = {}
    for member in range(len(viewers.audience.people)):
        page = client.page(member_id(member), at)
        for shelf in page.shelves if page else ():
            if shelf.kind == "top_picks":
                picks[member] = [title for title, _ in shelf.titles[:TOP]]
    return picks


def _tell_day(home: Path, played: PlayedDay) -> None:
    for line in played.summary().split("\n"):
        console.print(line, markup=False)
    console.print(f"{'shelf':20} {'shown':>7} {'clicks':>7} {'take rate':>10} {'of plays':>9}")
    for row in played.shelves():
        shown, clicks = ("" if row[name] is None else row[name] for name in _COUNTS)
        rate, share = row["take rate"] or "", row["share of plays"] or ""
        console.print(f"{row['shelf']:20} {shown!s:>7} {clicks!s:>7} {rate:>10} {share:>9}")
    usual = warehouse.query(_USUAL, home=home).to_pylist()[0]
    console.print(
        f"The simulated homepage before: {100 * usual['clicks'] / usual['pages']:.1f} % of visits "
        "with a click (it has no Continue watching)"
    )


_COUNTS = ("titles shown", "clicks")

_LANDED = """
    select
        count(*) filter (where stream = 'impressions') as impressions,
        count(*) filter (where stream = 'plays') as plays,
        count(*) filter (where stream = 'ratings') as ratings,
        count(*) filter (where stream = 'searches') as searches
    from (
        select 'impressions' as stream, landed_on from stg_playback__impressions
        union all
        select 'plays', landed_on from stg_playback__plays
        union all
        select 'ratings', landed_on from stg_engagement__ratings
        union all
        select 'searches', landed_on from stg_engagement__searches
    )
    where landed_on = ?
"""

_USUAL = """
    select count(distinct page_id) as pages, count(*) filter (where was_clicked) as clicks
    from stg_playback__impressions
"""


def _tell_change(
    settings: Settings, viewers: Viewers, played: PlayedDay, before: str, after: str
) -> None:
    store = Store.of(settings.home)
    difference = store.diff(before, after)
    (learned,) = warehouse.query(_LANDED, [played.on], home=settings.home).to_pylist()
    console.print(
        f"{played.accepted:,} events acknowledged, {sum(learned.values()):,} in the warehouse: "
        + ", ".join(f"{count:,} {stream}" for stream, count in learned.items())
    )
    if played.rejected or sum(learned.values()) != played.accepted:
        raise IntegrityError(f"not every event of {played.on} is in the warehouse")
    console.print(
        f"{100 * difference.overlap_at_10:.0f} % of the first ten titles of a slate stay, "
        "on average of members"
    )
    for row in difference.metrics:
        if (row["model"], row["cohort"], row["metric"]) == ("hybrid", "everyone", "ndcg@10"):
            value = f"{row['before']:.4f} -> {row['after']:.4f}"
            doubt = "" if row["is_clear"] else ", statistically inconclusive"
            is_carried = row["before"] == row["after"]
            console.print(
                f"NDCG@10 {row['after']:.4f}, carried over: this night evaluates no model anew"
                if is_carried
                else f"NDCG@10 {value}{doubt}: each night holds out its own last days"
            )
    for member in _examples(viewers):
        name = member_id(member)
        console.print(f"\n{name}, first five titles")
        old, now = (
            [row["title"] for row in pipeline.recommend(settings, name, k=5, release=one)]
            for one in (before, after)
        )
        for left, right in zip(old, now, strict=True):
            mark = " " if right in old else "+"
            console.print(f"  {left[:44]:44} {mark} {right[:50]}", markup=False)


def _examples(viewers: Viewers) -> Sequence[int]:
    """Three members who came."""
    return list(dict.fromkeys(viewers.member.tolist()))[:3]


def _tell_taste(
    viewers: Viewers, before: dict[int, list[str]], after: dict[int, list[str]]
) -> None:
    came = set(viewers.member.tolist())
    both = sorted(before.keys() & after.keys())
    console.print("\nplanted taste of the first ten Top picks, in standard deviations")
    for label, members in (
        ("members who came", [one for one in both if one in came]),
        ("all others", [one for one in both if one not in came]),
    ):
        old, new = (
            np.array([_mean_score(viewers, one, picks[one]) for one in members])
            for picks in (before, after)
        )
        change = new - old
        error = change.std(ddof=1) / len(change) ** 0.5
        console.print(
            f"  {label:17} {old.mean():.3f} -> {new.mean():.3f}  change {change.mean():+.3f} "
            f"+- {1.96 * error:.3f}  ({len(members)} members)"
        )


def _mean_score(viewers: Viewers, member: int, titles: Sequence[str]) -> float:
    numbers = np.array([[viewers.title_numbers[one] for one in titles]])
    return float(viewers.audience.taste.score(np.array([member]), numbers).mean())


def _heading(number: int, text: str) -> None:
    console.print(f"\n[bold]{number}  {text}[/bold]")


@contextmanager
def _step(what: str) -> Iterator[pipeline.Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30))
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)

        def step(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{what}  {name}")

        yield step


if __name__ == "__main__":
    sys.exit(main())
