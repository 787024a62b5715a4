"""Which token opens which route, for every route that there is."""

import re

import pytest

from matinee.serving.app import api_of
from tests.serving.conftest import bearer
from tests.serving.requests_raw import ask

HELD = {"member": 0, "service": 1, "operator": 2}

MEMBER, SERVICE, OPERATOR = 0, 1, 2

OWN = {
    ("get", "/v1/members/{member_id}/page"),
    ("get", "/v1/members/{member_id}/slate"),
    ("get", "/v1/members/{member_id}/why/{title_id}"),
    ("get", "/v1/members/{member_id}/statement"),
    ("post", "/v1/members/{member_id}/not-interested"),
    ("post", "/v1/members/{member_id}/consent"),
    ("post", "/v1/members/{member_id}/forget"),
}
"""Routes of one member: a token of another member is refused."""

TABLE = {
    **dict.fromkeys(OWN, MEMBER),
    ("get", "/v1/pages/{page_id}/next"): MEMBER,
    ("get", "/v1/titles/{title_id}/similar"): MEMBER,
    ("get", "/v1/search"): MEMBER,
    ("post", "/v1/session/page"): MEMBER,
    ("post", "/v1/events"): MEMBER,
    ("get", "/v1/parameters"): MEMBER,
    ("get", "/v1/catalogue"): MEMBER,
    ("get", "/v1/members"): SERVICE,
    ("get", "/v1/releases/current"): OPERATOR,
    ("get", "/metrics"): OPERATOR,
    ("get", "/openapi.json"): OPERATOR,
    ("get", "/docs"): OPERATOR,
    ("get", "/redoc"): OPERATOR,
    ("get", "/docs/oauth2-redirect"): OPERATOR,
    ("get", "/healthz"): None,
    ("get", "/readyz"): None,
    ("get", "/"): None,
    ("get", "/static/{name}"): None,
}
"""Route -> the least token that opens it; None is public. A new route needs a line here."""

BODIES = {
    "/v1/members/{member_id}/not-interested": {"title_id": "none"},
    "/v1/members/{member_id}/consent": {"purpose": "none", "granted": True},
    "/v1/session/page": {"titles": []},
    "/v1/events": [],
}


def routes_of(client):
    """(method, path) of every route of the application, documented or not."""
    found = set()
    for route in api_of(client.app.app.app.state).routes:
        path = re.sub(r":path}", "}", route.path)
        found |= {(one.lower(), path) for one in route.methods - {"HEAD"}}
    return found


def path_of(template, member="nobody-else"):
    names = {"member_id": member, "title_id": "t-1", "page_id": "p", "name": "style.css"}
    return re.sub(r"{(\w+)}", lambda match: names[match[1]], template)


def test_every_route_is_in_the_table(guarded):
    assert routes_of(guarded[0]) == set(TABLE)


@pytest.mark.parametrize("route", sorted(TABLE), ids=lambda route: f"{route[0]} {route[1]}")
def test_a_route_is_opened_by_its_tokens_only(guarded, members, route):
    client, texts = guarded
    method, template = route
    least = TABLE[route]
    # A member that does not exist: whatever passes the guard changes nothing.
    path, body = path_of(template), BODIES.get(template)
    codes = {
        "none": client.request(method, path, json=body).status_code,
        "bad": client.request(method, path, json=body, headers=bearer("mt_x")).status_code,
        **{
            scope: client.request(method, path, json=body, headers=bearer(text)).status_code
            for scope, text in texts.items()
        },
    }
    assert codes["none"] == 401 if least is not None else codes["none"] in (200, 404)
    assert codes["bad"] == 401
    for scope, level in HELD.items():
        is_other = scope == "member" and route in OWN
        if (least is not None and level < least) or is_other:
            assert codes[scope] == 403, (scope, codes)
        else:
            assert codes[scope] not in {401, 403, *range(500, 600)}, (scope, codes)


