"""Events: what is accepted is received, what breaks a rule is said, and nothing else is stopped."""

import errno
import os
import stat
from datetime import UTC, date, datetime, timedelta

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matinee import landing
from matinee.errors import StorageError
from matinee.landing.api import check_rows, log_files
from matinee.landing.api.log_files import LogFiles, adopt
from tests.landing.conftest import ROOT

CONTRACT = landing.load(ROOT)

STREAMS = ("plays", "ratings", "searches", "impressions")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

RECEIVED = "2026-01-21T01:00:00.000000Z"


def play(number, member, **more):
    return {
        "stream": "plays",
        "event_id": f"e-{number}",
        "event_at": "2026-01-20T10:00:00Z",
        "member_id": member,
        "title_id": "t-1",
        "watched_seconds": 60,
    } | more


def test_one_bad_row_refuses_no_other(client, members):
    rows = [
        play("bad-1", members[0], watched_seconds="many"),
        play("good-1", members[0]),
        7,
        play("bad-2", members[0], query_text="x"),
        play("good-1", members[0]),
        {"stream": "consents"},
        play("bad-3", members[0], received_at="2026-01-20T10:00:00Z"),
        play("good-2", members[0], position_seconds="", utc_offset_minutes=None, country=""),
    ]
    answer = client.post("/v1/events", json=rows).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    found = {one["index"]: (one["column"], one["rule"]) for one in answer["rejected"]}
    assert found == {
        0: ("watched_seconds", "mistyped_field"),
        2: ("", "unreadable_line"),
        3: ("query_text", "unknown_field"),
        5: ("stream", "not_allowed"),
        6: ("received_at", "set_by_server"),
    }
    assert client.get(f"/v1/members/{members[0]}/page").status_code == 200


def test_of_two_equal_keys_the_last_counts(client, members):
    text = orjson.dumps([play("twice", members[0])])
    text = text.replace(b'"e-twice"', b'"e-twice-1","event_id":"e-twice-2"')
    assert client.post("/v1/events", content=text).json()["accepted"] == 1
    text = orjson.dumps([play("twice-2", members[0])])
    assert client.post("/v1/events", content=text).json()["duplicates"] == 1


def test_a_long_field_is_rejected_by_its_rule(client, members):
    rows = [play("long", members[0], episode_label="x" * (64 << 10) + "y")]
    (rejected,) = client.post("/v1/events", json=rows).json()["rejected"]
    assert rejected["rule"] == "field_too_long"
    assert len(rejected["value"]) <= 60


def test_an_id_that_somebody_hid_a_title_with_cannot_be_guessed(client, served_home, members):
    title = client.get(f"/v1/members/{members[5]}/slate").json()["titles"][0]["title_id"]
    path = f"/v1/members/{members[5]}/not-interested"
    assert client.post(path, json={"title_id": title}).status_code == 202
    import hashlib

    guess = hashlib.sha256(f"{members[5]}\0{title}".encode()).hexdigest()[:24]
    rows = [play("x", members[0], event_id=f"hide-{guess}")]
    assert client.post("/v1/events", json=rows).json()["accepted"] == 1
    shown = client.get(f"/v1/members/{members[5]}/slate").json()["titles"]
    assert title not in {one["title_id"] for one in shown}


# ---------- what the API accepts is received

TEXTS = st.one_of(
    st.sampled_from(
        ["", "t-1", "NaN", "null", "none", "Infinity", "[x]", "{}", " a ", "é", "é", "\\N", "1e5"]
    ),
    st.text(max_size=12),
)

TIMES = st.one_of(
    st.integers(-2_240_000_000, 9_250_000_000).map(
        lambda seconds: (EPOCH + timedelta(seconds=seconds)).isoformat()
    ),
    st.sampled_from(
        [
            "2026-01-20T10:00:00Z",
            "2026-01-20T10:00Z",
            "2026-01-20T24:00:00Z",
            "2026-02-30T10:00:00Z",
            "2026-01-20T10:00:00+05:45",
            "2026-01-20T10:00:00-23:59",
            "2026-01-20T10:00:60Z",
            "2026-01-20T10:00:00.123Z",
        ]
    ),
)

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-5, 90_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-1, 0, 1, 0.5, 1e18, -0.0, 9.223372036854775e18]),
)

ANY = st.one_of(TEXTS, TIMES, NUMBERS, st.booleans(), st.none(), st.lists(TEXTS, max_size=2))


def value_of(column):
    by_type = {
        "bigint": NUMBERS,
        "double": NUMBERS,
        "boolean": st.booleans(),
        "timestamp": TIMES,
        "varchar[]": st.lists(TEXTS, max_size=3),
    }
    own = by_type.get(column.data_type, TEXTS)
    allowed = column.limits.allowed
    return st.one_of(st.sampled_from(allowed), own) if allowed else own


@st.composite
def rows_of(draw, stream):
    row = {}
    for column in CONTRACT.streams[stream].columns:
        if column.name == "received_at" or not (column.required or draw(st.booleans())):
            continue
        is_odd = draw(st.integers(0, 30)) == 0
        row[column.name] = draw(ANY if is_odd else value_of(column))
    return row | {"event_at": draw(st.sampled_from(["2026-01-20T10:00:00Z", row["event_at"]]))}


