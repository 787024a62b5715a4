"""JSON that is nested without end is refused by the name of its file, wherever it is read."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from matinee import provenance, releases
from matinee.errors import ConfigError, DataError, IntegrityError, MatineeError
from matinee.landing import ledger, tombstones
from matinee.night import combine, frame, model_files
from matinee.privacy import Traces
from matinee.releases import audit, digest, release, signing, verify
from matinee.rights import consent, dp_counts, erase, withdrawals
from matinee.settings import Settings
from matinee.warehouse import feature_files
from tests.attacks import homes
from tests.attacks.homes import LEAVER, STAYER, lines, play
from tests.releases.samples import publish

ROOT = Path(__file__).resolve().parents[2]
DEEP = b"[" * 100_000
DEPTHS = {"endless": DEEP, "half as deep as Python goes": b"[" * 600 + b"]" * 600}
simulate = import_module("matinee.operations.simulate")
online = import_module("matinee.features.online")


def plant(path, text=DEEP):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path


def _ledger(home, text):
    plant(ledger.path_of(home), text)
    ledger.read(home)


def _tombstones(home, text):
    plant(home / "privacy/tombstones.jsonl", text)
    tombstones.read(home)


def _newest_tombstone(home, text):
    plant(home / "privacy/tombstones.jsonl", text)
    tombstones.newest(home)


def _withdrawals(home, text):
    plant(home / withdrawals.FILE, text)
    consent.read(Settings(home=home))


def _unfinished(home, text):
    plant(home / erase.UNFINISHED, text)
    erase._unfinished(home)


def _truth(home, text):
    path = plant(home / "simulator/truth.json", text)
    simulate._planted_before(path, home / "landing", {"members": 1})


def _budget(home, text):
    plant(home / dp_counts.LEDGER, text)
    dp_counts.read_ledger(Settings(home=home))


def _aliases(home, text):
    plant(home / "releases/aliases.json", text)
    releases.Store(home / "releases", keys=home / "keys").aliases()


def _trail(home, text):
    audit.parse_chain(text + b"\n", "audit.jsonl")


def _manifest(home, text):
    path = plant(home / "releases/20260102T031500Z-5d186a909fc4" / release.MANIFEST, text)
    releases.Release(path.parent).manifest  # noqa: B018


def _signature(home, text):
    signing.private_key(home / "keys")
    signing.verified_payload(text, home / "keys", "signature.json")


def _digest(home, text):
    digest._json_sha256(plant(home / "card.json", text), "card.json")


def _chosen(home, text):
    plant(home / combine.FILE, text)
    combine.Chosen.read(home)


def _frame(home, text):
    plant(home / "frame.json", text)
    frame.read_frame(home)


def _watermark(home, text):
    online._as_of(plant(home / "watermark.json", text))


def _hyperparameters(home, text):
    import numpy as np

    home.mkdir(exist_ok=True)
    for name in model_files._ARRAYS:
        np.save(home / f"{name}.npy", np.zeros((2, 2), np.float32))
    plant(home / "hyperparameters.json", text)
    model_files.load_model(home)


READERS = [
    _ledger,
    _tombstones,
    _newest_tombstone,
    _withdrawals,
    _unfinished,
    _truth,
    _budget,
    _aliases,
    _trail,
    _manifest,
    _signature,
    _digest,
    _chosen,
    _frame,
    _watermark,
    _hyperparameters,
]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.__name__.strip("_"))
def test_deep_json_is_a_refusal_that_names_the_file(tmp_path, reader, depth):
    if reader is _digest and depth != "endless":
        return  # any JSON is content there
    with pytest.raises(MatineeError) as caught:
        reader(tmp_path / "home", DEPTHS[depth])
    assert isinstance(caught.value, ConfigError | DataError | IntegrityError)
    named = ("json", "hyperparameters", "model in", "manifest", "ledger", "tombstones", "audit")
    assert any(word in str(caught.value) for word in named), caught.value
    assert "\n" not in str(caught.value)


def test_a_file_of_a_release_that_is_no_json_names_release_and_file(tmp_path):
    store = releases.Store(tmp_path / "releases", keys=tmp_path / "keys")
    opened = publish(store)
    name = next(one["file"] for one in opened.manifest["files"] if one["file"].endswith(".json"))
    (opened.path / name).write_bytes(DEEP)
    with pytest.raises(IntegrityError, match=rf"{opened.id}/{name} is not JSON.*too deep.*verify"):
        opened.json(name)
    with pytest.raises(IntegrityError, match=name):
        verify.verify(verify.LocalFiles(opened.path), keys=store.keys, chain=store.trail().chain())


def test_exported_tables_with_a_deep_list_are_written_again(tmp_path):
    plant(tmp_path / "exported.json")
    assert feature_files._shown(tmp_path) == {"build": None, "tables": {}}


@pytest.mark.parametrize("name", ["x.json", "lines.json", "deep.json"])
def test_a_text_called_json_that_is_none_loses_the_lines_that_name_the_member(tmp_path, name):
    row = b'{"member_id": "%s"}\n' % LEAVER.encode()
    other = b'{"member_id": "%s"}\n' % STAYER.encode()
    text = {"x.json": b"not json\n" + row + other, "lines.json": row + other}
    nested = b'{"member_id": "%s", "x": ' % LEAVER.encode() + b"[" * 900 + b"]" * 900 + b"}\n"
    path = plant(tmp_path / name, text.get(name, nested + other))
    with erase.durable.drafts(tmp_path) as drafts:
        erase._clean(tmp_path, name, Traces.of([LEAVER]), drafts)
    assert path.read_bytes().removeprefix(b"not json\n") == other


# ---------- in landing


@pytest.fixture
def zone(tmp_path):
    return homes.zone(tmp_path)


def nested(member, depth):
    row = lines([play(1, member)]).strip()[:-1]
    return row + b', "x": ' + b"[" * depth + b"]" * depth + b"}\n"


@pytest.mark.parametrize("depth", [600, 1_100, 5_000, 100_000])
def test_a_deep_line_never_lets_an_outside_id_in(zone, depth):
    zone.land("plays", "a.jsonl", nested("outside-4711", depth) + lines([play(2, STAYER)]))
    homes.pseudonymise(zone)
    zone.receive()
    assert "outside-4711" not in {row[0] for row in zone.rows("plays", "member_id")}
    assert len(zone.rows("plays", "line")) + len(zone.rows("rejected_plays", "line")) == 2


@pytest.mark.parametrize("depth", [600, 1_100, 5_000, 100_000])
def test_a_deep_line_of_a_forgotten_member_is_erased_and_kept_out(zone, depth):
    path = zone.land("plays", "a.jsonl", nested(LEAVER, depth) + lines([play(2, STAYER)]))
    zone.receive()
    homes.erase(zone)
    assert LEAVER.encode() not in path.read_bytes()
    homes.forgotten(zone)
    again = zone.land("plays", "b.jsonl", nested(LEAVER, depth) + lines([play(3, STAYER)]))
    zone.receive()
    assert LEAVER.encode() not in again.read_bytes()
    assert {row[0] for row in zone.rows("plays", "member_id")} == {STAYER}


@pytest.mark.parametrize("text", [DEEP, DEEP + b"\n", b'{"a":' * 100_000], ids=["[", "[n", "{"])
def test_a_file_of_nothing_but_brackets_is_one_rejected_row(zone, text):
    zone.land("plays", "a.jsonl", text)
    zone.receive()
    homes.pseudonymise(zone)
    homes.forgotten(zone)
    zone.receive()
    assert zone.rows("rejected_plays", "line, rule") == [(1, "unreadable_line")]


# ---------- one way to read JSON


def test_json_is_parsed_in_one_module_only():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "matinee").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("load", "loads")
        and isinstance(node.value, ast.Name)
        and node.value.id == "json"
    }
    assert found == {"matinee/provenance.py"}


def test_a_document_of_this_program_says_where_it_was_and_what_to_do():
    with pytest.raises(IntegrityError, match=r"a\.json is not JSON as it was .*too deep\): res"):
        provenance.document(DEEP, "a.json", "restore it")
    assert provenance.parse_json(b'{"a": 1}') == {"a": 1}


def test_an_unfinished_erasure_without_members_is_named(tmp_path):
    path = plant(tmp_path / erase.UNFINISHED, b"{}")
    with pytest.raises(IntegrityError, match=rf"{path.name} names no members"):
        erase._unfinished(tmp_path)