@pytest.mark.parametrize("route", sorted(OWN), ids=lambda route: f"{route[0]} {route[1]}")
def test_a_members_own_token_opens_their_own_routes(guarded, members, route):
    client, texts = guarded
    method, template = route
    if template.endswith("/forget"):
        return  # it would do what it says
    path = path_of(template, members[0])
    answer = client.request(
        method, path, json=BODIES.get(template), headers=bearer(texts["member"])
    )
    assert answer.status_code not in {401, 403, *range(500, 600)}


@pytest.mark.parametrize("route", ["page", "slate"])
def test_a_members_token_sees_no_more_than_a_day_ahead(guarded, members, route):
    client, texts = guarded
    later = {"at": "2199-01-01T00:00:00Z"}
    codes = {
        scope: client.get(
            f"/v1/members/{members[0]}/{route}", params=later, headers=bearer(texts[scope])
        ).status_code
        for scope in ("member", "service")
    }
    assert codes == {"member": 403, "service": 200}


def tricks(own, other):
    """Paths that name another member in ways that a check may not see."""
    return [
        f"/v1/members/{other}/page",
        f"/v1/members/{own}/../{other}/page",
        f"/v1/members/{own}%2f..%2f{other}/page",
        f"/v1/members/{own}/page/../../{other}/page",
        f"/v1/members/{other}/why/{own}/page",
        f"/v1/members/{own}/why/x/page",
        f"/v1/members//{other}/page",
        f"/v1/members/{other}%00/page",
        f"/v1/members/%00{other}/page",
        f"/v1/members/{other}%20/page",
        f"/v1/members/{other.upper()}/page",
        "/v1/members/%ff%fe/page",
        f"/v1/members/{own}%0a/page",
        f"/v1/members/./{other}/slate",
        f"/v1/members/{own}/page/{other}/statement",
        f"/v1/search?q=the&member_id={other}",
        f"/v1/search?q=the&member_id={own}&member_id={other}",
        f"/v1//members/{other}/page",
        f"//v1/members/{other}/page",
        f"/V1/members/{other}/page",
        f"/v1/members/{'a' * 100_000}/page",
        f"/v1/members/{'a/' * 1_500}page",
    ]


@pytest.mark.parametrize("number", range(22))
def test_no_path_leads_a_member_to_another(guarded, members, number):
    client, texts = guarded
    own, other = members[:2]
    path = tricks(own, other)[number]
    answer = ask(client, "get", path, headers=bearer(texts["member"]))
    assert answer.status in (403, 404, 414, 422), (path[:80], answer.status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_table_of_tricks_is_whole(members):
    assert len(tricks(*members[:2])) == 22


def test_a_page_of_another_member_does_not_go_on(guarded, members):
    client, texts = guarded
    page = client.get(f"/v1/members/{members[1]}/page", headers=bearer(texts["service"])).json()
    path = f"/v1/pages/{page['page_id']}/next"
    assert client.get(path, headers=bearer(texts["service"])).status_code == 200
    assert client.get(path, headers=bearer(texts["member"])).status_code == 403


def test_events_of_another_member_are_refused_and_nothing_is_written(guarded, members):
    client, texts = guarded
    event = {"stream": "plays", "event_id": "other-1", "member_id": members[1]}
    answer = client.post("/v1/events", json=[event], headers=bearer(texts["member"]))
    assert answer.status_code == 403
    broken = [{"stream": "plays", "event_id": "other-2"}, {"member_id": None}, 7]
    answer = client.post("/v1/events", json=broken, headers=bearer(texts["member"]))
    assert [one["index"] for one in answer.json()["rejected"]] == [0, 1, 2]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_another_name_for_this_machine_is_refused(client, host):
    answer = client.get("/healthz", headers={"host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9", "[::1]:80", "127.0.0.9:1"])
def test_names_of_the_loopback_are_accepted(client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8080"])
def test_a_page_of_another_site_changes_nothing(client, members, origin):
    path = f"/v1/members/{members[3]}/forget"
    answer = client.post(path, headers={"origin": origin, "content-type": "text/plain"})
    assert answer.status_code == 403


def test_the_servers_own_page_may_ask(client, members):
    own = {"origin": "http://127.0.0.1:8080"}
    assert client.get(f"/v1/members/{members[3]}/page", headers=own).status_code == 200
