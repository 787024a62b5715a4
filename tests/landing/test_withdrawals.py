"""A received file is taken back with its rows, and a corrected mistake counts no more."""

import json

import pytest

from matinee import landing
from matinee.errors import ConfigError
from matinee.landing import withdrawals
from matinee.privacy import Traces
from tests.landing.samples import PLAY

FILE = "plays/dt=2026-01-02/wrong.jsonl"


def jsonl(*changes):
    return "".join(json.dumps(PLAY | change) + "\n" for change in changes).encode()


GOOD = [{"event_id": f"e{n}"} for n in range(4)]
BAD = [{"event_id": f"b{n}", "watched_seconds": "long"} for n in range(4)]


@pytest.fixture
def received(zone):
    """One batch of two files, one of them half rejected."""
    zone.land("plays", "right.jsonl", jsonl({"event_id": "r"}, {"event_id": "q", "device": "x"}))
    zone.land("plays", "wrong.jsonl", jsonl(*GOOD, *BAD))
    zone.receive()
    return zone


def files(zone, table="plays"):
    return {row[0].rpartition("/")[2] for row in zone.rows(table, "file")}


def entry(zone, file=FILE):
    return landing.read_ledger(zone.home).entries[file]


@pytest.mark.parametrize(
    "spelt", [FILE, f"landing/{FILE}", f"var/landing/{FILE}", "{home}/landing/" + FILE]
)
def test_a_file_is_taken_back_with_its_rows_and_no_others(received, spelt):
    receipt = received.receive(withdraw=[spelt.format(home=received.home)])
    assert [(one.file, one.rows, one.rejected) for one in receipt.withdrawn] == [(FILE, 8, 4)]
    assert f"took back {FILE} with 8 rows, 4 of them rejected" in receipt.summary()
    assert files(received) == files(received, "rejected_plays") == {"right.jsonl"}
    assert (entry(received).status, entry(received).rows) == ("withdrawn", 0)
    assert (received.home / withdrawals.MARK).exists()
    # It stays out, without a word, as long as it is what it was.
    again = received.receive()
    assert (again.batch, again.warnings, again.set_aside) == (None, (), ())


@pytest.mark.parametrize("order", ["replaced first", "replaced later", "under another name"])
def test_a_corrected_file_is_received_however_it_comes(received, order):
    corrected = jsonl(*GOOD, *({"event_id": row["event_id"]} for row in BAD))
    name = "again.jsonl" if order == "under another name" else "wrong.jsonl"
    if order == "replaced first":
        received.land("plays", name, corrected)
        (aside,) = received.receive().set_aside
        assert f"or take the old rows back: `matinee receive --withdraw {FILE}`" in aside.reason
    received.receive(withdraw=[FILE])
    received.land("plays", name, corrected)
    received.receive()
    assert files(received) == {"right.jsonl", name}
    assert len(received.rows("plays")) == 1 + 8
    assert len(received.rows("rejected_plays")) == 1


def test_a_tombstone_takes_a_file_back_and_out_as_long_as_it_is_there(received):
    tombstone = received.land("plays", "wrong.jsonl.withdrawn", b"")
    assert [one.file for one in received.receive().withdrawn] == [FILE]
    assert files(received) == {"right.jsonl"}
    received.land("plays", "wrong.jsonl", jsonl({"event_id": "new"}))
    receipt = received.receive()
    assert receipt.notes == (
        f"not received, for a file with .withdrawn after its name lies beside it: {FILE}",
    )
    tombstone.unlink()
    received.land("plays", "wrong.jsonl", jsonl(*GOOD, *BAD))
    received.receive()
    assert files(received) == {"right.jsonl", "wrong.jsonl"}


def test_a_tombstone_works_for_a_file_that_is_gone_and_before_one_comes(received):
    (received.home / "landing" / FILE).unlink()
    received.land("plays", "wrong.jsonl.withdrawn", b"")
    received.land("plays", "never.csv.withdrawn", b"")
    receipt = received.receive()
    assert ([one.file for one in receipt.withdrawn], receipt.warnings) == ([FILE], ())
    assert files(received) == {"right.jsonl"}


@pytest.mark.parametrize("corrected", [jsonl(*GOOD), None])
def test_a_file_of_which_nothing_was_accepted_is_replaced_without_a_command(zone, corrected):
    zone.land("plays", "right.jsonl", jsonl({"event_id": "r"}))
    path = zone.land("plays", "wrong.jsonl", jsonl(*BAD))
    zone.receive()
    if corrected is None:
        path.unlink()
    else:
        path.write_bytes(corrected)
    receipt = zone.receive()
    assert ([one.file for one in receipt.withdrawn], receipt.set_aside) == ([FILE], ())
    assert receipt.warnings == ()
    assert zone.rows("rejected_plays") == []
    assert len(zone.rows("plays")) == 1 + (4 if corrected else 0)
    assert not (zone.home / withdrawals.MARK).exists()


def test_a_file_with_accepted_rows_cannot_be_replaced(received):
    received.land("plays", "wrong.jsonl", jsonl(*GOOD))
    assert (received.receive().withdrawn, len(received.rows("plays"))) == ((), 5)


def test_what_a_crash_leaves_of_a_withdrawal_goes_with_the_next_receipt(received, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(withdrawals, "without", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            received.receive(withdraw=[FILE])
    assert files(received) == {"right.jsonl", "wrong.jsonl"}
    received.land("plays", "wrong.jsonl", jsonl({"event_id": "new"}))
    received.receive()
    assert sorted(received.rows("plays", "event_id")) == [("new",), ("r",)]


def test_no_batch_number_comes_again(received):
    received.land("plays", "last.jsonl", jsonl({"event_id": "l"}))
    assert received.receive().batch == 2
    last = "plays/dt=2026-01-02/last.jsonl"
    received.receive(withdraw=[last])
    received.land("plays", "next.jsonl", jsonl({"event_id": "n"}))
    assert received.receive().batch == 3


def test_a_file_that_was_taken_back_stays_out_after_somebody_was_erased_from_it(received):
    received.land("plays", "wrong.jsonl", jsonl(*GOOD, {"event_id": "x", "member_id": "m-7-x"}))
    received.receive(withdraw=[FILE])
    received.receive(withdraw=[FILE])
    landing.erase(received.home, received.contract, Traces.of(["m-7-x"]), [f"landing/{FILE}"])
    assert b"m-7-x" not in (received.home / "landing" / FILE).read_bytes()
    assert received.receive().batch is None
    assert files(received) == {"right.jsonl"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("plays/dt=2026-01-02/wrongs.jsonl", rf"is no received file \(did you mean {FILE}\?\)"),
        ("nothing", "nothing is no received file: name one as messages do"),
        ("consents/dt=2026-01-02/c.jsonl", "holds what members asked for, which is not taken back"),
    ],
)
def test_an_unknown_name_and_requests_of_members_cannot_be_withdrawn(received, name, message):
    act = {key: PLAY[key] for key in ("event_id", "event_at", "received_at", "member_id")}
    choice = json.dumps(act | {"purpose": "personalisation", "granted": False})
    received.land("consents", "c.jsonl", choice.encode())
    received.land("consents", "c.jsonl.withdrawn", b"")  # not heeded: a refusal counts
    received.receive()
    assert len(received.rows("consents")) == 1
    with pytest.raises(ConfigError, match=message):
        received.receive(withdraw=[name])
    assert len(received.rows("plays")) == 5
