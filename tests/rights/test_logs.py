"""Erasure from raw logs: removed from every format, other rows unchanged, and no return."""

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
from matinee.rights import control, member_search
from tests.rights.conftest import LEAVER, STAYER, lines, play

TRACES = Traces.of([LEAVER])
AT = datetime(2026, 1, 3, tzinfo=UTC)


@pytest.fixture
def erased_zone(zone):
    tombstones.add(zone.home, TRACES.ids, AT)
    found = member_search.search(zone.home, TRACES)
    zone.erased = landing.erase(zone.home, zone.contract, TRACES, found)
    return zone


def test_every_format_loses_the_member_and_keeps_the_others(erased_zone):
    assert not member_search.search(erased_zone.home, TRACES)
    assert set(
        member_search.by_store(member_search.search(erased_zone.home, Traces.of([STAYER])))
    ) == {
        "landing",
        "received",
    }
    assert erased_zone.rows("plays", "event_id") == ["p1", "p3", "p5"]
    assert erased_zone.rows("searches", "event_id") == ["s2"]
    assert erased_zone.rows("members", "member_id") == [STAYER]
    assert erased_zone.rows("rejected_plays", "raw_text") == []


def test_the_others_keep_their_line_numbers(erased_zone):
    assert erased_zone.plays.read_bytes() == lines([play(1, STAYER)]) + b"\n" + lines(
        [play(3, STAYER)]
    )
    assert erased_zone.searches.read_bytes().split(b"\n")[1:3] == [b"", b""]
    shutil.rmtree(erased_zone.home / "received")
    erased_zone.receive()
    lines_of = dict(
        zip(erased_zone.rows("plays", "event_id"), erased_zone.rows("plays", "line"), strict=True)
    )
    assert lines_of == {"p1": 1, "p3": 3, "p5": 2}
    assert erased_zone.rows("searches", "line") == [4]


def test_the_ledger_has_the_new_hashes_and_counts(erased_zone):
    receipt = erased_zone.receive()
    assert not receipt.set_aside
    assert not receipt.files
    entry = ledger.read(erased_zone.home).entries["plays/dt=2026-01-02/a.jsonl"]
    assert (entry.rows, entry.kept, entry.rejected) == (2, 2, 0)
    assert entry.past_sha256 == (erased_zone.erased.rewritten[entry.file][0],)
    assert entry.sha256 == erased_zone.erased.rewritten[entry.file][1]


def test_erasing_again_changes_nothing(erased_zone):
    before = ledger.path_of(erased_zone.home).read_bytes()
    landing.erase(
        erased_zone.home,
        erased_zone.contract,
        TRACES,
        member_search.search(erased_zone.home, TRACES),
    )
    assert ledger.path_of(erased_zone.home).read_bytes() == before


def test_an_interrupted_erasure_can_be_repeated(zone):
    before = {path: path.read_bytes() for path in (zone.home / "landing").rglob("*.*")}
    named = member_search.search(zone.home, TRACES)
    landing.erase(zone.home, zone.contract, TRACES, named)
    for path, content in before.items():
        path.write_bytes(content)
    landing.erase(zone.home, zone.contract, TRACES, member_search.search(zone.home, TRACES))
    assert not zone.receive().set_aside
    assert not member_search.search(zone.home, TRACES)


@pytest.mark.parametrize("name", ["a.jsonl", "again.jsonl"])
def test_old_logs_restored_under_any_name_do_not_restore_the_member(erased_zone, name):
    erased_zone.land("plays", name, lines([play(1, STAYER), play(2, LEAVER), play(3, STAYER)]))
    assert not erased_zone.receive().set_aside
    assert LEAVER not in erased_zone.rows("plays", "member_id")
    assert not member_search.search(erased_zone.home, TRACES)


