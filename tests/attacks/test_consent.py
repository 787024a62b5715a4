"""Nothing that happens to the list of withdrawals brings personalised answers back."""

import json
import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import features, landing, pipeline, releases
from matinee.errors import ConfigError, IntegrityError
from matinee.features import erasure
from matinee.operations import sync
from matinee.privacy import Traces
from matinee.rights import consent, withdrawals
from matinee.settings import Settings
from tests.features.conftest import COLUMNS, PROJECT
from tests.releases import objects
from tests.releases.objects import Fake
from tests.releases.samples import AT, promote, publish

MEMBER, OTHER = "m1", "m2"
DATES = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 10)]


@pytest.fixture
def settings(tmp_path):
    """A home that builds releases, where m1 refused personalisation."""
    settings = Settings(home=tmp_path / "trainer", project=PROJECT)
    store = releases.Store.of(settings.home)
    promote(store, publish(store))
    receive(settings, [])
    pipeline.record_choice(settings, MEMBER, "personalisation", granted=False)
    return settings


@pytest.fixture
def remote():
    objects.register()
    return releases.Remote.open("fake://bucket/matinee")


@pytest.fixture
def server(tmp_path, settings, remote):
    """A machine that serves, after a push and a pull."""
    server = Settings(home=tmp_path / "server", project=PROJECT)
    (server.home / "keys").mkdir(parents=True, mode=0o700)
    for name in ("privacy.key", *(path.name for path in (settings.home / "keys").glob("*.pub"))):
        shutil.copy(settings.home / "keys" / name, server.home / "keys")
    sync.push(settings, remote, at=AT, by="ada")
    sync.pull(server, remote)
    return server


def receive(settings, rows):
    """Receive rows of consents: member, granted, when it was made, when it was received."""
    schema = consent._SCHEMA
    table = [
        {
            "event_id": f"c{number}",
            "member_id": member,
            "purpose": "personalisation",
            "granted": granted,
            "event_at": made.replace(tzinfo=None),
            "received_at": received.replace(tzinfo=None),
            "file": f"consents/dt={min(received, DATES[-1]):%Y-%m-%d}/a.jsonl",
        }
        for number, (member, granted, made, received) in enumerate(rows)
    ]
    path = settings.home / "received/consents/batch=000001/a.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(table, schema=schema), path)
    return consent.refresh(settings)


def file_of(settings):
    return settings.home / withdrawals.FILE


# ---------- the list


def removed(settings):
    file_of(settings).unlink()


def removed_with_its_folder(settings):
    shutil.rmtree(settings.home / "privacy")


def emptied(settings):
    file_of(settings).write_bytes(b"")


def no_object(settings):
    file_of(settings).write_bytes(b"[]")


def edited(settings):
    document = json.loads(file_of(settings).read_bytes())
    document["since"]["personalisation"] = {}
    file_of(settings).write_text(json.dumps(document))


def rewound(settings):
    """A list of before, with its valid seal."""
    key = landing.tombstones.key(settings.home)
    file_of(settings).write_bytes(withdrawals.text_of(withdrawals.Withdrawals(key, {}, 1)))


def of_a_version_before_versions(settings):
    key = landing.tombstones.key(settings.home)
    document = {"since": {}, "seal": withdrawals._seal(key, {}, 0)}
    file_of(settings).write_text(json.dumps(document))


def without_the_key(settings):
    (settings.home / landing.tombstones.KEY).unlink()


def without_key_and_list(settings):
    without_the_key(settings)
    removed(settings)


LISTS = [
    removed,
    removed_with_its_folder,
    emptied,
    no_object,
    edited,
    rewound,
    of_a_version_before_versions,
]
LOST_KEYS = [without_the_key, without_key_and_list]


@pytest.mark.parametrize("attack", [*LISTS, *LOST_KEYS], ids=lambda one: one.__name__)
@pytest.mark.parametrize("where", ["settings", "server"])
def test_without_the_list_as_it_was_written_no_member_gets_a_personalised_answer(
    attack, where, request
):
    home = request.getfixturevalue(where)
    assert consent.may_personalise(home, OTHER)  # control
    attack(home)
    live = releases.Store.of(home.home).live()
    for member in (MEMBER, OTHER):
        with pytest.raises(IntegrityError) as error:
            consent.slate(home, live, member)
        assert error.value.exit_code == 5
        is_about_key = "keys/privacy.key is missing" in str(error.value)
        assert is_about_key or "`matinee consent --restore`" in str(error.value)
    with pytest.raises(IntegrityError):
        consent.refresh(home)  # a night
    assert not (attack in LOST_KEYS and (home.home / landing.tombstones.KEY).exists())


