"""Whoever writes to `landing/` reaches nothing else: no link there is followed, none written to."""

import os
import shutil
import socket
from contextlib import suppress
from datetime import date

import pytest

from matinee import durable, landing
from matinee.errors import DataError, IntegrityError, MatineeError
from matinee.operations.rebuild import collect_inputs
from matinee.privacy import Traces
from matinee.rights import consent, erase
from tests.attacks import homes
from tests.attacks.homes import DAY, LEAVER, SECRET, STAYER, lines, play

LOGS = lines([play(1, STAYER), play(2, LEAVER)])


@pytest.fixture
def zone(tmp_path):
    return homes.zone(tmp_path)


@pytest.fixture
def secret(tmp_path):
    return homes.secret(tmp_path)


def place(zone):
    day = date(2026, 1, 2)
    return landing.place(zone.home, "plays", day, "b.jsonl", lambda one: one.write_bytes(LOGS))


def receive(zone):
    return zone.receive().summary()


def erase_received(zone):
    zone.receive()
    return homes.erase(zone)


OPERATIONS = {
    "pseudonymise": homes.pseudonymise,
    "erase": homes.erase,
    "erase received": erase_received,
    "keep out": homes.keep_out,
    "place": place,
    "receive": receive,
    "drop": homes.drop,
}

PLANTED = {
    "drafts": (
        ".a.jsonl.renaming",
        ".a.jsonl.erasing",
        ".a.jsonl.new",
        ".a.jsonl.tmp",
        f".b.jsonl.{os.getpid()}.tmp",
    ),
    "sidecars": ("a.jsonl.sha256", "b.jsonl.sha256"),
    "a file": ("b.jsonl",),
}
"""Names beside landing files that some version wrote to, or could."""


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_operation_writes_through_a_link_or_shows_what_it_leads_to(
    zone, secret, operation, planted
):
    zone.land("plays", "a.jsonl", LOGS)
    for name in PLANTED[planted]:
        (zone.home / "landing" / DAY / name).symlink_to(secret)
    try:
        shown = str(OPERATIONS[operation](zone))
    except MatineeError as error:
        shown = str(error)
    assert SECRET[:6].decode() not in shown
    assert secret.read_bytes() == SECRET
    assert not secret.is_symlink()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("linked", ["plays", DAY])
def test_no_operation_reaches_what_a_linked_folder_leads_to(zone, tmp_path, operation, linked):
    zone.land("plays", "a.jsonl", LOGS)
    folder, outside = zone.home / "landing" / linked, tmp_path / "outside"
    if operation in ("drop", "erase received"):
        zone.receive()
    shutil.move(folder, outside)
    folder.symlink_to(outside)
    before = {one: one.read_bytes() for one in outside.rglob("*") if one.is_file()}
    with suppress(MatineeError):
        OPERATIONS[operation](zone)
    assert {one: one.read_bytes() for one in outside.rglob("*") if one.is_file()} == before


@pytest.mark.parametrize("linked", ["plays", DAY, f"{DAY}/a.jsonl"])
def test_a_link_is_named_in_a_warning_and_nothing_behind_it_is_received(zone, tmp_path, linked):
    zone.land("plays", "a.jsonl", LOGS)
    path, outside = zone.home / "landing" / linked, tmp_path / "outside"
    shutil.move(path, outside)
    path.symlink_to(outside)
    (warning,) = (one for one in zone.receive().warnings if "link" in one)
    assert warning.startswith(f"{linked}: a link, so it is not received: nobody could be erased")
    assert zone.rows("plays", "event_id") == []


def test_many_links_are_one_warning(zone, secret):
    zone.land("plays", "a.jsonl", LOGS)
    for number in range(30):
        (zone.home / "landing" / DAY / f"x{number:02}.jsonl").symlink_to(secret)
    (warning,) = zone.receive().warnings
    assert warning.startswith(f"30 files, the first is {DAY}/x00.jsonl: a link, so")


def test_the_landing_zone_itself_may_be_a_link_on_another_disk(zone, tmp_path):
    zone.land("plays", "a.jsonl", LOGS)
    shutil.move(zone.home / "landing", tmp_path / "elsewhere")
    (zone.home / "landing").symlink_to(tmp_path / "elsewhere")
    homes.forgotten(zone)
    assert len(zone.receive().files) == 3
    assert zone.rows("plays", "event_id") == [("p1",)]


# ---------- hard links, FIFOs, sockets


def test_a_hard_link_is_refused_with_a_warning_and_not_read(zone, secret):
    zone.land("plays", "a.jsonl", LOGS)
    secret.write_bytes(lines([play(9, "m-of-a-secret")]))
    os.link(secret, zone.home / "landing" / DAY / "hard.jsonl")
    (warning,) = zone.receive().warnings
    assert warning == (
        f"{DAY}/hard.jsonl: a hard link, so it is not received: nobody could be erased from its"
        " other names; land a copy"
    )
    assert zone.rows("plays", "event_id") == [("p1",), ("p2",)]


def fifo(path):
    os.mkfifo(path)


def sock(path):
    with socket.socket(socket.AF_UNIX) as opened:
        here = os.open(path.parent, os.O_RDONLY)
        opened.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def folder(path):
    path.mkdir()


def hard(path):
    other = path.parents[4] / "other"
    other.write_bytes(homes.sidecar(LOGS))
    os.link(other, path)


def soft(path):
    other = path.parents[4] / "other"
    other.write_bytes(homes.sidecar(LOGS))
    path.symlink_to(other)


KINDS = {"FIFO": fifo, "socket": sock, "folder": folder, "hard link": hard, "link": soft}


