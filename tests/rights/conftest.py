"""A home with received landing files of every format for two members."""

import gzip
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing

ROOT = Path(__file__).resolve().parents[2]
LEAVER, STAYER = "m-000017", "m-000018"


def play(number, member):
    return {
        "event_id": f"p{number}",
        "event_at": "2026-01-02T10:00:00Z",
        "received_at": "2026-01-02T10:00:01Z",
        "member_id": member,
        "title_id": "t1",
        "watched_seconds": 60,
    }


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


class Zone:
    """A home in which LEAVER is in landing files of every format."""

    def __init__(self, home):
        self.home = home
        self.contract = landing.load(ROOT)
        day = home / "landing/{}/dt=2026-01-02"
        self.plays = Path(str(day).format("plays")) / "a.jsonl"
        self.searches = Path(str(day).format("searches")) / "s.csv"
        self.members = Path(str(day).format("members")) / "m.parquet"

    def fill(self, receive=True):
        title = {"title_id": "t1", "name": "Heat", "title_kind": "movie"}
        self.land("titles", "t.jsonl", lines([title]))
        self.land("plays", "a.jsonl", lines([play(1, STAYER), play(2, LEAVER), play(3, STAYER)]))
        self.land("plays", "b.jsonl.gz", gzip.compress(lines([play(4, LEAVER)])))
        self.land("plays", "c.jsonl", b"torn line of m-000017\n" + lines([play(5, STAYER)]))
        searches = (
            b"event_id,event_at,received_at,member_id,query_text\n"
            b's1,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,m-000017,"two\nlines"\n'
            b"s2,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,m-000018,heat\n"
        )
        self.land("searches", "s.csv", searches)
        members = pa.table({"member_id": [LEAVER, STAYER], "joined_on": ["2026-01-01"] * 2})
        self.members.parent.mkdir(parents=True)
        pq.write_table(members, self.members)
        if receive:
            self.receive()

    def land(self, stream, name, content, day="2026-01-02"):
        path = self.home / "landing" / stream / f"dt={day}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def receive(self):
        return landing.receive(
            home=self.home, contract=self.contract, threads=2, memory_limit="1GB"
        )

    def rows(self, table, column):
        """A column in the order of batches, files and lines; DuckDB's threads keep none."""
        paths = sorted((self.home / "received" / table).glob("*/*.parquet"))
        rows = [
            (str(path.parent), row) for path in paths for row in pq.read_table(path).to_pylist()
        ]
        rows.sort(key=lambda one: (one[0], one[1]["file"], one[1]["line"]))
        return [row[column] for _, row in rows]


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    home = tmp_path_factory.mktemp("zone")
    Zone(home).fill()
    return home


@pytest.fixture
def zone(home, filled):
    return Zone(shutil.copytree(filled, home))
