"""Consent withdrawals reach every machine that pulls, before new releases do."""

import json
import shutil

import pytest

from matinee import landing, pipeline, releases
from matinee.errors import ConfigError, IntegrityError
from matinee.operations import sync
from matinee.releases import Remote
from matinee.rights import consent, withdrawals
from matinee.settings import Settings
from tests.releases import objects
from tests.releases.objects import Fake
from tests.releases.samples import AT, promote, publish

MEMBER, OTHER = "m1", "m2"
LIST = f"bucket/matinee/{withdrawals.FILE}"


@pytest.fixture
def remote():
    objects.register()
    return Remote.open("fake://bucket/matinee")


@pytest.fixture
def settings(tmp_path):
    """The home that trains: one live release, with slates for m1, m2 and m3."""
    settings = Settings(home=tmp_path / "trainer")
    store = releases.Store.of(settings.home)
    promote(store, publish(store))
    consent.refresh(settings)
    return settings


@pytest.fixture
def server(tmp_path, settings):
    """A serving machine with both keys that it needs."""
    landing.tombstones.key(settings.home)
    server = Settings(home=tmp_path / "server")
    (server.home / "keys").mkdir(parents=True)
    for name in ("privacy.key", *(path.name for path in (settings.home / "keys").glob("*.pub"))):
        shutil.copy(settings.home / "keys" / name, server.home / "keys")
    return server


def push(settings, remote):
    return sync.push(settings, remote, at=AT, by="ada")


def test_a_refusal_is_applied_on_other_machines_after_a_push_and_pull(settings, server, remote):
    push(settings, remote)
    sync.pull(server, remote)
    assert consent.may_personalise(server, MEMBER)
    pipeline.record_choice(settings, MEMBER, "personalisation", granted=False)
    push(settings, remote)
    assert MEMBER not in Fake.objects[LIST].decode()
    sync.pull(server, remote)
    assert not consent.may_personalise(server, MEMBER)
    assert consent.may_personalise(server, OTHER)
    pipeline.record_choice(settings, MEMBER, "personalisation", granted=True)
    push(settings, remote)
    sync.pull(server, remote)
    assert consent.may_personalise(server, MEMBER)


def test_a_refusal_recorded_on_a_serving_machine_is_kept_by_a_pull(settings, server, remote):
    push(settings, remote)
    sync.pull(server, remote)
    pipeline.record_choice(server, OTHER, "personalisation", granted=False)
    pipeline.record_choice(settings, MEMBER, "personalisation", granted=False)
    push(settings, remote)
    sync.pull(server, remote)
    assert not consent.may_personalise(server, MEMBER)
    assert not consent.may_personalise(server, OTHER)


def test_refusals_are_transferred_before_releases(settings, server, remote):
    pipeline.record_choice(settings, MEMBER, "personalisation", granted=False)
    push(settings, remote)
    order = [path for what, path in Fake.calls if what in ("put", "create")]
    assert order[0] == LIST
    Fake.calls.clear()
    sync.pull(server, remote)
    assert next(path for what, path in Fake.calls if what == "read") == LIST


def test_an_unchanged_list_is_not_sent_again(settings, remote):
    push(settings, remote)
    Fake.calls.clear()
    push(settings, remote)
    assert not [path for what, path in Fake.calls if what in ("put", "create")]


def test_a_machine_without_the_privacy_key_pulls_nothing(settings, server, remote):
    push(settings, remote)
    (server.home / landing.tombstones.KEY).unlink()
    message = (
        r"withdrawals\.json lists withdrawals by pseudonyms .* copy keys/privacy\.key from the home"
    )
    with pytest.raises(ConfigError, match=message):
        sync.pull(server, remote)
    assert releases.Store.of(server.home).live() is None
    assert not (server.home / landing.tombstones.KEY).exists()  # no new key was created


def test_a_changed_remote_list_is_refused_and_nothing_changes(settings, server, remote):
    pipeline.record_choice(settings, MEMBER, "personalisation", granted=False)
    push(settings, remote)
    sync.pull(server, remote)
    document = json.loads(Fake.objects[LIST])
    document["since"]["personalisation"] = {}
    Fake.objects[LIST] = json.dumps(document).encode()
    with pytest.raises(IntegrityError, match="was not written with the privacy key of"):
        sync.pull(server, remote)
    assert not consent.may_personalise(server, MEMBER)
