"""A file in the wrong place is reported with the right path; none is ignored."""

import json

import pytest

from matinee import landing, pipeline
from matinee.errors import DataError
from matinee.settings import Settings
from tests.landing.conftest import ROOT

PLAY = {
    "event_id": "e1",
    "event_at": "2026-03-01T10:00:00Z",
    "received_at": "2026-03-01T10:00:01Z",
    "member_id": "m1",
    "title_id": "t1",
    "watched_seconds": 60,
}
LINE = json.dumps(PLAY).encode() + b"\n"
DAY = "plays/dt=2026-03-01"

RIGHT = {
    "plays/a.jsonl": "plays/dt=YYYY-MM-DD/a.jsonl",
    "plays/export-2026-03-01.jsonl": f"{DAY}/export-2026-03-01.jsonl",
    "plays/export_20260301.NDJSON": f"{DAY}/export_20260301.jsonl",
    "plays/dt=2026-3-1/a.jsonl": DAY,
    "plays/DT=2026-03-01/a.jsonl": DAY,
    "plays/2026-03-01/a.jsonl": DAY,
    "plays/20260301/a.jsonl": DAY,
    "plays/date=2026-03-01/a.jsonl": DAY,
    "plays/dt=2026_03_01/a.jsonl": DAY,
    "plays/year=2026/month=3/day=1/a.json": f"{DAY}/a.jsonl",
    "plays/2026/03/01/a.jsonl": "plays/dt=YYYY-MM-DD/a.jsonl",
    f"{DAY}/hour=0/a.jsonl": f"{DAY}/hour=0-a.jsonl",
    f"{DAY}/part/x/a.json": f"{DAY}/part-x-a.jsonl",
    f"{DAY}/a.json": f"{DAY}/a.jsonl",
    f"{DAY}/a.ndjson": f"{DAY}/a.jsonl",
    f"{DAY}/a.json.gz": f"{DAY}/a.jsonl.gz",
    f"{DAY}/A.JSONL": f"{DAY}/A.jsonl",
    f"{DAY}/a.Csv": f"{DAY}/a.csv",
    f"{DAY}/a.tsv": f"{DAY}/a.csv",
    f"{DAY}/a.pq": f"{DAY}/a.parquet",
    "Plays/dt=2026-03-01/a.jsonl": "plays",
    "plays.csv": "plays/dt=YYYY-MM-DD/plays.csv",
    "ratings_2026-03-01.csv": "ratings/dt=2026-03-01/ratings_2026-03-01.csv",
    "dt=2026-03-01/plays/a.jsonl": f"{DAY}/a.jsonl",
}


def put(home, name, content=LINE):
    path = home / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_path_is_in_the_warning_and_is_received(zone, name):
    put(zone.home, name)
    (warning,) = zone.receive().warnings
    assert warning.endswith(f"; right is {RIGHT[name]}")
    (row,) = landing.unreceived(zone.home, zone.contract)
    assert (row.name, row.right) == (name, RIGHT[name])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (f"{DAY}/a.json", b"[\n" + LINE + b"]", "one JSON array: write one object a line"),
        (f"{DAY}/a.xlsx", b"PK", "save it as CSV"),
        (f"{DAY}/a.csv.zip", b"PK", "unpack it, or pack it with gzip"),
        (f"{DAY}/a.jsonl.zst", b"", "unpack it, or pack it with gzip"),
        (f"{DAY}/a.avro", b"", "write it as Parquet"),
        (f"{DAY}/.a.jsonl", LINE, "its name begins with a dot"),
        ("plays/dt=2026-02-30/a.jsonl", LINE, "there is no such day"),
        ("nonsense/dt=2026-03-01/a.jsonl", LINE, "no such stream"),
    ],
)
def test_where_no_other_path_helps_the_warning_says_what_does(zone, name, content, reason):
    put(zone.home, name, content)
    (warning,) = zone.receive().warnings
    assert reason in warning
    (row,) = landing.unreceived(zone.home, zone.contract)
    assert row.name == name


def test_every_file_that_does_not_count_is_explained(zone):
    zone.land("plays", "good.jsonl", LINE)
    zone.land("plays", "empty.jsonl", b"")
    zone.land("plays", "back.jsonl", LINE.replace(b"e1", b"e2"))
    put(zone.home, "truth.json", b"{}")
    put(zone.home, f"{DAY}/hour=0/a.jsonl")
    put(zone.home, f"{DAY}/hour=0/b.jsonl")
    zone.receive()
    zone.receive(withdraw=["plays/dt=2026-01-02/back.jsonl"])
    zone.land("plays", "new.jsonl", LINE)
    rows = pipeline.unreceived(Settings(home=zone.home, project=ROOT))
    assert {row["file"]: row["why"].partition(":")[0] for row in rows} == {
        "plays/dt=2026-01-02/back.jsonl": "withdrawn",
        "plays/dt=2026-01-02/empty.jsonl": "set aside",
        "plays/dt=2026-01-02/new.jsonl": "it has not been received yet",
        f"{DAY}/hour=0/a.jsonl": f"{DAY}/hour=0 is a folder in a day's folder",
        f"{DAY}/hour=0/b.jsonl": f"{DAY}/hour=0 is a folder in a day's folder",
        "truth.json": "beside the folders of the streams, so it is no log",
    }


def test_a_member_of_whom_only_landing_files_know_is_known_before_the_first_night(zone):
    put(zone.home, f"{DAY}/a.csv", b"event_id;MEMBER_ID\ne1;m-1\n")
    settings = Settings(home=zone.home, project=ROOT)
    pipeline.require_data(settings, "m-1")
    with pytest.raises(DataError, match="m-2"):
        pipeline.require_data(settings, "m-2")


def test_the_warnings_are_shown_though_the_night_stops(tmp_path):
    put(tmp_path, "plays/a.jsonl")
    put(tmp_path, "Titles/dt=2026-03-01/t.json")
    settings, said = Settings(home=tmp_path, project=ROOT), []
    with pytest.raises(DataError, match=r"no file of titles was ever received .*doctor --landing"):
        pipeline.run(
            settings,
            last_day=None,
            full_refresh=False,
            progress=lambda name: Quiet(),
            tell=said.append,
        )
    shown = "\n".join(said)
    assert "warning: plays/a.jsonl: not in a folder dt=YYYY-MM-DD; right is plays/dt=" in shown
    assert "warning: Titles: no such stream (did you mean titles?); right is titles" in shown


class Quiet:
    def __enter__(self):
        return lambda done, total, what: None

    def __exit__(self, *_):
        return None
