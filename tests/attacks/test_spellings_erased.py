"""Whoever is erased is gone from every file that is received, however it spells its columns."""

import decimal
import io
import uuid
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.privacy import Traces
from matinee.rights import member_search
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


def named(home):
    """Every file: a search for one member is another test's."""
    return [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", FILES)
def test_the_member_is_gone_and_the_others_stay(tmp_path, name):
    zone = Zone(tmp_path, landing.load(ROOT))
    zone.land("plays", name, FILES[name])
    zone.receive()
    assert sorted(zone.rows("plays", "member_id")) == [(LEAVER,), (STAYER,)]
    landing.erase(tmp_path, zone.contract, Traces.of([LEAVER]), named(tmp_path))
    assert not member_search.search(tmp_path, Traces.of([LEAVER]))
    assert zone.rows("plays", "member_id") == [(STAYER,)]
    left = (tmp_path / "landing/plays/dt=2026-01-02" / name).read_bytes()
    assert name.endswith("parquet") or (LEAVER.encode() not in left and STAYER.encode() in left)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_comes_again_does_not_bring_the_member_back(tmp_path, name):
    zone = Zone(tmp_path, landing.load(ROOT))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    landing.tombstones.add(tmp_path, frozenset([LEAVER]), at)
    zone.land("plays", name, FILES[name])
    zone.receive()
    assert zone.rows("plays", "member_id") == [(STAYER,)]


def test_a_uuid_is_erased_as_it_is_received(tmp_path):
    zone = Zone(tmp_path, landing.load(ROOT))
    ids = [uuid.UUID(int=1), uuid.UUID(int=2)]
    zone.land("plays", "u.parquet", parquet(values=pa.array([u.bytes for u in ids], pa.uuid())))
    zone.receive()
    landing.erase(tmp_path, zone.contract, Traces.of([str(ids[0])]), named(tmp_path))
    assert zone.rows("plays", "member_id") == [(str(ids[1]),)]
    left = pq.read_table(tmp_path / "landing/plays/dt=2026-01-02/u.parquet")
    assert len(left) == 1


@pytest.mark.parametrize("name", FILES)
def test_no_outside_id_is_received_into_a_home_of_pseudonyms(tmp_path, name):
    zone = Zone(tmp_path, landing.load(ROOT))
    zone.land("plays", name, FILES[name])
    landing.pseudonyms.pseudonymise(tmp_path, zone.contract)
    ours = [landing.pseudonyms.name_of(tmp_path, one) for one in (LEAVER, STAYER)]
    content = (tmp_path / "landing/plays/dt=2026-01-02" / name).read_bytes()
    landing.pseudonyms.pseudonymise(tmp_path, zone.contract)
    assert (tmp_path / "landing/plays/dt=2026-01-02" / name).read_bytes() == content
    zone.receive()
    assert sorted(zone.rows("plays", "member_id")) == sorted((one,) for one in ours)


@pytest.mark.parametrize("missing", ["NaN", "null", r"\N"])
def test_a_missing_id_gets_no_pseudonym(tmp_path, missing):
    zone = Zone(tmp_path, landing.load(ROOT))
    zone.land("plays", "p.csv", csv().replace(b"4711", missing.encode()))
    landing.pseudonyms.pseudonymise(tmp_path, zone.contract)
    assert zone.receive().rules["plays"] == {"missing_field:member_id": 1}
