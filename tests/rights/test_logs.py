"""Erasure of raw logs: gone from every format, the others untouched, and no way back."""

import gzip
import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.errors import IntegrityError
from matinee.landing import ledger, tombstones
from matinee.privacy import Traces
from matinee.rights import member_search
from tests.rights.conftest import LEAVER, STAYER, lines, play

WANTED = Traces.of([LEAVER])
AT = datetime(2026, 1, 3, tzinfo=UTC)


@pytest.fixture
def forgotten(zone):
    tombstones.add(zone.home, WANTED.ids, AT)
    found = member_search.search(zone.home, WANTED)
    zone.erased = landing.erase(zone.home, zone.contract, WANTED, found)
    return zone


def test_every_format_loses_the_member_and_keeps_the_others(forgotten):
    assert not member_search.search(forgotten.home, WANTED)
    assert set(
        member_search.by_store(member_search.search(forgotten.home, Traces.of([STAYER])))
    ) == {
        "landing",
        "received",
    }
    assert forgotten.rows("plays", "event_id") == ["p1", "p3", "p5"]
    assert forgotten.rows("searches", "event_id") == ["s2"]
    assert forgotten.rows("members", "member_id") == [STAYER]
    assert forgotten.rows("rejected_plays", "raw_text") == []


def test_the_others_keep_their_line_numbers(forgotten):
    assert forgotten.plays.read_bytes() == lines([play(1, STAYER)]) + b"\n" + lines(
        [play(3, STAYER)]
    )
    assert forgotten.searches.read_bytes().split(b"\n")[1:3] == [b"", b""]
    shutil.rmtree(forgotten.home / "received")
    forgotten.receive()
    assert forgotten.rows("plays", "line") == [1, 3, 2]
    assert forgotten.rows("searches", "line") == [4]


def test_the_ledger_knows_the_new_bytes_and_counts_what_is_left(forgotten):
    receipt = forgotten.receive()
    assert not receipt.set_aside
    assert not receipt.files
    entry = ledger.read(forgotten.home).entries["plays/dt=2026-01-02/a.jsonl"]
    assert (entry.rows, entry.kept, entry.rejected) == (2, 2, 0)
    assert entry.past_sha256 == (forgotten.erased.rewritten[entry.file][0],)
    assert entry.sha256 == forgotten.erased.rewritten[entry.file][1]


def test_erasing_again_changes_nothing(forgotten):
    before = ledger.path_of(forgotten.home).read_bytes()
    landing.erase(
        forgotten.home, forgotten.contract, WANTED, member_search.search(forgotten.home, WANTED)
    )
    assert ledger.path_of(forgotten.home).read_bytes() == before


def test_a_crash_before_the_files_were_replaced_is_mended_by_doing_it_again(zone):
    before = {path: path.read_bytes() for path in (zone.home / "landing").rglob("*.*")}
    named = member_search.search(zone.home, WANTED)
    landing.erase(zone.home, zone.contract, WANTED, named)
    for path, content in before.items():
        path.write_bytes(content)
    landing.erase(zone.home, zone.contract, WANTED, member_search.search(zone.home, WANTED))
    assert not zone.receive().set_aside
    assert not member_search.search(zone.home, WANTED)


@pytest.mark.parametrize("name", ["a.jsonl", "again.jsonl"])
def test_old_logs_put_back_under_any_name_do_not_bring_the_member_back(forgotten, name):
    forgotten.land("plays", name, lines([play(1, STAYER), play(2, LEAVER), play(3, STAYER)]))
    assert not forgotten.receive().set_aside
    assert LEAVER not in forgotten.rows("plays", "member_id")
    assert not member_search.search(forgotten.home, WANTED)