@pytest.mark.parametrize("kind", KINDS)
def test_a_sidecar_that_is_no_plain_file_sets_its_file_aside_at_once(zone, kind):
    zone.land("plays", "a.jsonl", LOGS)
    KINDS[kind](zone.home / "landing" / DAY / "a.jsonl.sha256")
    with homes.within(20):
        receipt = zone.receive()
        assert homes.pseudonymise(zone).torn == 1
    reason = homes.reasons(receipt)["a.jsonl"]
    words = {"hard link": "a hard link, one of 2 names", "link": "a link"}
    assert reason.startswith(f"its sidecar is {words.get(kind, 'not a regular file')}")
    assert zone.rows("plays", "event_id") == []


@pytest.mark.parametrize("kind", ["FIFO", "socket", "folder"])
def test_what_is_no_file_is_not_opened(zone, kind):
    zone.land("plays", "a.jsonl", LOGS)
    KINDS[kind](zone.home / "landing" / DAY / "x.jsonl")
    with homes.within(20):
        receipt = zone.receive()
        homes.pseudonymise(zone)
        homes.erase(zone)
    assert [one.partition(":")[0] for one in receipt.warnings] == [f"{DAY}/x.jsonl"]


def test_a_sidecar_without_end_is_read_in_part(zone):
    zone.land("plays", "a.jsonl", LOGS)
    path = zone.land("plays", "a.jsonl.sha256", homes.sidecar(LOGS))
    os.truncate(path, 1 << 40)  # a hole: no disk holds it, and no memory
    assert homes.reasons(zone.receive()) == {}


# ---------- other places that read or write there


@pytest.mark.parametrize("linked", ["consents", "consents/dt=2026-01-02"])
def test_nothing_is_placed_beyond_a_link(zone, tmp_path, linked):
    outside = tmp_path / "outside"
    outside.mkdir()
    path = zone.home / "landing" / linked
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside)
    with pytest.raises(DataError, match=f"{linked} is a link or no folder\\): remove the link"):
        landing.place(
            zone.home, "consents", date(2026, 1, 2), "c.jsonl", lambda one: one.write_bytes(b"")
        )
    assert list(outside.iterdir()) == []


CHOICE = (
    b'{"event_id": 1, "member_id": "m", "purpose": "insights", "granted": true, '
    b'"event_at": "2026-01-02T00:00:00Z", "received_at": "2026-01-02T00:00:00Z"}\n'
)


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (lambda path, secret: path.symlink_to(secret), "a link"),
        (lambda path, secret: os.link(secret, path), "a hard link, one of 2 names"),
        (lambda path, secret: path.write_bytes(b"{broken\n"), "Expecting property name"),
        (lambda path, secret: path.write_bytes(b"[" * 100_000), "nested too deep"),
        (lambda path, secret: path.write_bytes(b"[]\n"), "list indices"),
        (lambda path, secret: path.write_bytes(CHOICE), "its values have other types"),
        (lambda path, secret: path.write_bytes(b"\xff\n"), "can't decode"),
    ],
)
def test_a_choice_that_this_home_did_not_write_is_named(zone, secret, plant, words):
    path = zone.home / "landing/consents/dt=2026-01-02/said-x.jsonl"
    path.parent.mkdir(parents=True)
    plant(path, secret)
    with pytest.raises(IntegrityError, match=rf"said-x.jsonl is not as .*{words}.*remove it"):
        consent._local_consents(zone.home)


@pytest.mark.parametrize("name", ["../../secret", f"{DAY}/../../../../secret", "/etc/hostname"])
def test_a_rebuild_collects_nothing_from_elsewhere(zone, tmp_path, secret, name):
    zone.land("plays", "a.jsonl", LOGS)
    with pytest.raises(IntegrityError, match="leads elsewhere"):
        collect_inputs(zone.home, tmp_path / "clean", [{"file": name, "sha256": "0" * 64}])


def test_a_rebuild_collects_no_link(zone, tmp_path, secret):
    (zone.home / "landing" / DAY).mkdir(parents=True)
    (zone.home / "landing" / DAY / "a.jsonl").symlink_to(secret)
    with pytest.raises(IntegrityError, match=r"a\.jsonl is a link"):
        collect_inputs(
            zone.home, tmp_path / "clean", [{"file": f"{DAY}/a.jsonl", "sha256": "0" * 64}]
        )


@pytest.mark.parametrize("linked", ["plays", "plays/batch=000001"])
def test_a_link_in_received_is_refused(zone, tmp_path, linked):
    zone.land("plays", "a.jsonl", LOGS)
    zone.receive()
    path = zone.home / "received" / linked
    shutil.move(path, tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    with pytest.raises(IntegrityError, match=rf"received/{linked} is a link, which nothing here"):
        zone.receive()
    assert (tmp_path / "outside").exists()


@pytest.mark.parametrize(("name", "is_cleaned"), [("reports/r.log", True), (f"{DAY}/a.log", False)])
def test_a_text_that_a_backup_shares_is_cleaned_and_a_shared_log_is_left_to_be_refused(
    zone, tmp_path, name, is_cleaned
):
    name = name if is_cleaned else f"landing/{name}"
    path = zone.home / name
    path.parent.mkdir(parents=True)
    path.write_bytes(LOGS)
    os.link(path, tmp_path / "backup")
    with durable.drafts(zone.home) as drafts:
        erase._clean(zone.home, name, Traces.of([LEAVER]), drafts)
    assert (LEAVER.encode() not in path.read_bytes()) == is_cleaned
    assert (tmp_path / "backup").read_bytes() == LOGS
