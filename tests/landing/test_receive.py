"""Files are received once and whole, or set aside with a reason that helps; rows add up."""

import gzip
import hashlib
import io
import json
import re
import shutil
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.errors import ConfigError, DataError, IntegrityError, StorageError
from matinee.landing import read
from tests.landing.samples import PLAY

HEADER = ",".join(PLAY)
CSV_ROW = ",".join(map(str, PLAY.values()))


def jsonl(*changes):
    return "".join(json.dumps(PLAY | change) + "\n" for change in changes or ({},)).encode()


def parquet(rows):
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def reasons(receipt):
    return {entry.file.split("/")[-1]: entry.reason for entry in receipt.set_aside}


# ---------- once, and only whole


def test_the_second_call_finds_nothing_new(zone):
    zone.land("plays", "a.jsonl.gz", gzip.compress(jsonl()))
    first = zone.receive()
    ledger = (zone.home / "received/ledger.jsonl").read_bytes()
    second = zone.receive()
    assert (first.batch, len(first.files)) == (1, 2)
    assert (second.batch, second.files, second.unchanged) == (None, (), 2)
    assert (zone.home / "received/ledger.jsonl").read_bytes() == ledger
    zone.land("plays", "b.jsonl", jsonl({"event_id": "e2"}), day="2026-01-03")
    assert zone.receive().batch == 2
    assert zone.rows("plays", "event_id, landed_on, batch") == [
        ("e1", date(2026, 1, 2), 1),
        ("e2", date(2026, 1, 3), 2),
    ]
    assert landing.landed_days(zone.home)[1] == date(2026, 1, 3)


def test_a_link_is_not_received_because_its_target_cannot_be_cleaned(zone):
    outside = zone.home / "outside.jsonl"
    outside.write_bytes(jsonl({"event_id": "outside"}))
    zone.land("plays", "a.jsonl", jsonl())
    (zone.home / "landing/plays/dt=2026-01-02/link.jsonl").symlink_to(outside)
    (warning,) = zone.receive().warnings
    assert warning == (
        "plays/dt=2026-01-02/link.jsonl: a link, so it is not received: nobody could be erased from"
        " what it leads to; land a copy"
    )
    assert zone.rows("plays", "event_id") == [("e1",)]


def test_a_received_file_that_is_gone_from_landing_is_missed_and_its_rows_stay(zone):
    path = zone.land("plays", "a.jsonl", jsonl())
    assert zone.receive().warnings == ()
    path.unlink()
    (warning,) = zone.receive().warnings
    assert warning == (
        "received before and no longer in landing/, so that no release can be rebuilt from it:"
        " plays/dt=2026-01-02/a.jsonl"
    )
    assert len(zone.rows("plays")) == 1


def test_a_file_whose_bytes_changed_is_refused_and_its_old_rows_stay(zone):
    path = zone.land("plays", "a.jsonl", jsonl())
    zone.receive()
    path.write_bytes(jsonl({"member_id": "m2"}))
    zone.land("plays", "b.jsonl", jsonl({"event_id": "e2"}))
    for _ in range(2):
        receipt = zone.receive()
        assert re.search(
            "its bytes have changed since it was received", reasons(receipt)["a.jsonl"]
        )
    assert zone.rows("plays", "event_id, member_id") == [("e1", "m1"), ("e2", "m1")]


def cut(content):
    return content[: len(content) // 2]


IDS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(50)]
GZIP = gzip.compress(jsonl(*({"event_id": one} for one in IDS)), mtime=0)
TORN = [
    ("f.jsonl", b"", "it is empty"),
    ("f.jsonl.gz", gzip.compress(b"", mtime=0), "it is empty"),
    ("f.jsonl.gz", cut(GZIP), "it is cut or not gzip"),
    ("f.jsonl.gz", GZIP[:-8] + b"00000000", "it is cut or not gzip"),
    ("f.jsonl.gz", b"no gzip", "it is cut or not gzip"),
    ("f.parquet", cut(parquet([PLAY])), "it is cut or not Parquet"),
    ("f.parquet", jsonl(), "it is cut or not Parquet"),
    ("f.csv", f'{HEADER}\n"e1,{CSV_ROW}\n'.encode(), "line 2 opens a quote that never closes"),
    ("f.csv", b"\xff\xfe,b\n", "its header cannot be read"),
    ("f.csv", b"event_id,event_id\n", "its header has 'event_id' twice"),
    ("f.csv", HEADER.replace("member_id", "profile_id").encode(), "closest column it has is prof"),
    ("f.jsonl", jsonl().replace(b"member_id", b"memberid"), "no column member_id, which is requir"),
    ("f.parquet", parquet([{"event_id": "e1"}]), "it has no column event_at, which is required"),
    ("f.parquet", parquet([PLAY | {"title_id": ["t1"]}]), "title_id is list<element: string>, wh"),
    ("f.parquet", parquet([PLAY | {"title_id": {"a": 1}}]), "where one value is asked for"),
]