def test_broken_lines_packed_files_and_tables_do_not_bring_the_member_back(forgotten):
    forgotten.land("plays", "d.jsonl", b"cut m-000017 off\n" + lines([play(8, STAYER)]))
    forgotten.land("plays", "e.jsonl.gz", gzip.compress(lines([play(9, LEAVER)])))
    copy = forgotten.members.with_name("n.parquet")
    landing.write(
        forgotten.home,
        "members",
        AT.date(),
        landing.arrow_schema(forgotten.contract.streams["members"]).empty_table(),
        "none",
    )
    shutil.copy(forgotten.members, copy)
    assert not forgotten.receive().set_aside
    assert "p8" in forgotten.rows("plays", "event_id")
    assert not member_search.search(forgotten.home, WANTED)


def test_tombstones_name_nobody_and_only_their_key_can_tell(forgotten):
    text = (forgotten.home / "privacy/tombstones.jsonl").read_text()
    assert LEAVER not in text
    known = tombstones.read(forgotten.home)
    assert known.holds(LEAVER)
    assert not known.holds(STAYER)
    assert not tombstones.Tombstones(bytes(32), known.names).holds(LEAVER)


def test_the_key_is_for_its_owner_alone(forgotten):
    key = forgotten.home / "keys/privacy.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(landing.tombstones.ConfigError, match="chmod 600"):
        tombstones.read(forgotten.home)
    key.chmod(0o600)
    key.write_bytes(key.read_bytes()[:-1])
    with pytest.raises(landing.tombstones.ConfigError, match="is cut: restore it; without it nob"):
        tombstones.read(forgotten.home)


def test_a_search_sees_what_is_planted_in_every_kind_of_file(zone):
    with member_search.planted_control(zone.home, LEAVER) as planted:
        found = member_search.search(zone.home, WANTED)
        assert set(planted) <= found.keys()
        assert len(planted) == 6
    assert not (zone.home / member_search.CONTROL_FOLDER).exists()


def torn(zone, name):
    """A file that names the leaver where nobody can read it."""
    packed = zone.home / "packed"
    rows = pa.table({"member_id": [LEAVER] * 50, "event_id": [f"p{n}" for n in range(50)]})
    if name == "cut.parquet":
        pq.write_table(rows, packed, compression="zstd")
        content = packed.read_bytes()[:-20]
    elif name == "cut.jsonl.gz":
        content = gzip.compress(lines([play(n, LEAVER) for n in range(50)]))[:-20]
    else:  # headless.jsonl.gz
        content = b"xx" + gzip.compress(lines([play(1, LEAVER)]))[2:]
    packed.unlink(missing_ok=True)
    path = zone.land("plays", name, content)
    path.with_name(f"{name}.sha256").write_text(f"{'0' * 64}  {name}\n")
    return path


@pytest.mark.parametrize("name", ["cut.parquet", "cut.jsonl.gz", "headless.jsonl.gz"])
def test_a_torn_file_that_was_set_aside_goes_and_the_receipt_names_it(zone, name):
    path = torn(zone, name)
    assert [entry.file for entry in zone.receive().set_aside] == [f"plays/dt=2026-01-02/{name}"]
    erased = landing.erase(
        zone.home, zone.contract, WANTED, member_search.search(zone.home, WANTED)
    )
    assert erased.removed == [f"plays/dt=2026-01-02/{name}"]
    assert not list(path.parent.glob(f"{name}*"))
    assert not member_search.search(zone.home, WANTED)
    assert not zone.receive().set_aside


@pytest.mark.parametrize("name", ["export.zip", "export.jsonl.part", "export.tar.xz"])
def test_what_nobody_can_look_into_is_named_and_left_to_a_person(zone, name):
    packed = b"PK\x03\x04" if name.endswith("zip") else b"\xfd7zXZ\0"
    zone.land("plays", name, packed + b"who knows")
    found = member_search.search(zone.home, WANTED)
    landing.erase(zone.home, zone.contract, WANTED, found)
    assert member_search.search(zone.home, WANTED) == {f"landing/plays/dt=2026-01-02/{name}": 1}