def test_broken_lines_compressed_files_and_tables_do_not_restore_the_member(erased_zone):
    erased_zone.land("plays", "d.jsonl", b"cut m-000017 off\n" + lines([play(8, STAYER)]))
    erased_zone.land("plays", "e.jsonl.gz", gzip.compress(lines([play(9, LEAVER)])))
    copy = erased_zone.members.with_name("n.parquet")
    landing.write(
        erased_zone.home,
        "members",
        AT.date(),
        landing.arrow_schema(erased_zone.contract.streams["members"]).empty_table(),
        "none",
    )
    shutil.copy(erased_zone.members, copy)
    assert not erased_zone.receive().set_aside
    assert "p8" in erased_zone.rows("plays", "event_id")
    assert not member_search.search(erased_zone.home, TRACES)


def test_tombstones_contain_no_id_and_are_resolved_by_their_key_only(erased_zone):
    text = (erased_zone.home / "privacy/tombstones.jsonl").read_text()
    assert LEAVER not in text
    known = tombstones.read(erased_zone.home)
    assert known.holds(LEAVER)
    assert not known.holds(STAYER)
    assert not tombstones.Tombstones(bytes(32), known.names).holds(LEAVER)


def test_the_key_must_be_readable_by_its_owner_only(erased_zone):
    key = erased_zone.home / "keys/privacy.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(landing.tombstones.ConfigError, match="chmod 600"):
        tombstones.read(erased_zone.home)
    key.chmod(0o600)
    key.write_bytes(key.read_bytes()[:-1])
    with pytest.raises(landing.tombstones.ConfigError, match="is cut: restore it; without it nob"):
        tombstones.read(erased_zone.home)


def test_a_search_finds_the_planted_files_of_every_format(zone):
    with control.planted(zone.home, LEAVER) as planted:
        found = member_search.examine(zone.home, TRACES).found
        assert set(planted) <= found.keys()
        stores = {name.partition("/")[0] for name in planted}
        assert {one.name for one in zone.home.iterdir() if one.name != ".drafts"} == stores
        assert len(planted) == 21 * len(stores)
    assert not list(zone.home.rglob(f"{control.PREFIX}*"))


def damaged(zone, name):
    """A damaged file that contains the leaver and cannot be parsed."""
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
def test_a_quarantined_file_is_removed_and_named_in_the_receipt(zone, name):
    path = damaged(zone, name)
    assert [entry.file for entry in zone.receive().set_aside] == [f"plays/dt=2026-01-02/{name}"]
    erased = landing.erase(
        zone.home, zone.contract, TRACES, member_search.search(zone.home, TRACES)
    )
    assert erased.removed == [f"plays/dt=2026-01-02/{name}"]
    assert not list(path.parent.glob(f"{name}*"))
    assert not member_search.search(zone.home, TRACES)
    assert not zone.receive().set_aside


@pytest.mark.parametrize("name", ["export.zip", "export.jsonl.part", "export.tar.xz"])
def test_an_archive_that_cannot_be_searched_is_named_and_kept(zone, name):
    packed = b"PK\x03\x04" if name.endswith("zip") else b"\xfd7zXZ\0"
    zone.land("plays", name, packed + b"unknown")
    found = member_search.search(zone.home, TRACES)
    landing.erase(zone.home, zone.contract, TRACES, found)
    assert member_search.search(zone.home, TRACES) == {f"landing/plays/dt=2026-01-02/{name}": 1}