def accepted_rows(stream, rows):
    """Those that the API would land, as it would."""
    found = []
    for number, row in enumerate(rows):
        landed = {**row, "event_id": f"{stream}-{number}", "received_at": RECEIVED}
        if check_rows.first_broken_rule(CONTRACT.streams[stream], landed) is None:
            found.append(landed)
    return found


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_api_accepts_is_received(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("received") / "home"
    (home / "landing").mkdir(parents=True)
    title = {"title_id": "t-1", "name": "Heat", "title_kind": "movie"}
    folder = home / "landing/titles/dt=2026-01-21"
    folder.mkdir(parents=True)
    (folder / "t.jsonl").write_bytes(orjson.dumps(title))
    counts = {}
    files = LogFiles(home, "test")
    for stream in STREAMS:
        rows = accepted_rows(stream, data.draw(st.lists(rows_of(stream), min_size=15, max_size=40)))
        counts[stream] = len(rows)
        lines = [orjson.dumps(row) for row in rows]
        if lines:
            files.append({stream: lines}, date(2026, 1, 21))
    files.close()
    landing.receive(
        home=home, contract=CONTRACT, threads=1, memory_limit="500MB", today=date(2026, 1, 21)
    )
    received = {
        stream: [
            row
            for path in sorted(home.glob(f"received/{stream}/batch=*/*.parquet"))
            for row in pq.read_table(path, columns=["event_id"]).to_pylist()
        ]
        for stream in STREAMS
    }
    assert {stream: len(rows) for stream, rows in received.items()} == counts


# ---------- files


DAY = date(2026, 1, 21)


def names(home):
    return sorted(one.name for one in (home / "landing").glob("*/dt=*/*") if one.is_file())


def test_files_are_few_and_closed_a_little_later(tmp_path, monkeypatch):
    monkeypatch.setattr(log_files, "MOST_FILES", 3)
    files = LogFiles(tmp_path, "w")
    for number in range(9):
        files.append({"plays": [b'{"a":%d}' % number]}, DAY)
        files.settle(is_idle=True)
    found = names(tmp_path)
    assert len([one for one in found if not one.startswith(".")]) == 3
    assert files.has_open
    monkeypatch.setattr(log_files, "MINUTE", 0.0)
    files.settle(is_idle=True)
    assert len(names(tmp_path)) == 4
    folder = tmp_path / "landing/plays/dt=2026-01-21"
    text = b"".join((folder / one).read_bytes() for one in names(tmp_path))
    assert text.count(b"\n") == 9


def test_a_large_file_is_closed_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(log_files, "LARGEST_BYTES", 100)
    files = LogFiles(tmp_path, "w")
    for _ in range(4):
        files.append({"plays": [b"x" * 120]}, DAY)
        files.settle(is_idle=False)
    assert [one.startswith(".") for one in names(tmp_path)] == [False] * 4


def test_a_link_in_the_way_is_not_followed(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "home/landing/plays").mkdir(parents=True)
    (tmp_path / "home/landing/plays/dt=2026-01-21").symlink_to(other)
    with pytest.raises(StorageError, match="remove the link"):
        LogFiles(tmp_path / "home", "w").append({"plays": [b"{}"]}, DAY)
    assert list(other.iterdir()) == []


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    files, write = LogFiles(tmp_path, "w"), os.write
    files.append({"plays": [b"first"]}, DAY)

    def full(descriptor, data):
        if len(data) > 6:
            return write(descriptor, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError):
        files.append({"plays": [b"second"]}, DAY)
    monkeypatch.undo()
    files.append({"plays": [b"third"]}, DAY)
    files.close()
    (path,) = (tmp_path / "landing").glob("plays/dt=*/api-*.jsonl")
    assert path.read_bytes() == b"first\nthird\n"


def test_what_a_crash_left_is_adopted_and_open_files_are_not(tmp_path):
    crashed, alive = LogFiles(tmp_path, "one"), LogFiles(tmp_path, "two")
    for one in (crashed, alive):
        one.append({"plays": [b"{}"]}, DAY)
    for one in crashed._open.values():
        os.close(one.descriptor)
    assert adopt(tmp_path) == ["plays/dt=2026-01-21/api-one-00000001.jsonl"]
    alive.close()
    assert names(tmp_path) == ["api-one-00000001.jsonl", "api-two-00000001.jsonl"]


def test_a_file_that_was_written_anew_takes_no_more_events(tmp_path):
    files = LogFiles(tmp_path, "w")
    files.append({"plays": [b"first"]}, DAY)
    (path,) = (tmp_path / "landing").glob("plays/dt=*/.api-*.jsonl")
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    os.replace(copy, path)  # as an erasure does
    files.append({"plays": [b"second"]}, DAY)
    files.close()
    adopt(tmp_path)
    found = sorted(one.read_bytes() for one in (tmp_path / "landing").glob("plays/dt=*/api-*"))
    assert found == [b"first\n", b"second\n"]


def test_events_that_cannot_be_written_are_503_and_can_be_sent_again(client, members, monkeypatch):
    def full(self, lines, day):
        raise StorageError("the disk is full")

    rows = [play("again", members[0])]
    with monkeypatch.context() as patch:
        patch.setattr(LogFiles, "append", full)
        answer = client.post("/v1/events", json=rows)
        assert answer.status_code == 503
        assert "send them again" in answer.json()["detail"]
    assert client.post("/v1/events", json=rows).json()["accepted"] == 1


def test_a_database_that_fails_stops_no_later_events(client, members, monkeypatch):
    from matinee.recent_events import RecentEvents

    def broken(self, events):
        raise StorageError("recent.sqlite is full")

    with monkeypatch.context() as patch:
        patch.setattr(RecentEvents, "add", broken)
        assert client.post("/v1/events", json=[play("db-1", members[0])]).status_code == 503
    assert client.post("/v1/events", json=[play("db-2", members[0])]).json()["accepted"] == 1


def test_what_is_written_is_for_its_owner_only(client, served_home):
    folder = served_home / "serving"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("page.key", "current", "recent.sqlite"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