def test_a_file_in_utf_16_and_the_rows_that_quote_it_go(zone):
    other = play(10, f"{LEAVER}9")
    text = lines([play(9, LEAVER), other]).decode()
    zone.land("plays", "wide.jsonl", text.encode("utf-16"))
    zone.receive()
    assert len([one for one in zone.rows("rejected_plays", "raw_text") if "m\0-\0" in one]) == 2
    found = member_search.search(zone.home, WANTED)
    landing.erase(zone.home, zone.contract, WANTED, found)
    assert not member_search.search(zone.home, WANTED)
    assert member_search.search(
        zone.home, Traces.of([f"{LEAVER}9"])
    )  # another member's longer number


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_that_lands_again_does_not_bring_the_member_back(forgotten, encoding):
    rows = lines([play(9, LEAVER), play(10, STAYER)]).decode()
    forgotten.land("plays", "wide.jsonl", rows.encode(encoding))
    header = "event_id,event_at,received_at,member_id,query_text\n"
    wide = f"{header}s9,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,{LEAVER},heat\n"
    forgotten.land("searches", "wide.csv", wide.encode(encoding))
    forgotten.receive()
    told = forgotten.rows("rejected_plays", "raw_text")
    assert [one for one in told if "8\0" in one]  # the stayer's, in whole
    assert not member_search.search(forgotten.home, WANTED)


HEADLESS = f"s9,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,{LEAVER},heat\n".encode()


def test_a_csv_file_without_a_header_loses_the_member_from_its_first_line_too(zone):
    zone.land("searches", "headless.csv", HEADLESS)
    zone.receive()
    landing.erase(zone.home, zone.contract, WANTED, member_search.search(zone.home, WANTED))
    assert not member_search.search(zone.home, WANTED)


def test_a_csv_file_without_a_header_that_lands_again_does_not_bring_the_member_back(forgotten):
    forgotten.land("searches", "headless.csv", HEADLESS)
    forgotten.receive()
    assert not member_search.search(forgotten.home, WANTED)


def test_a_received_file_that_cannot_be_read_is_named(zone):
    path = next((zone.home / "received/plays").glob("*/*.parquet"))
    path.write_bytes(path.read_bytes()[:-20])
    found = member_search.search(zone.home, WANTED)
    with pytest.raises(IntegrityError, match=r"received/plays/.*parquet cannot be read .* restore"):
        landing.erase(zone.home, zone.contract, WANTED, found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("long.csv", b"event_id,member_id\ns8," + LEAVER.encode() + b"," + b"x" * 200_000 + b"\n"),
        ("return.csv", b"event_id,member_id\ns8,a\rb," + LEAVER.encode() + b"\n"),
        ("half.jsonl", b'{"member_id": "\\ud800"}\n{"member_id": "m-000017"}\n'),
        (
            "deep.jsonl",
            b'{"\\u0061": ' + b"[" * 9_999 + b"]" * 9_999 + b', "member_id": "m-000017"}',
        ),
    ],
)
def test_no_text_keeps_a_forgotten_member_in_or_stops_the_night(forgotten, name, content):
    forgotten.land("searches", name, content)
    forgotten.receive()
    assert not member_search.search(forgotten.home, WANTED)
    landing.erase(
        forgotten.home, forgotten.contract, WANTED, [f"landing/searches/dt=2026-01-02/{name}"]
    )


def test_a_line_too_deep_to_take_apart_leaves_with_whomever_it_spells(zone):
    deep = b'{"a": ' + b"[" * 9_999 + b"]" * 9_999 + b', "\\u0062": "7"}\n'
    path = zone.land("plays", "deep.jsonl", deep + lines([play(8, "8")]))
    name = "landing/plays/dt=2026-01-02/deep.jsonl"
    landing.erase(zone.home, zone.contract, Traces.of(["7"]), [name])
    assert path.read_bytes() == b"\n" + lines([play(8, "8")])