def test_a_torn_file_is_set_aside_and_the_others_go_on(zone):
    zone.land("plays", "a-good.jsonl", jsonl())
    names = [f"{number}-{name}" for number, (name, _, _) in enumerate(TORN)]
    for name, (_, content, _) in zip(names, TORN, strict=True):
        zone.land("plays", name, content)
    receipt = zone.receive()
    found, entries = reasons(receipt), landing.read_ledger(zone.home).entries
    assert list(found) == sorted(names)
    for name, (_, _, reason) in zip(names, TORN, strict=True):
        assert reason in found[name], name
        entry = entries[f"plays/dt=2026-01-02/{name}"]
        assert (entry.status, entry.batch, entry.rows) == ("set_aside", None, 0)
    assert zone.rows("plays", "file") == [("plays/dt=2026-01-02/a-good.jsonl",)]
    assert receipt.totals["plays"] == landing.Totals(1, 1, 0)


def test_a_torn_file_that_is_sent_again_is_received(zone):
    zone.land("plays", "a.jsonl.gz", cut(GZIP))
    zone.receive()
    with pytest.raises(DataError, match=r"plays or ratings was ever .* quarantined: it is cut"):
        landing.require_history(zone.home)
    zone.land("plays", "a.jsonl.gz", GZIP)
    assert zone.receive().totals["plays"].kept == 50


def test_a_record_of_many_megabytes_sets_its_file_aside(zone, monkeypatch):
    monkeypatch.setattr(read, "LONGEST_RECORD_BYTES", 2000)
    monkeypatch.setattr(read, "BLOCK_BYTES", 1000)
    zone.land("plays", "a.jsonl", jsonl())
    zone.land("plays", "b.csv", f'{HEADER}\n{CSV_ROW}\n"{"x" * 4000}",1\n'.encode())
    assert reasons(zone.receive()) == {"b.csv": "the record of line 3 is longer than 0 MiB"}