@pytest.mark.parametrize("attack", LISTS, ids=lambda one: one.__name__)
def test_the_command_that_the_message_names_restores_the_list(settings, attack):
    attack(settings)
    consent.restore(settings)
    assert not consent.may_personalise(settings, MEMBER)
    assert consent.may_personalise(settings, OTHER)


@pytest.mark.parametrize("attack", LISTS, ids=lambda one: one.__name__)
def test_a_pull_restores_the_list_of_a_machine_that_serves(server, remote, attack):
    attack(server)
    sync.pull(server, remote)
    assert not consent.may_personalise(server, MEMBER)
    assert consent.may_personalise(server, OTHER)


def test_refusals_that_came_from_a_mirror_survive_a_restore(settings, server, remote):
    pipeline.record_choice(server, OTHER, "personalisation", granted=False)
    consent.merge(settings, consent.serialised(server), "the server")
    removed(settings)
    consent.restore(settings)
    assert not consent.may_personalise(settings, OTHER)


def test_a_home_without_copy_and_logs_cannot_write_an_empty_list(server):
    removed(server)
    (server.home / withdrawals.COPY).unlink()
    with pytest.raises(IntegrityError, match="fetch the list with `matinee releases pull URL`"):
        consent.restore(server)
    with pytest.raises(IntegrityError):
        pipeline.record_choice(server, OTHER, "personalisation", granted=False)
    assert not file_of(server).exists()


def test_a_first_night_writes_the_list_and_keeps_the_refusals_that_landed(tmp_path):
    settings = Settings(home=tmp_path / "home", project=PROJECT)
    with pytest.raises(IntegrityError, match="matinee consent --restore"):
        consent.read(settings)
    assert not (settings.home / landing.tombstones.KEY).exists()  # a reader makes no key
    receive(settings, [(MEMBER, False, DATES[0], DATES[0])])
    assert not consent.may_personalise(settings, MEMBER)
    assert consent.may_personalise(settings, OTHER)


# ---------- the list of a mirror

LIST = f"bucket/matinee/{withdrawals.FILE}"


def test_a_mirror_without_its_list_is_not_pulled(server, remote, settings):
    Fake.objects.pop(LIST)
    with pytest.raises(IntegrityError, match=r"withdrawals\.json is missing, so nothing is pulled"):
        sync.pull(server, remote)
    assert not consent.may_personalise(server, MEMBER)
    sync.push(settings, remote, at=AT, by="ada")  # as the message says
    sync.pull(server, remote)


def test_an_older_list_of_a_mirror_is_refused(server, remote, settings):
    older = Fake.objects[LIST]
    pipeline.record_choice(settings, OTHER, "personalisation", granted=False)
    sync.push(settings, remote, at=AT, by="ada")
    sync.pull(server, remote)
    Fake.objects[LIST] = older
    with pytest.raises(IntegrityError, match="it was rewound"):
        sync.pull(server, remote)
    assert not consent.may_personalise(server, OTHER)
    sync.push(settings, remote, at=AT, by="ada")
    sync.pull(server, remote)


def test_a_push_never_takes_the_list_of_a_mirror_back(server, remote, settings):
    for granted in (True, False, True, False):
        pipeline.record_choice(server, OTHER, "personalisation", granted=granted)
    remote.write(withdrawals.FILE, consent.serialised(server))
    sync.push(settings, remote, at=AT, by="ada")
    assert not consent.may_personalise(settings, OTHER)
    assert not consent.may_personalise(settings, MEMBER)
    sync.pull(server, remote)


# ---------- the key


def test_a_lost_key_is_replaced_by_none_anywhere(settings):
    without_the_key(settings)
    for action in (
        lambda: landing.pseudonyms.name_of(settings.home, "4711"),
        lambda: landing.tombstones.add(settings.home, frozenset({OTHER}), AT),
        lambda: pipeline.record_choice(settings, OTHER, "personalisation", granted=True),
        lambda: consent.restore(settings),
    ):
        with pytest.raises(IntegrityError, match=r"privacy\.key is missing, and .* was written"):
            action()
    assert not (settings.home / landing.tombstones.KEY).exists()


