"""A refusal holds at the next answer of every process, and so does a list that cannot be read."""

import shutil

import pytest

from matinee.rights import consent
from matinee.settings import Settings
from tests.serving.conftest import members_of, serving

SHARED = {"cold_member", "popular", "non_profiled"}


@pytest.fixture(scope="module")
def own(night_home, tmp_path_factory):
    """A home of these tests, and two processes' worth of servers on it."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("refusals") / "home")
    with serving(home) as one, serving(home) as other:
        yield home, one, other, members_of(home)


def source(client, member):
    return client.get(f"/v1/members/{member}/slate").json()["source"]


@pytest.fixture(scope="module")
def personal(own):
    """Members with lists of their own."""
    _, one, _, members = own
    return [member for member in members if source(one, member) not in SHARED]


def test_a_refusal_in_one_process_holds_in_the_other_at_once(own, personal):
    _, one, other, _ = own
    member = personal[0]
    assert source(other, member) not in SHARED
    body = {"purpose": "personalisation", "granted": False}
    assert one.post(f"/v1/members/{member}/consent", json=body).status_code == 202
    assert source(other, member) in SHARED
    page = other.get(f"/v1/members/{member}/page").json()
    assert page["source"] in SHARED
    assert "because_you_watched" not in {shelf["kind"] for shelf in page["shelves"]}
    assert (
        one.post(f"/v1/members/{member}/consent", json=body | {"granted": True}).status_code == 202
    )
    assert source(other, member) not in SHARED


def test_a_page_that_was_personal_does_not_go_on_so(own, personal):
    _, one, other, _ = own
    member = personal[1]
    page = one.get(f"/v1/members/{member}/page?limit=2").json()
    body = {"purpose": "personalisation", "granted": False}
    one.post(f"/v1/members/{member}/consent", json=body)
    assert other.get(f"/v1/pages/{page['page_id']}/next").json()["source"] in SHARED


@pytest.mark.parametrize("fault", ["removed", "corrupted", "older"])
def test_without_a_sound_list_no_answer_is_personal(own, personal, fault):
    home, one, _, _ = own
    path = home / consent.FILE
    before = path.read_bytes()
    consent.record_choice(Settings(home=home), personal[2], "marketing", granted=False)
    now = path.read_bytes()
    member = personal[3]
    try:
        if fault == "removed":
            path.unlink()
        else:
            path.write_bytes(before if fault == "older" else now.replace(b"version", b"versiom"))
        assert source(one, member) in SHARED
        assert one.get(f"/v1/members/{member}/page").json()["source"] in SHARED
        ready = one.get("/readyz").json()
        assert ready["status"] == "degraded"
        assert "withdrawals.json" in ready["problems"][0]
        assert str(home) not in ready["problems"][0]
    finally:
        path.write_bytes(now)
    assert source(one, member) not in SHARED
    assert one.get("/readyz").json()["status"] == "ok"


@pytest.mark.parametrize("way", ["consent", "forget"])
def test_a_member_whom_no_night_has_seen_may_refuse_and_leave(own, way):
    home, one, other, _ = own
    member = f"new-{way}"
    titles = [one_["title_id"] for one_ in other.get("/v1/search?q=the&k=5").json()["titles"]]
    rows = [
        {
            "stream": "plays",
            "event_id": f"{member}-{number}",
            "event_at": "2026-01-20T10:00:00Z",
            "member_id": member,
            "title_id": title,
            "watched_seconds": 6_000,
        }
        for number, title in enumerate(titles)
    ]
    assert one.post("/v1/events", json=rows).json()["accepted"] == len(rows)
    assert source(other, member) not in SHARED
    body = {"purpose": "personalisation", "granted": False} if way == "consent" else None
    assert one.post(f"/v1/members/{member}/{way}", json=body).status_code == 202
    assert source(other, member) in SHARED
    if way == "forget":
        (request,) = (home / "landing/privacy_requests").glob("dt=*/forget-*.jsonl")
        assert member in request.read_text()
