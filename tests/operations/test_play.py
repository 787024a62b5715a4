"""The closed feedback loop: members use the API for a day, and the next night learns from it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from matinee import pipeline, warehouse
from matinee.errors import ConfigError
from matinee.releases import Store
from matinee.serving.pages import SHELF_KINDS
from matinee.serving.release_view import ReleaseView
from matinee.slates.sources import Source

DAY = "2026-01-31"
"""The day after the thirty of the simulated logs."""

TABLES = {
    "plays": "stg_playback__plays",
    "impressions": "stg_playback__impressions",
    "ratings": "stg_engagement__ratings",
    "searches": "stg_engagement__searches",
}

MATINEE = Path(sys.executable).parent / "matinee"


@contextmanager
def served(home, *options):
    """The address of a server; its files have their names when it has ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [MATINEE, "serve", "--port", str(port), "--workers", "1", *options]
    environment = {**os.environ, "MATINEE_HOME": str(home)}
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert server.poll() is None, server.stderr.read()
            try:
                answer(f"{url}/readyz")
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        server.stderr.close()


def answer(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


def landed(home, stream):
    files = sorted((home / "landing" / stream / f"dt={DAY}").glob("api-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def second_page(url, member):
    """Impressions of the second page of a member, as a client sends them."""
    page = answer(f"{url}/v1/members/{member}/page?at={DAY}T21:00:00Z&limit=2")
    more = answer(f"{url}/v1/pages/{page['page_id']}/next")
    places = {
        title["title_id"]: (2 + row, column, shelf["kind"])
        for row, shelf in enumerate(more["shelves"])
        for column, title in enumerate(shelf["titles"])
    }
    rows = [
        {
            "stream": "impressions",
            "event_id": f"second-{title}",
            "event_at": f"{DAY}T21:00:00Z",
            "member_id": member,
            "page_id": more["page_id"],
            "title_id": title,
        }
        for title in places
    ]
    sent = answer(f"{url}/v1/events?at={DAY}T21:00:05Z", rows)
    assert sent == {"accepted": len(rows), "duplicates": 0, "rejected": []}
    return places


@pytest.mark.slow
def test_the_next_night_learns_from_what_members_did_at_the_api(copied, night):
    before = Store.of(copied).open("live")
    with served(copied, "--now", f"{DAY}T00:00:00Z") as url:
        played = pipeline.play(copied, url)
        places = second_page(url, "m-000001")
        known = {"titles": list(places)[:2]}
        assert answer(f"{url}/v1/session/page", known)["shelves"], "of two titles, too"
    assert played.on == date.fromisoformat(DAY)
    assert (played.rejected, played.errors, played.duplicates) == ({}, {}, 0)
    assert played.accepted == played.streams.total() > 500

    impressions, plays = landed(copied, "impressions"), landed(copied, "plays")
    acknowledged = played.accepted + len(places)
    assert sum(len(landed(copied, stream)) for stream in TABLES) == acknowledged
    followed = {row["impression_id"] for row in plays if row["impression_id"]}
    assert followed == {row["impression_id"] for row in impressions if row["was_clicked"]}
    assert len(followed) == played.clicks.total() > 30
    assert {
        row["title_id"]: (row["row_index"], row["column_index"], row["row_kind"])
        for row in impressions
        if row["event_id"].startswith("second-")
    } == places

    published = night(copied)
    after = Store.of(copied).open("live")
    assert after.id == published.release_id != before.id
    assert after.manifest["content_digest"] != before.manifest["content_digest"]
    received, rejected = rows_of_day(copied)
    assert (received, rejected) == (acknowledged, 0)
    assert pages_of_day(copied) == {(before.id, "matinee", 1.0)}
    assert_watched_titles_are_seen(ReleaseView.open(after), plays)


def rows_of_day(home):
    """Rows that landed on the day: in the warehouse, and rejected."""
    return tuple(
        sum(
            warehouse.query(
                f"select count(*) as n from {name} where landed_on = date '{DAY}'", home=home
            )["n"][0].as_py()
            for name in names
        )
        for names in (TABLES.values(), [f"rejected_{stream}" for stream in TABLES])
    )


def pages_of_day(home):
    """(release, policy, propensity) of the impressions of the day; each has a kind of shelf."""
    rows = warehouse.query(
        "select distinct release_id, policy_id, slot_propensity, row_kind "
        f"from stg_playback__impressions where landed_on = date '{DAY}'",
        home=home,
    ).to_pylist()
    kinds = {row["row_kind"] for row in rows}
    assert {"top_picks", "daypart"} <= kinds <= set(SHELF_KINDS)
    return {(row["release_id"], row["policy_id"], row["slot_propensity"]) for row in rows}


def assert_watched_titles_are_seen(view, plays):
    """In the release of the next night, of members who may be learned from."""
    watched = 0
    for row in plays:
        member = view.files.row_of(row["member_id"])
        is_short = row["watched_seconds"] < 0.05 * row["runtime_seconds"]
        if row["is_trailer"] or is_short or view.source_of(member) is Source.NON_PROFILED:
            continue
        title = view.title_numbers[row["title_id"]]
        assert title in view.seen(member)
        assert title in view.history(member)["title"]
        assert title not in view.slate(member, "next_visit")
        watched += 1
    assert watched > 20


def test_a_server_with_the_clock_of_the_machine_takes_no_events_of_another_time(copied):
    with (
        served(copied) as url,
        pytest.raises(ConfigError, match="takes no events of 2026-01-31: `at` is for a server"),
    ):
        pipeline.play(copied, url)


def test_a_day_that_is_simulated_already_is_not_played(copied):
    with pytest.raises(ConfigError, match="--day must be 2026-01-31 or later, got 2026-01-30"):
        pipeline.play(copied, "http://127.0.0.1:1", day=date(2026, 1, 30))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:1", "does not answer"),
        ("https://127.0.0.1:1", "must be the address of a server"),
        ("http://127.0.0.1:99999999", "must be the address of a server"),
        ("here", "must be the address of a server"),
    ],
)
def test_an_address_where_no_server_is_is_named(copied, url, message):
    with pytest.raises(ConfigError, match=message):
        pipeline.play(copied, url)


def test_members_are_played_where_they_were_simulated(home):
    with pytest.raises(ConfigError, match="run `matinee simulate` first"):
        pipeline.play(home, "http://127.0.0.1:1")
