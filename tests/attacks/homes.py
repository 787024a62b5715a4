"""Small homes to attack, and what an attacker aims at."""

import hashlib
import signal
from contextlib import contextmanager
from datetime import UTC, datetime

from matinee import landing
from matinee.landing import tombstones
from matinee.privacy import Traces
from matinee.rights import member_search
from tests.landing.conftest import ROOT, Zone
from tests.rights.conftest import LEAVER, STAYER, lines, play

AT = datetime(2026, 1, 3, tzinfo=UTC)
SECRET = b"0123456789abcdef a secret of this machine\n"
DAY = "plays/dt=2026-01-02"

__all__ = ["AT", "DAY", "LEAVER", "SECRET", "STAYER", "lines", "play"]


def zone(tmp_path):
    """A home in which a title and a rating have landed, so that plays may be missing."""
    zone = Zone(tmp_path / "home", landing.load(ROOT))
    rating = play(100, STAYER) | {"rating_kind": "stars", "value": 7}
    del rating["watched_seconds"]
    zone.land("ratings", "r.jsonl", lines([rating]))
    return zone


def secret(tmp_path):
    """A file that nothing below `landing/` may change or show."""
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    return path


def pseudonymise(zone):
    return landing.pseudonyms.pseudonymise(zone.home, zone.contract)


def erase(zone, *members):
    """Take members out of the logs, as `matinee forget` does."""
    wanted = Traces.of(members or [LEAVER])
    return landing.erase(zone.home, zone.contract, wanted, member_search.search(zone.home, wanted))


def forgotten(zone):
    """From here on, the leaver is kept out of new files."""
    tombstones.add(zone.home, frozenset({LEAVER}), AT)


def keep_out(zone):
    """Receive when the leaver was forgotten before."""
    forgotten(zone)
    return zone.receive().summary()


def drop(zone, as_of="2040-01-01T00:00:00+00:00"):
    """Drop what is past its retention."""
    return landing.drop(
        home=zone.home,
        contract=zone.contract,
        as_of=datetime.fromisoformat(as_of),
        threads=2,
        memory_limit="1GB",
    )


def replay(zone):
    return landing.replay(
        home=zone.home, contract=zone.contract, streams=["plays"], threads=2, memory_limit="1GB"
    )


def sidecar(content, name="a.jsonl"):
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()


def reasons(receipt):
    """Why files were set aside, by name."""
    return {entry.file.rpartition("/")[2]: entry.reason for entry in receipt.set_aside}


@contextmanager
def within(seconds):
    """Fail instead of waiting for ever, as on a FIFO that nobody writes."""

    def late(*_):
        raise TimeoutError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
