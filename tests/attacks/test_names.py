"""File names of any length and of any bytes: a warning, or received; never a traceback."""

import json
import os
import sqlite3
from contextlib import closing

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee.landing import ledger
from matinee.privacy import Traces
from matinee.provenance import readable_json
from matinee.rights import erase, member_search
from tests.attacks import homes
from tests.attacks.homes import DAY, LEAVER, STAYER, lines, play

LOGS = lines([play(1, STAYER), play(2, LEAVER)])
LONGEST = 255
"""Bytes in a name, at most, on the file systems that people have."""


@pytest.fixture
def zone(tmp_path):
    return homes.zone(tmp_path)


def erase_received(zone):
    zone.receive()
    erased = homes.erase(zone)
    assert len(erased.rewritten) == 1


OPERATIONS = {
    "pseudonymise": homes.pseudonymise,
    "keep out": homes.keep_out,
    "erase": erase_received,
}


@pytest.mark.parametrize("length", [246, 247, 248, 249, 254, LONGEST])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_name_of_any_length_is_received_renamed_and_erased(zone, operation, length):
    name = "n" * (length - len(".jsonl")) + ".jsonl"
    path = zone.land("plays", name, LOGS)
    if length + len(".sha256") <= LONGEST:
        zone.land("plays", f"{name}.sha256", homes.sidecar(LOGS, name))
    OPERATIONS[operation](zone)
    receipt = zone.receive()
    assert homes.reasons(receipt) == {}
    assert ledger.read(zone.home).entries[f"{DAY}/{name}"].status == "received"
    assert LEAVER.encode() not in path.read_bytes()


def test_a_long_name_is_dropped_past_its_retention(zone):
    path = zone.land("plays", "n" * 249 + ".jsonl", LOGS)
    zone.receive()
    homes.drop(zone)
    assert not path.parent.exists()


BYTES = {
    "a file": f"landing/{DAY}/\udcff.jsonl",
    "a day": "landing/plays/dt=2026-01-02\udcff/a.jsonl",
    "a stream": "landing/pl\udcffays/dt=2026-01-02/a.jsonl",
    "a sidecar": f"landing/{DAY}/\udcff.jsonl.sha256",
    "a link": f"landing/{DAY}/l\udcff.jsonl",
}


@pytest.mark.parametrize("name", BYTES)
def test_a_name_that_is_not_utf8_is_one_warning_that_any_page_can_show(zone, name):
    path = zone.home / BYTES[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    if name == "a link":
        path.symlink_to("/etc/hostname")
    else:
        path.write_bytes(LOGS)
    receipt = zone.receive()
    (warning,) = receipt.warnings
    assert r"\udcff" in warning
    readable_json(list(receipt.warnings))
    receipt.summary().encode()
    homes.pseudonymise(zone)


def text(path):
    path.write_bytes(LOGS)


def parquet(path):
    with path.open("wb") as file:
        pq.write_table(pa.table({"member_id": [LEAVER]}), file)


def sqlite(path):
    plain = path.with_name("plain.db")
    with closing(sqlite3.connect(plain)) as connection, connection:
        connection.execute("create table t (member_id text)")
        connection.execute("insert into t values (?)", (LEAVER,))
    plain.rename(path)


def warehouse(path):
    plain = path.with_name("plain.duckdb")
    with duckdb.connect(str(plain)) as connection:
        connection.execute("create table t as select ? as member_id", [LEAVER])
    plain.rename(path)


@pytest.mark.parametrize("write", [text, parquet, sqlite, warehouse])
def test_a_member_is_found_in_a_file_whose_name_is_not_utf8(zone, write):
    folder = zone.home / "reports"
    folder.mkdir()
    write(folder / "r\udcff.jsonl")
    assert list(member_search.search(zone.home, Traces.of([LEAVER]))) == ["reports/r\udcff.jsonl"]


def test_a_text_whose_name_is_not_utf8_is_cleaned_and_the_receipt_can_be_written(zone):
    folder = zone.home / "r\udcff"
    folder.mkdir()
    path = folder / "r\udcff.log"
    path.write_bytes(LOGS)
    found = member_search.search(zone.home, Traces.of([LEAVER]))
    (name,) = found
    with erase.durable.drafts(zone.home) as drafts:
        erase._clean(zone.home, name, Traces.of([LEAVER]), drafts)
    assert LEAVER.encode() not in path.read_bytes()
    receipt = zone.home / "receipt.json"
    erase._write(receipt, {"found": member_search.by_store(found)})
    assert list(json.loads(receipt.read_text())["found"]) == ["r\udcff"]


@pytest.mark.parametrize("suffix", ["jsonl", "json", "log", "html"])
def test_a_text_with_the_longest_name_is_cleaned(zone, suffix):
    folder = zone.home / "reports"
    folder.mkdir()
    path = folder / f"{'n' * (LONGEST - 1 - len(suffix))}.{suffix}"
    path.write_bytes(json.dumps({"member_id": LEAVER, "seen": LEAVER}).encode())
    with erase.durable.drafts(zone.home) as drafts:
        erase._clean(zone.home, f"reports/{path.name}", Traces.of([LEAVER]), drafts)
    assert LEAVER.encode() not in path.read_bytes()
    assert os.listdir(folder) == [path.name]


def test_one_name_in_two_spellings_is_two_files_and_both_are_erased(zone):
    composed, decomposed = "caf\u00e9.jsonl", "cafe\u0301.jsonl"
    for number, name in enumerate((composed, decomposed)):
        text = lines([play(10 + number, LEAVER), play(20 + number, STAYER)])
        zone.land("plays", name, text)
        zone.land("plays", f"{name}.sha256", homes.sidecar(text, name))
    receipt = zone.receive()
    assert homes.reasons(receipt) == {}
    assert {row[0] for row in zone.rows("plays", "file")} == {
        f"{DAY}/{composed}",
        f"{DAY}/{decomposed}",
    }
    homes.erase(zone)
    assert {row[0] for row in zone.rows("plays", "member_id")} == {STAYER}
    for name in (composed, decomposed):
        assert LEAVER.encode() not in (zone.home / "landing" / DAY / name).read_bytes()
