"""Which release is served: one that verifies, the same in all processes."""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from matinee.errors import ConfigError
from matinee.privacy import Traces
from matinee.releases import Store
from matinee.rights import reissue as rights_reissue
from matinee.serving import live as following
from matinee.serving.live import Live
from matinee.settings import Settings
from tests.serving.conftest import members_of, serving


@pytest.fixture
def two(night_home, tmp_path):
    """A home with two releases: the live one is a copy of the other, without one member."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("releases", "keys", "privacy"):
        shutil.copytree(night_home / name, home / name)
    store = Store.of(home)
    first = store.open("live")
    leaver = members_of(home)[4]
    fill = rights_reissue.ReissueWithoutMembers(Traces({leaver}))
    at = datetime.now(UTC) + timedelta(seconds=5)
    with store.draft() as draft:
        fields = {**fill(first, draft, at), "created_at": at, "reason": "test"}
        second = store.publish(draft, fields, force=True)
    store.promote(second.id, expected=first.id, at=at, by="test", why="test")
    return home, first, second, leaver


def flip(release):
    path = release.path / "serving" / "slate.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def wait(client, release_id):
    end = time.monotonic() + 20
    while client.get("/readyz").json()["release_id"] != release_id:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_live_release_that_does_not_verify_is_not_served(two):
    home, first, second, _ = two
    flip(second)
    with serving(home) as client:
        ready = client.get("/readyz").json()
        assert (ready["status"], ready["release_id"]) == ("degraded", first.id)
        assert "slate.npy" in ready["problems"][0]
        page = client.get(f"/v1/members/{members_of_release(first)[0]}/page").json()
        assert (page["degraded"], page["release_id"]) == (True, first.id)
        similar = client.get("/v1/search?q=the").json()
        assert similar["degraded"] is True


def members_of_release(release):
    return release.table("serving/members.parquet")["member_id"].to_pylist()


def test_it_is_looked_at_again_and_served_when_it_is_whole(two, monkeypatch):
    home, _, second, _ = two
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.1)
    flip(second)
    with serving(home) as client:
        assert client.get("/readyz").json()["status"] == "degraded"
        flip(second)  # back again
        wait(client, second.id)
        assert client.get("/readyz").json()["status"] == "ok"


def test_without_a_release_that_verifies_nothing_starts(two):
    home, first, second, _ = two
    flip(first)
    flip(second)
    with pytest.raises(ConfigError, match=r"no release to serve: live: .*slate\.npy"):
        Live(Settings(home=home)).start()


def test_a_swap_is_seen_and_a_page_goes_on_where_it_began(two):
    home, first, second, _ = two
    store, members = Store.of(home), members_of_release(second)
    with serving(home) as one, serving(home) as other:
        page = one.get(f"/v1/members/{members[0]}/page?limit=2").json()
        assert page["release_id"] == second.id
        now = datetime.now(UTC)
        store.promote(first.id, expected=second.id, at=now, by="test", why="test")
        wait(one, first.id)
        assert other.get(f"/v1/members/{members[0]}/slate").json()["release_id"] == first.id
        more = other.get(f"/v1/pages/{page['page_id']}/next").json()
        assert more["release_id"] == second.id
        shown = [{t["title_id"] for s in p["shelves"] for t in s["titles"]} for p in (page, more)]
        assert not shown[0] & shown[1]


def test_a_fault_of_the_look_does_not_end_it(two, monkeypatch):
    home, first, second, _ = two
    look = Live.look
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    with serving(home) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Live, "look", lambda self: 1 / 0)
            time.sleep(0.1)
        Store.of(home).promote(
            first.id, expected=second.id, at=datetime.now(UTC), by="test", why="test"
        )
        wait(client, first.id)
    assert Live.look is look


def test_an_erased_member_is_in_no_file_of_serving_and_others_get_the_same(two):
    home, first, second, leaver = two
    at = "at=2026-02-01T10:00:00Z"
    stayers = [one for one in members_of_release(first) if one != leaver][::40]
    with serving(home) as client:
        assert client.get(f"/v1/members/{leaver}/page").status_code == 404
        after = [answers(client, one, at) for one in stayers]
        Store.of(home).promote(
            first.id, expected=second.id, at=datetime.now(UTC), by="test", why="test"
        )
        wait(client, first.id)
        assert client.get(f"/v1/members/{leaver}/page").status_code == 200
        before = [answers(client, one, at) for one in stayers]
    assert after == before
    for path in (second.path / "serving").iterdir():
        assert leaver.encode() not in path.read_bytes()


def answers(client, member, at):
    """What a member gets, without what differs between two releases by its nature."""
    page = client.get(f"/v1/members/{member}/page?{at}").json()
    slate = client.get(f"/v1/members/{member}/slate?{at}").json()
    return json.dumps([page["shelves"], page["source"], slate["titles"]])
