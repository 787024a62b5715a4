"""The fast routes say what FastAPI's routes say."""

import pytest

from matinee.serving.routes import hot_routes
from tests.serving.requests_raw import ask

QUERIES = (
    *(
        "",
        "k=3",
        "k=0",
        "k=1001",
        "k=1000",
        "k=x",
        "k=",
        "k=3&k=4",
        "k=%33",
        "k=+3",
        "k=3.0",
        "k=03",
    ),
    *(
        "limit=2",
        "limit=0",
        "limit=41",
        "at=2026-01-22T20:00:00Z",
        "at=yesterday",
        "at=",
        "at=1500-01-01",
    ),
    *(
        "at=2026-01-22T20:00:00%2B02:00",
        "at=2026-01-22T20:00:00+02:00",
        f"at={'1' * 41}",
        "kind=genre",
    ),
    *("genre=Drama", "max_runtime=90", "x=1", "k=%D9%A3", "at=%FF", "=", "&", "k"),
)


@pytest.mark.parametrize("kind", ["slate", "page"])
@pytest.mark.parametrize("query", QUERIES)
def test_both_ways_answer_alike(client, members, monkeypatch, kind, query):
    paths = [f"/v1/members/{one}/{kind}?{query}" for one in (members[1], members[7])]
    at = "" if "at=" in query else f"{'&' if query else ''}at=2026-01-22T10:00:00Z"
    paths = [one + at for one in paths]
    fast = [ask(client, "get", one) for one in paths]
    monkeypatch.setattr(hot_routes.HotRoutes, "_body", lambda self, scope: None)
    slow = [ask(client, "get", one) for one in paths]
    assert [(one.status, one.body) for one in fast] == [(one.status, one.body) for one in slow]


@pytest.mark.parametrize(
    "member", ["", "a" * 1_025, "a%0ab", "%00", "none", "a/slate", "a/page", "%ff"]
)
def test_odd_members_get_equal_answers(client, monkeypatch, member):
    paths = [f"/v1/members/{member}/{kind}" for kind in ("slate", "page")]
    fast = [ask(client, "get", one) for one in paths]
    monkeypatch.setattr(hot_routes.HotRoutes, "_body", lambda self, scope: None)
    slow = [ask(client, "get", one) for one in paths]
    assert [(one.status, one.body) for one in fast] == [(one.status, one.body) for one in slow]
    assert {one.status for one in fast} <= {404, 422}


def test_a_sound_request_takes_the_fast_way(client, members, monkeypatch):
    found = []
    body = hot_routes.HotRoutes._body
    monkeypatch.setattr(
        hot_routes.HotRoutes,
        "_body",
        lambda self, scope: found.append(body(self, scope)) or found[-1],
    )
    assert ask(client, "get", f"/v1/members/{members[1]}/slate?k=5").body == found[0]
