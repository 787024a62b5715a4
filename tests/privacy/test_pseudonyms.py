"""Outside ids stay outside: landing files get keyed pseudonyms before they are received."""

import pytest

from matinee.landing import pseudonyms
from matinee.landing.pseudonyms import pseudonymise
from matinee.pipeline import traces
from matinee.privacy import Traces
from tests.privacy.conftest import LEAVER, STAYER, Zone


@pytest.fixture
def landed(home):
    zone = Zone(home)
    zone.fill(receive=False)
    return zone


def test_no_file_names_a_member_by_the_outside_id_but_lines_that_cannot_be_read(landed):
    done = pseudonymise(landed.home, landed.contract)
    assert (done.files, done.received_before, done.unreadable) == (5, 0, 1)
    found = traces.search(landed.home, Traces.of([LEAVER, STAYER]))
    assert set(found) == {"landing/plays/dt=2026-01-02/c.jsonl"}
    assert "1 lines cannot be read" in done.summary()


def test_one_member_has_one_name_in_every_format_and_rows_stay_rows(landed):
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


def test_renaming_twice_changes_nothing_and_what_was_received_stays(landed):
    pseudonymise(landed.home, landed.contract)
    before = landed.plays.read_bytes()
    pseudonymise(landed.home, landed.contract)
    assert landed.plays.read_bytes() == before
    landed.receive()
    done = pseudonymise(landed.home, landed.contract)
    assert (done.files, done.received_before) == (0, 5)
    assert not landed.receive().set_aside
