"""Rows that receiving rejected come back when the contract is mended: each once, none lost."""

import io
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.errors import IntegrityError, StorageError
from matinee.landing import Contract
from matinee.landing.contract import Limits
from tests.landing import samples

PLAY = samples.PLAY | {"device": "tv"}
TOASTER = PLAY | {"device": "toaster"}


def jsonl(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(*rows):
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()


def csv(*rows):
    lines = [",".join(PLAY), *(",".join(map(str, row.values())) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def mended(contract, stream, column, limits):
    """The contract as somebody has edited it."""
    old = contract.streams[stream]
    columns = tuple(replace(c, limits=limits) if c.name == column else c for c in old.columns)
    return Contract({**contract.streams, stream: replace(old, columns=columns)})


@pytest.fixture
def with_toasters(contract):
    return mended(contract, "plays", "device", Limits())


def replayed(zone, contract, streams=("plays",)):
    return landing.replay(
        home=zone.home, contract=contract, streams=streams, threads=2, memory_limit="1GB"
    )


def counts(zone):
    return landing.count(landing.read_ledger(zone.home).received)["plays"]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.jsonl", jsonl(PLAY, TOASTER, PLAY | {"member_id": None}), 2),
        ("a.csv", csv(PLAY, TOASTER, PLAY | {"member_id": ""}), 3),
        ("a.parquet", parquet(PLAY, TOASTER, PLAY | {"member_id": None}), 2),
    ],
)
def test_a_row_that_keeps_the_mended_contract_is_kept_under_its_own_line(
    zone, with_toasters, name, content, line
):
    zone.land("plays", name, content)
    zone.receive()
    result = replayed(zone, with_toasters)
    file = f"plays/dt=2026-01-02/{name}"
    assert zone.rows("plays", "file, line, device, batch") == [
        (file, line - 1, "tv", 1),
        (file, line, "toaster", 2),
    ]
    assert zone.rows("rejected_plays", "line, rule, batch") == [
        (line + 1, "missing_field:member_id", 2)
    ]
    assert counts(zone) == landing.Totals(received=3, kept=2, rejected=1)
    assert result.summary() == (
        "plays: 1 rejected rows are kept now, 1 stay rejected (missing_field:member_id 1)"
    )
    assert zone.receive().unchanged == 2


def test_what_was_not_mended_changes_nothing(zone, contract):
    zone.land("plays", "a.jsonl", jsonl(PLAY, TOASTER))
    zone.receive()
    ledger = (zone.home / "received/ledger.jsonl").read_bytes()
    assert replayed(zone, contract).kept == {"plays": 0}
    assert (zone.home / "received/ledger.jsonl").read_bytes() == ledger
    assert zone.rows("rejected_plays", "line, batch") == [(2, 1)]
    assert not list((zone.home / "received").glob("*/batch=000002"))


def test_a_home_without_rejected_rows_says_so(zone, contract):
    zone.land("plays", "a.jsonl", jsonl(PLAY))
    zone.receive()
    result = replayed(zone, contract, contract.streams)
    assert result.summary() == "nothing that receiving rejected is there to be replayed"


def test_rows_are_mended_step_by_step_and_new_files_go_on(zone, contract, with_toasters):
    zone.land("plays", "a.jsonl", jsonl(TOASTER, PLAY | {"utc_offset_minutes": 9999}))
    zone.receive()
    assert replayed(zone, with_toasters).kept == {"plays": 1}
    zone.land("plays", "b.jsonl", jsonl(PLAY, TOASTER), day="2026-01-03")
    assert zone.receive().batch == 3
    both = mended(with_toasters, "plays", "utc_offset_minutes", Limits())
    assert replayed(zone, both).kept == {"plays": 2}
    assert zone.rows("rejected_plays") == []
    batches = zone.rows("plays", "batch, line")
    assert sorted(batches) == [(2, 1), (3, 1), (4, 2), (4, 2)]
    assert counts(zone) == landing.Totals(received=4, kept=4, rejected=0)
    assert zone.receive().unchanged == 3


def test_rows_of_files_that_cannot_be_read_again_stay_rejected(zone, with_toasters):
    gone = zone.land("plays", "a.jsonl", jsonl(TOASTER))
    changed = zone.land("plays", "b.jsonl", jsonl(TOASTER))
    zone.land("plays", "c.jsonl", jsonl(TOASTER))
    zone.receive()
    gone.unlink()
    changed.write_bytes(jsonl(TOASTER, PLAY))
    result = replayed(zone, with_toasters)
    assert result.kept == {"plays": 1}
    assert result.summary().splitlines()[1:] == [
        "left plays/dt=2026-01-02/a.jsonl: it is no longer in landing/",
        "left plays/dt=2026-01-02/b.jsonl: its bytes have changed since it was received:"
        " put it back",
    ]
    rejected = zone.rows("rejected_plays", "file, rule, batch")
    assert [row[0][-7:] for row in rejected] == ["a.jsonl", "b.jsonl"]
    assert {row[1:] for row in rejected} == {("not_allowed:device", 2)}
    assert counts(zone) == landing.Totals(received=3, kept=1, rejected=2)


def test_a_replay_that_crashes_is_as_if_it_never_began(zone, with_toasters, monkeypatch):
    zone.land("plays", "a.jsonl", jsonl(PLAY, TOASTER))
    zone.receive()
    with monkeypatch.context() as patch:
        patch.setattr("matinee.landing.ledger.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            replayed(zone, with_toasters)
    zone.receive()
    assert zone.rows("plays", "line, batch") == [(1, 1)]
    assert zone.rows("rejected_plays", "line, batch") == [(2, 1)]
    assert replayed(zone, with_toasters).kept == {"plays": 1}


def test_rejected_rows_that_are_not_found_again_stop_the_replay(zone, with_toasters):
    zone.land("plays", "a.jsonl", jsonl(PLAY, TOASTER))
    zone.receive()
    path = zone.home / "received/ledger.jsonl"
    path.write_text(path.read_text().replace('"rejected": 1', '"rejected": 2'))
    with pytest.raises(IntegrityError, match=r"had 2 rejected rows, and 1 of them are found again"):
        replayed(zone, with_toasters)


def test_a_disk_that_cannot_be_written_changes_nothing(zone, with_toasters, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    zone.land("plays", "a.jsonl", jsonl(PLAY, TOASTER))
    zone.receive()
    monkeypatch.setattr("matinee.landing.ledger.write", full)
    with pytest.raises(StorageError, match=r"No space left on device: make room"):
        replayed(zone, with_toasters)
    assert counts(zone) == landing.Totals(received=2, kept=1, rejected=1)