@pytest.mark.parametrize("end", [b"", b"\n", b"\n" + jsonl({"event_id": "e2"})])
def test_an_endless_json_line_is_one_rejected_row_and_costs_no_other(zone, monkeypatch, end):
    monkeypatch.setattr(read, "LONGEST_RECORD_BYTES", 2000)
    monkeypatch.setattr(read, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(read, "SHOWN_BYTES", 100)
    endless = json.dumps(PLAY | {"member_id": "é" * 4000}, ensure_ascii=False).encode()
    zone.land("plays", "a.jsonl", jsonl() + endless + end)
    assert zone.receive().set_aside == ()
    assert [line for (line,) in zone.rows("plays", "line")] == ([1, 3] if len(end) > 1 else [1])
    ((line, rule, text),) = zone.rows("rejected_plays", "line, rule, raw_text")
    assert (line, rule, text.encode()) == (2, "unreadable_line", endless[: len(text.encode())])
    assert 95 <= len(text.encode()) <= 100


def test_a_sidecar_that_disagrees_sets_its_file_aside(zone):
    zone.land("plays", "a.jsonl", jsonl())
    zone.land("plays", "b.jsonl", jsonl({"event_id": "e2"}))
    right = hashlib.sha256(jsonl()).hexdigest().upper()
    zone.land("plays", "a.jsonl.sha256", f"{right}  a.jsonl\n".encode())
    zone.land("plays", "b.jsonl.sha256", b"0" * 64)
    receipt = zone.receive()
    assert "its sidecar says 000000000000: send it again" in reasons(receipt)["b.jsonl"]
    assert zone.rows("plays", "event_id") == [("e1",)]
    assert receipt.warnings == ()


def test_names_without_a_stream_are_reported(zone):
    zone.land("plays", "a.jsonl", jsonl({"colour": "red"}))
    zone.land("plays", "b.jsonl", jsonl({"event_id": "e2", "colour": "red"}))
    zone.land("plays", "c.xml", b"<a/>")
    zone.land("plays", ".c.jsonl.7.tmp", b"{}")
    zone.land("plays", "lost.sha256", b"00")
    zone.land("plays", "d.jsonl", jsonl(), day="2026-13-01")
    zone.land("playz", "a.jsonl", jsonl())
    (zone.home / "landing/notes.txt").write_text("hello")
    assert list(zone.receive().warnings) == [
        "plays/dt=2026-01-02/.c.jsonl.7.tmp: its name begins with a dot, as that of an unfinished"
        " file",
        "plays/dt=2026-01-02/c.xml: not one of *.jsonl, *.jsonl.gz, *.csv, *.csv.gz, *.parquet",
        "plays/dt=2026-01-02/lost.sha256: not one of *.jsonl, *.jsonl.gz, *.csv, *.csv.gz,"
        " *.parquet",
        "plays/dt=2026-13-01: there is no such day, so nothing in it is received",
        "playz: no such stream (did you mean plays?)",
        "plays: unknown column colour in 2 files, the first is plays/dt=2026-01-02/a.jsonl",
    ]


# ---------- crashes and refusals


def test_what_a_crash_left_is_swept_before_anything_is_received(zone, monkeypatch):
    zone.land("plays", "a.jsonl", jsonl())
    with monkeypatch.context() as patch:
        patch.setattr("matinee.landing.ledger.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            zone.receive()
    assert zone.rows("plays", "event_id") == [("e1",)]  # written, not committed
    shutil.rmtree(zone.home / "landing/plays")
    zone.land("ratings", "r.jsonl", jsonl({"rating_kind": "stars", "value": 7}))
    receipt = zone.receive()
    assert zone.rows("plays") == []
    assert receipt.batch == 1


def test_absent_streams_have_empty_tables_with_the_contracts_columns(zone, contract):
    zone.land("plays", "a.jsonl", jsonl())
    zone.receive()
    assert zone.rows("searches") == zone.rows("rejected_searches") == []
    schema = pq.read_schema(zone.home / "received/searches/batch=000000/empty.parquet")
    assert schema == landing.received_schema(contract.streams["searches"])


def test_received_parquet_has_the_contracts_types_in_order(zone, contract):
    zone.land("plays", "a.jsonl", jsonl())
    zone.receive()
    for stream in ("plays", "titles"):
        schema = pq.read_schema(zone.home / f"received/{stream}/batch=000001/part-00000.parquet")
        expected = landing.received_schema(contract.streams[stream])
        assert schema.names == expected.names
        assert [str(t).replace("element", "item") for t in schema.types] == [
            str(t).replace("element", "item") for t in expected.types
        ]


def test_a_home_without_titles_or_acts_says_what_is_missing(zone):
    zone.receive()
    with pytest.raises(DataError, match=r"no file of plays or ratings was ever received in .*land"):
        landing.require_history(zone.home)
    zone.land("plays", "a.jsonl", jsonl())
    assert zone.receive().batch == 2
    landing.require_history(zone.home)
    shutil.rmtree(zone.home)
    zone.land("plays", "a.jsonl", jsonl())
    zone.receive()
    with pytest.raises(DataError, match="no file of titles was ever received"):
        landing.require_history(zone.home)


def test_the_newest_day_of_nothing_is_an_error(tmp_path):
    with pytest.raises(DataError, match="nothing was received into"):
        landing.landed_days(tmp_path)


def test_a_ledger_that_was_edited_is_an_integrity_error(zone):
    zone.land("plays", "a.jsonl", jsonl())
    zone.receive()
    path = zone.home / "received/ledger.jsonl"
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(IntegrityError, match=r"ledger.jsonl line 3 is no ledger entry: restore it"):
        zone.receive()


def test_rows_that_are_gone_are_an_integrity_error(zone):
    zone.land("plays", "a.jsonl", jsonl())
    zone.receive()
    shutil.rmtree(zone.home / "received/plays/batch=000001")
    with pytest.raises(IntegrityError, match="received/plays has no batch 1: remove"):
        zone.receive()


def test_a_disk_that_cannot_be_written_is_a_storage_error(zone):
    (zone.home / "received").write_text("in the way")
    with pytest.raises(StorageError, match="make room or mend the access"):
        zone.receive()


def test_a_memory_limit_that_duckdb_refuses_is_named(zone):
    zone.land("plays", "a.jsonl", jsonl())
    with pytest.raises(ConfigError, match="DuckDB refuses threads 2, memory plenty"):
        zone.receive(memory_limit="plenty")


def test_the_database_can_touch_nothing_but_received(tmp_path):
    import duckdb

    from matinee.landing.received import connection as connect

    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with connect(tmp_path, 1, "1GB") as connection:
        for attack in (
            f"select * from read_text('{secret}')",
            f"copy (select 1) to '{secret}'",
            "set enable_external_access = true",
            f"set allowed_directories = ['{tmp_path}']",
            "install httpfs",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(attack)


def test_progress_is_reported(zone):
    zone.land("plays", "a.jsonl", jsonl())
    steps = []
    zone.receive(progress=lambda *step: steps.append(step))
    assert steps == [
        (0, 2, "hashing 2 landing files"),
        (1, 2, "plays: 1 rows kept, 0 rejected"),
        (2, 2, "titles: 1 rows kept, 0 rejected"),
    ]
