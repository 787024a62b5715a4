"""Landing files get keyed pseudonyms instead of external ids before they are received."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee.landing import pseudonyms
from matinee.landing.pseudonyms import pseudonymise
from matinee.privacy import Traces
from matinee.rights import member_search
from tests.rights.conftest import LEAVER, STAYER, Zone, lines, play


@pytest.fixture
def landed(home):
    zone = Zone(home)
    zone.fill(receive=False)
    return zone


def test_external_ids_remain_in_unreadable_lines_only(landed):
    done = pseudonymise(landed.home, landed.contract)
    assert (done.files, done.received_before, done.unreadable) == (5, 0, 1)
    found = member_search.search(landed.home, Traces.of([LEAVER, STAYER]))
    assert set(found) == {"landing/plays/dt=2026-01-02/c.jsonl"}
    assert "1 lines cannot be read" in done.summary()


def test_a_member_has_one_pseudonym_in_every_format(landed):
    pseudonymise(landed.home, landed.contract)
    landed.receive()
    names = set(landed.rows("members", "member_id"))
    assert len(names) == 2
    assert all(name.startswith("p-") for name in names)
    assert set(landed.rows("plays", "member_id")) == names
    assert set(landed.rows("searches", "member_id")) == names
    assert len(set(landed.rows("plays", "event_id"))) == 5
    assert pseudonyms.name_of(landed.home, LEAVER) in names
    assert "two\nlines" in landed.rows("searches", "query_text")


def test_a_second_run_changes_nothing_and_received_files_are_kept(landed):
    pseudonymise(landed.home, landed.contract)
    before = landed.plays.read_bytes()
    pseudonymise(landed.home, landed.contract)
    assert landed.plays.read_bytes() == before
    landed.receive()
    done = pseudonymise(landed.home, landed.contract)
    assert (done.files, done.received_before) == (0, 5)
    assert not landed.receive().set_aside


def test_damaged_files_are_quarantined_unchanged(landed):
    cut = landed.members.with_name("cut.parquet")
    cut.write_bytes(landed.members.read_bytes()[:-9])
    empty = landed.land("plays", "empty.jsonl.gz", b"")
    flipped = landed.land("plays", "flipped.jsonl", lines([play(6, LEAVER)]))
    flipped.with_name("flipped.jsonl.sha256").write_text("0" * 64)
    damaged = {path: path.read_bytes() for path in (cut, empty, flipped)}
    done = pseudonymise(landed.home, landed.contract)
    assert (done.files, done.torn) == (5, 3)
    assert "3 files are not whole and will be quarantined" in done.summary()
    assert {path: path.read_bytes() for path in damaged} == damaged
    assert len(landed.receive().set_aside) == 3


def test_lines_that_are_not_text_are_unchanged_and_rejected(landed):
    half = landed.land("plays", "half.jsonl", b'{"member_id": "a", "title_id": "\\ud800"}\n')
    text = b"event_id,member_id,event_at,received_at,query_text\ns3,b,c,d,\xff\n"
    bytes_ = landed.land("searches", "bytes.csv", text)
    before = half.read_bytes(), bytes_.read_bytes()
    assert pseudonymise(landed.home, landed.contract).unreadable == 3
    assert (half.read_bytes(), bytes_.read_bytes()) == before
    landed.receive()
    assert len(landed.rows("rejected_searches", "line")) == 1


def test_an_id_that_is_not_text_is_rejected(landed):
    ids = pa.array([b"\xff", b"a"], pa.binary()).view(pa.string())
    path = landed.members.with_name("bytes.parquet")
    pq.write_table(pa.table({"member_id": ids, "joined_on": ["2026-01-01"] * 2}), path)
    pseudonymise(landed.home, landed.contract)
    landed.receive()
    assert len(landed.rows("rejected_members", "line")) == 1
    assert all(name.startswith("p-") for name in landed.rows("members", "member_id"))


def test_members_are_renamed_in_every_dialect_and_under_every_spelling_of_the_column(landed):
    text = (
        f"sep=;\n\nEvent ID;memberId;event_at;received_at;query_text\n"
        f"s8;{LEAVER};2026-01-02T10:00:00Z;2026-01-02T10:00:05Z;a,b\n"
    )
    landed.land("searches", "other.csv", text.encode())
    table = pa.table({"MEMBER_ID": pa.array([17]), "joined_on": ["2026-01-01"]})
    pq.write_table(table, landed.members.with_name("numbers.parquet"))
    done = pseudonymise(landed.home, landed.contract)
    assert (done.torn, done.files) == (0, 7)
    assert not landed.receive().set_aside
    names = landed.rows("members", "member_id")
    assert pseudonyms.name_of(landed.home, "17") in names
    assert all(name.startswith("p-") for name in names)
    assert all(name.startswith("e-") for name in landed.rows("searches", "event_id"))
    assert "a,b" in landed.rows("searches", "query_text")
    assert set(landed.rows("searches", "member_id")) <= set(names)
