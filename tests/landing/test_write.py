"""A landing file is put in place whole, reads back the same, and is never changed."""

import json
from datetime import date

import pyarrow as pa
import pytest

from matinee import landing
from matinee.errors import ConfigError, DataError


@pytest.mark.parametrize("format", ["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"])
def test_what_is_written_is_received_the_same(zone, contract, format):
    schema = landing.arrow_schema(contract.streams["titles"])
    title = {"title_id": "t9", "name": 'Amélie, "la"\nbelle', "title_kind": "movie"}
    title |= {"genres": ["A", "B"], "released_on": date(2001, 4, 25), "runtime_seconds": 7320}
    table = pa.Table.from_pylist([title], schema)
    paths = {
        landing.write(zone.home, "titles", date(2026, 1, 3), table, "n", format) for _ in range(2)
    }
    play = {"event_id": "e1", "event_at": "2026-01-02", "received_at": "2026-01-02"}
    play |= {"member_id": "m1", "title_id": "t1", "watched_seconds": 1}
    zone.land("plays", "a.jsonl", json.dumps(play).encode())
    assert zone.receive().warnings == ()
    assert len(paths) == 1
    found = zone.rows("titles", "file, " + ", ".join(title))
    assert found[-1] == (f"titles/dt=2026-01-03/n.{format}", *title.values())


def test_a_landing_file_is_never_changed(zone):
    table = pa.table({"title_id": ["t1"]})
    landing.write(zone.home, "titles", date(2026, 1, 3), table, "n")
    with pytest.raises(DataError, match=r"n.parquet is there with other bytes: land it under"):
        landing.write(zone.home, "titles", date(2026, 1, 3), table.slice(1), "n")
    assert [path.name for path in (zone.home / "landing/titles/dt=2026-01-03").iterdir()] == [
        "n.parquet"
    ]


def test_an_unknown_format_is_refused(zone):
    with pytest.raises(ConfigError, match=r"format must be one of jsonl, .*, got xml"):
        landing.write(zone.home, "titles", date(2026, 1, 3), pa.table({}), "n", "xml")