def test_a_utf_16_file_and_its_rejected_rows_are_erased(zone):
    other = play(10, f"{LEAVER}9")
    text = lines([play(9, LEAVER), other]).decode()
    zone.land("plays", "wide.jsonl", text.encode("utf-16"))
    zone.receive()
    assert len([one for one in zone.rows("rejected_plays", "raw_text") if "m\0-\0" in one]) == 2
    found = member_search.search(zone.home, TRACES)
    landing.erase(zone.home, zone.contract, TRACES, found)
    assert not member_search.search(zone.home, TRACES)
    assert member_search.search(
        zone.home, Traces.of([f"{LEAVER}9"])
    )  # another member's longer number


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_utf_16_file_that_lands_again_does_not_restore_the_member(erased_zone, encoding):
    rows = lines([play(9, LEAVER), play(10, STAYER)]).decode()
    erased_zone.land("plays", "wide.jsonl", rows.encode(encoding))
    header = "event_id,event_at,received_at,member_id,query_text\n"
    wide = f"{header}s9,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,{LEAVER},heat\n"
    erased_zone.land("searches", "wide.csv", wide.encode(encoding))
    erased_zone.receive()
    texts = erased_zone.rows("rejected_plays", "raw_text")
    assert [one for one in texts if "8\0" in one]  # the whole line of the stayer
    assert not member_search.search(erased_zone.home, TRACES)


HEADLESS = f"s9,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,{LEAVER},heat\n".encode()


def test_the_member_is_erased_from_the_first_line_of_a_csv_file_without_a_header(zone):
    zone.land("searches", "headless.csv", HEADLESS)
    zone.receive()
    landing.erase(zone.home, zone.contract, TRACES, member_search.search(zone.home, TRACES))
    assert not member_search.search(zone.home, TRACES)


def test_a_csv_file_without_a_header_that_lands_again_does_not_restore_the_member(erased_zone):
    erased_zone.land("searches", "headless.csv", HEADLESS)
    erased_zone.receive()
    assert not member_search.search(erased_zone.home, TRACES)


def test_a_received_file_that_cannot_be_read_is_named(zone):
    path = next((zone.home / "received/plays").glob("*/*.parquet"))
    path.write_bytes(path.read_bytes()[:-20])
    found = member_search.search(zone.home, TRACES)
    with pytest.raises(IntegrityError, match=r"received/plays/.*parquet cannot be read .* restore"):
        landing.erase(zone.home, zone.contract, TRACES, found)


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
def test_unusual_text_neither_hides_an_erased_member_nor_stops_the_night(
    erased_zone, name, content
):
    erased_zone.land("searches", name, content)
    erased_zone.receive()
    assert not member_search.search(erased_zone.home, TRACES)
    landing.erase(
        erased_zone.home, erased_zone.contract, TRACES, [f"landing/searches/dt=2026-01-02/{name}"]
    )


def test_a_line_nested_too_deeply_to_parse_is_erased_as_a_whole(zone):
    deep = b'{"a": ' + b"[" * 9_999 + b"]" * 9_999 + b', "\\u0062": "7"}\n'
    path = zone.land("plays", "deep.jsonl", deep + lines([play(8, "8")]))
    name = "landing/plays/dt=2026-01-02/deep.jsonl"
    landing.erase(zone.home, zone.contract, Traces.of(["7"]), [name])
    assert path.read_bytes() == b"\n" + lines([play(8, "8")])


def test_other_dialects_and_spellings_of_the_column_do_not_restore_the_member(erased_zone):
    """An id that could be any number is found by its column alone."""
    tombstones.add(erased_zone.home, frozenset({"17"}), AT)
    text = (
        "sep=;\nevent_id;memberId;event_at;received_at;query_text\n"
        "s8;17;2026-01-02T10:00:00Z;2026-01-02T10:00:05Z;a\n"
        "s9;18;2026-01-02T10:00:00Z;2026-01-02T10:00:05Z;17\n"
    )
    erased_zone.land("searches", "other.csv", text.encode())
    table = pa.table({"Member ID": [17.0, 18.0], "joined_on": ["2026-01-01"] * 2})
    pq.write_table(table, erased_zone.members.with_name("numbers.parquet"))
    assert not erased_zone.receive().set_aside
    assert "17" not in erased_zone.rows("searches", "member_id")
    assert "s9" in erased_zone.rows("searches", "event_id")
    assert erased_zone.rows("members", "member_id") == [STAYER, "18"]
