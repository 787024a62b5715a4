"""Whoever is erased is gone from every file that is received, however it spells its columns."""

import decimal
import io
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.pipeline import traces
from matinee.privacy import Traces
from tests.landing.conftest import ROOT, Zone

LEAVER, STAYER = "4711", "4712"
PLAY = {
    "event_id": ["e1", "e2"],
    "event_at": ["2026-01-02T10:00:00Z"] * 2,
    "received_at": ["2026-01-02T10:00:01Z"] * 2,
    "title_id": ["t1", "t1"],
    "watched_seconds": ["60", "60"],
}


def csv(name="member_id", delimiter=",", before=""):
    columns = {**PLAY, name: [LEAVER, STAYER]}
    rows = [columns, *zip(*columns.values(), strict=True)]
    return (before + "".join(delimiter.join(row) + "\n" for row in rows)).encode()


def parquet(name="member_id", values=(LEAVER, STAYER)):
    sink = io.BytesIO()
    ids = values if isinstance(values, pa.Array) else pa.array(values)
    pq.write_table(pa.table({**PLAY, name: ids}), sink)
    return sink.getvalue()


FILES = {
    "commas.csv": csv(),
    "semicolons.csv": csv(delimiter=";"),
    "tabs.csv": csv(delimiter="\t"),
    "bars.csv": csv(delimiter="|"),
    "sep.csv": csv(delimiter=";", before="sep=;\n"),
    "upper.csv": csv("MEMBER_ID"),
    "camel.csv": csv("memberId", ";"),
    "upper.parquet": parquet("MEMBER_ID"),
    "integers.parquet": parquet(values=pa.array([4711, 4712])),
    "doubles.parquet": parquet(values=pa.array([4711.0, 4712.0])),
    "bytes.parquet": parquet("Member ID", pa.array([b"4711", b"4712"], pa.binary(4))),
    "decimals.parquet": parquet(
        values=pa.array([decimal.Decimal(4711), decimal.Decimal(4712)], pa.decimal128(38, 9))
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_member_is_gone_and_the_others_stay(tmp_path, name):
    zone = Zone(tmp_path, landing.load(ROOT))
    zone.land("plays", name, FILES[name])
    zone.receive()
    assert sorted(zone.rows("plays", "member_id")) == [(LEAVER,), (STAYER,)]
    landing.erase(
        tmp_path, zone.contract, Traces.of([LEAVER]), traces.search(tmp_path, Traces.of([LEAVER]))
    )
    assert not traces.search(tmp_path, Traces.of([LEAVER]))
    assert traces.search(tmp_path, Traces.of([STAYER]))
    assert zone.rows("plays", "member_id") == [(STAYER,)]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_comes_again_does_not_bring_the_member_back(tmp_path, name):
    zone = Zone(tmp_path, landing.load(ROOT))
    at = landing.tombstones.datetime(2026, 1, 1)
    landing.tombstones.add(tmp_path, frozenset([LEAVER]), at)
    zone.land("plays", name, FILES[name])
    zone.receive()
    assert zone.rows("plays", "member_id") == [(STAYER,)]


def test_a_uuid_is_erased_as_it_is_received(tmp_path):
    zone = Zone(tmp_path, landing.load(ROOT))
    ids = [uuid.UUID(int=1), uuid.UUID(int=2)]
    zone.land("plays", "u.parquet", parquet(values=pa.array([u.bytes for u in ids], pa.uuid())))
    zone.receive()
    leaver = Traces.of([str(ids[0])])
    landing.erase(tmp_path, zone.contract, leaver, traces.search(tmp_path, leaver))
    assert zone.rows("plays", "member_id") == [(str(ids[1]),)]
    left = pq.read_table(tmp_path / "landing/plays/dt=2026-01-02/u.parquet")
    assert len(left) == 1