@pytest.mark.parametrize("keyed", ["privacy/tombstones.jsonl", "privacy/pseudonymous"])
def test_whatever_was_written_with_a_key_keeps_a_new_one_away(tmp_path, keyed):
    (tmp_path / "privacy").mkdir()
    (tmp_path / keyed).write_bytes(b"")
    with pytest.raises(IntegrityError, match=rf"is missing, and {keyed} was written with it"):
        landing.tombstones.key(tmp_path)
    (tmp_path / keyed).unlink()
    assert landing.tombstones.key(tmp_path)


def test_a_machine_that_lost_the_key_pulls_nothing(server, remote):
    without_the_key(server)
    with pytest.raises(ConfigError, match=r"copy keys/privacy\.key from the home that pushed"):
        sync.pull(server, remote)


# ---------- when a choice was made


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = datetime(2099, 1, 1, tzinfo=UTC)
D = DATES

CHOICES = {
    "a grant after a refusal": ([(False, D[1], D[1]), (True, D[2], D[2])], True),
    "a refusal after a grant": ([(True, D[1], D[1]), (False, D[2], D[2])], False),
    "a grant dated 2099": ([(True, FAR, D[1]), (False, D[2], D[2])], False),
    "a grant dated and received 2099": ([(True, FAR, FAR), (False, D[8], D[8])], True),
    "a refusal dated 2099": ([(False, FAR, D[1]), (True, D[2], D[2])], True),
    "an old grant that comes late": ([(False, D[2], D[2]), (True, D[1], D[4])], False),
    "an old refusal that comes late": ([(True, D[2], D[2]), (False, D[1], D[4])], False),
    "both at once": ([(True, D[2], D[2]), (False, D[2], D[2])], False),
    "a grant in 1970": (
        [(False, D[1], D[1]), (True, EPOCH, D[3])],
        False,
    ),
}


@pytest.mark.parametrize(("rows", "granted"), CHOICES.values(), ids=CHOICES)
def test_choices_count_by_receipt(tmp_path, rows, granted):
    settings = Settings(home=tmp_path / "home", project=PROJECT)
    for order in (rows, rows[::-1]):
        receive(settings, [(MEMBER, *row) for row in order])
        assert consent.may_personalise(settings, MEMBER) == granted


def test_a_refusal_by_hand_holds_against_a_grant_dated_2099_whenever_that_comes(settings):
    receive(settings, [(MEMBER, True, FAR, D[3])])
    assert not consent.may_personalise(settings, MEMBER)


# ---------- Feast online


@pytest.fixture
def online(settings):
    """The home again, with m1 (who refused) and m2 in the feature tables, and both online."""
    for table, columns in COLUMNS.items():
        key = "member_id" if table.startswith("member") else "title_id"
        at = pa.timestamp("us", tz="UTC")
        schema = pa.schema({key: pa.string(), "observed_at": at, **columns})
        ids = (MEMBER, OTHER) if key == "member_id" else ("t1",)
        rows = [{key: one, "observed_at": D[0]} for one in ids]
        path = settings.home / "features" / f"{table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    where = {"home": settings.home, "project": PROJECT}
    features.apply(**where)
    features.materialise(as_of=D[1], lateness_days=3, **where)
    return settings


def names_in(path):
    """The members whose key is anywhere in the bytes of the online store."""
    data = path.read_bytes()
    keys = zip((MEMBER, OTHER), erasure._entity_keys(Traces.of([MEMBER, OTHER])), strict=True)
    return [member for member, key in keys if key in data]


def test_after_a_refusal_nothing_of_the_member_is_in_feast_online(online):
    path = online.home / "feast/online.db"
    assert names_in(path) == [MEMBER, OTHER]
    consent.refresh(online)  # nothing new was received
    pipeline.record_choice(online, OTHER, "personalisation", granted=False)
    assert names_in(path) == []


def test_a_night_puts_no_member_who_refused_online_whatever_the_tables_hold(online):
    refusals = consent.read(online)
    where = {"home": online.home, "project": PROJECT}

    def left_out(member):
        return refusals.includes(member, "personalisation")

    features.materialise(as_of=D[2], lateness_days=3, left_out=left_out, **where)
    assert names_in(online.home / "feast/online.db") == [OTHER]
    assert features.assert_online_equals_offline(as_of=D[2], left_out=left_out, **where)


def test_a_refusal_that_a_pull_brings_leaves_nothing_online(online, remote, server):
    shutil.copytree(online.home / "feast", server.home / "feast")
    pipeline.record_choice(online, OTHER, "personalisation", granted=False)
    sync.push(online, remote, at=AT, by="ada")
    sync.pull(server, remote)
    assert names_in(server.home / "feast/online.db") == []
