"""What is hashed is what is read, and a crash between two steps is mended by the next call."""

import gzip
import io
import json
import shutil
from importlib import import_module

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import durable
from matinee.errors import IntegrityError
from matinee.landing import files, ledger
from tests.attacks import homes
from tests.attacks.homes import DAY, LEAVER, SECRET, STAYER, lines, play

LOGS = lines([play(1, STAYER), play(2, LEAVER)])


@pytest.fixture
def zone(tmp_path):
    return homes.zone(tmp_path)


@pytest.fixture
def secret(tmp_path):
    return homes.secret(tmp_path)


def parquet(text):
    rows = [json.loads(line) for line in text.splitlines()]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def csv(text):
    rows = [json.loads(line) for line in text.splitlines()]
    return "\n".join([",".join(rows[0]), *(",".join(map(str, r.values())) for r in rows)]).encode()


PACK = {"jsonl": bytes, "jsonl.gz": lambda text: gzip.compress(text, mtime=0), "csv": csv}
PACK["parquet"] = parquet

OTHER = lines([play(7, "m-swapped"), play(8, "m-swapped")])


def in_place(path, content):
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(content)


def renamed(path, content):
    fresh = path.with_name("fresh")
    fresh.write_bytes(content)
    fresh.replace(path)


def by_link(path, content):
    elsewhere = path.parents[4] / "elsewhere"
    elsewhere.write_bytes(content)
    path.unlink()
    path.symlink_to(elsewhere)


def removed(path, content):
    path.unlink()


def folder_by_link(path, content):
    elsewhere = path.parents[4] / "elsewhere"
    shutil.move(path.parent, elsewhere)
    path.parent.symlink_to(elsewhere)


SWAPS = {
    "in place": in_place,
    "renamed": renamed,
    "link": by_link,
    "folder": folder_by_link,
    "removed": removed,
}


def swapped_before(monkeypatch, module, name, swap):
    """Let `swap` happen right before the next call of a function."""
    real = getattr(module, name)

    def after_swap(*args, **kwargs):
        monkeypatch.setattr(module, name, real)
        swap()
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, after_swap)


@pytest.mark.parametrize("swap", SWAPS)
@pytest.mark.parametrize("format", PACK)
def test_a_file_that_is_swapped_after_it_was_hashed_is_set_aside(zone, monkeypatch, format, swap):
    module = import_module("matinee.landing.receive")

    path = zone.land("plays", f"a.{format}", PACK[format](LOGS))
    content = PACK[format](OTHER)
    swapped_before(monkeypatch, module, "connection", lambda: SWAPS[swap](path, content))
    receipt = zone.receive()
    words = {"link": "it is a link", "removed": "it is gone", "folder": f"{DAY} is a link or no"}
    assert homes.reasons(receipt)[path.name].startswith(words.get(swap, "its bytes changed while"))
    assert zone.rows("plays", "event_id") == []
    assert ledger.read(zone.home).entries[f"{DAY}/{path.name}"].status == "set_aside"


def test_a_parquet_file_that_changes_right_before_it_is_parsed_is_read_as_it_was_hashed(
    zone, monkeypatch
):
    path = zone.land("plays", "a.parquet", parquet(LOGS))
    swapped_before(monkeypatch, pq, "ParquetFile", lambda: in_place(path, parquet(OTHER)))
    zone.receive()
    assert zone.rows("plays", "event_id") == [("p1",), ("p2",)]


def test_a_file_that_is_swapped_during_a_replay_stays_rejected(zone, monkeypatch):
    module = import_module("matinee.landing.replay")

    broken = lines([play(1, STAYER) | {"watched_seconds": -1}])
    path = zone.land("plays", "a.jsonl", broken)
    zone.receive()
    swapped_before(monkeypatch, module, "take_in", lambda: in_place(path, OTHER[: len(broken)]))
    assert homes.replay(zone).left[f"{DAY}/a.jsonl"].startswith("its bytes changed while it was")


def test_a_forgotten_member_does_not_come_back_by_a_swap_after_the_search(zone, monkeypatch):
    homes.forgotten(zone)
    path = zone.land("plays", "a.jsonl", lines([play(1, STAYER)]))
    module = import_module("matinee.landing.receive")

    swapped_before(monkeypatch, module, "connection", lambda: in_place(path, LOGS))
    zone.receive()
    assert zone.rows("plays", "event_id") == []


def test_a_file_that_becomes_a_link_before_it_is_replaced_leads_nowhere(zone, secret, monkeypatch):
    path = zone.land("plays", "a.jsonl", LOGS)

    def swap():
        path.unlink()
        path.symlink_to(secret)

    swapped_before(monkeypatch, files, "replace", swap)
    assert homes.pseudonymise(zone).torn == 1
    assert secret.read_bytes() == SECRET
    assert path.is_symlink()


def test_a_file_that_becomes_a_link_while_members_are_erased_is_a_refusal(
    zone, secret, monkeypatch
):
    path = zone.land("plays", "a.jsonl", LOGS)

    def swap():
        path.unlink()
        path.symlink_to(secret)

    swapped_before(monkeypatch, files, "replace", swap)
    with pytest.raises(IntegrityError, match=r"a\.jsonl was replaced while .*it is a link"):
        homes.erase(zone)
    assert secret.read_bytes() == SECRET


# ---------- a crash between sidecar and file


REPLACING = {
    "pseudonymise": homes.pseudonymise,
    "keep out": homes.keep_out,
    "erase received": homes.erase,
}


class Death(BaseException):
    """Not an Exception: nothing in the package may catch it."""


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("operation", REPLACING)
def test_a_crash_at_any_step_of_replacing_a_file_is_mended(zone, monkeypatch, operation, steps):
    zone.land("plays", "a.jsonl", LOGS)
    zone.land("plays", "a.jsonl.sha256", homes.sidecar(LOGS))
    real, done = durable.put, []

    def put(draft, final, **kwargs):
        if final.parent.name.startswith("dt=") and "landing" in final.parts:
            if len(done) == steps:
                raise Death
            done.append(final)
        real(draft, final, **kwargs)

    if operation == "erase received":
        zone.receive()
    with monkeypatch.context() as patch:
        patch.setattr(durable, "put", put)
        try:
            REPLACING[operation](zone)
        except Death:
            assert len(done) == steps
        else:
            assert len(done) == steps == 3  # the sidecar with both hashes, the file, the sidecar
    REPLACING[operation](zone)
    receipt = zone.receive()
    assert homes.reasons(receipt) == {}
    assert receipt.warnings == ()
    landed = zone.home / "landing" / DAY
    assert sorted(one.name for one in landed.iterdir()) == ["a.jsonl", "a.jsonl.sha256"]
    assert LEAVER.encode() not in (landed / "a.jsonl").read_bytes()
    assert list((zone.home / durable.DRAFTS).iterdir()) == []
    hashed = homes.sidecar((landed / "a.jsonl").read_bytes())
    assert hashed in (landed / "a.jsonl.sha256").read_bytes()


def test_a_replaced_file_keeps_its_mode(zone):
    path = zone.land("plays", "a.jsonl", LOGS)
    path.chmod(0o640)
    homes.pseudonymise(zone)
    assert path.stat().st_mode & 0o777 == 0o640
