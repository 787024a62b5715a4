"""Bodies that are too long, too slow to end, or no sound JSON."""

import orjson
import pytest

from matinee.serving.access import guard
from tests.serving.requests_raw import ask

TYPE = {"content-type": "application/json"}

WRITES = ("/v1/events", "/v1/session/page", "/v1/members/m/consent", "/v1/members/m/not-interested")

KIB = b" " * 1024


@pytest.mark.parametrize("path", WRITES)
def test_a_long_body_without_a_length_is_413_while_it_streams(client, path):
    answer = ask(client, "post", path, headers=TYPE, chunks=[b"[", *[KIB] * 1_100, b"]"])
    assert answer.status == 413
    assert answer.json()["status"] == 413


@pytest.mark.parametrize("path", WRITES)
def test_a_length_that_lies_lets_no_more_in(client, path):
    headers = TYPE | {"content-length": "2"}
    assert ask(client, "post", path, headers=headers, chunks=[KIB] * 1_100).status == 413


@pytest.mark.parametrize(
    ("length", "status"),
    [("1048577", 413), ("9" * 5_000, 413), ("-1", 400), ("1e3", 400), ("", 400), ("\xb2", 400)],
)
def test_a_length_is_a_number_that_is_small_enough(client, length, status):
    answer = ask(client, "post", "/v1/events", headers=TYPE | {"content-length": length})
    assert answer.status == status


def test_a_body_that_never_ends_is_408(client, monkeypatch):
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    answer = client.portal.call(_slow, client.app)
    assert answer[0]["status"] == 408


async def _slow(app):
    import asyncio

    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/events", "query_string": b""}
    await app(scope | {"headers": [(b"host", b"localhost")]}, receive, send)
    return sent


NUMBER = b'[{"stream":"plays","event_id":"n","watched_seconds":%s}]'


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"NaN",
        b"[NaN]",
        NUMBER % b"NaN",
        NUMBER % b"-Infinity",
        b'["\\ud800"]',
        b"\xff\xfe",
        b"",
        b"[1,]",
    ],
    ids=str,
)
def test_what_is_no_json_is_400(client, text):
    answer = ask(client, "post", "/v1/events", headers=TYPE, chunks=[text])
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", WRITES[1:])
@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"titles":' + b"[" * 100_000,
        b'{"titles":[NaN]}',
        b'{"titles":[1e400]}',
        b'{"maximum_age":1e400,"titles":[]}',
        b'{"maximum_age":%d,"titles":[]}' % 10**30,
        b'{"title_id":"\\ud800"}',
        b'{"purpose":"\\ud800","granted":true}',
        b'{"purpose":1,"granted":1e999}',
        b"\xff",
    ],
    ids=str,
)
def test_other_bodies_are_refused_without_a_fault(client, path, text):
    answer = ask(client, "post", path, headers=TYPE, chunks=[text])
    assert 400 <= answer.status < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("value", [b"1e400", b"1" + b"0" * 30, b"-1e308", b"1e18", b"1.5"])
def test_a_number_that_fits_nothing_is_rejected_by_its_rule(client, value):
    row = (
        b'{"stream":"plays","event_id":"n-%s","event_at":"2026-01-20T10:00:00Z","member_id":"m-1",'
        b'"title_id":"t","watched_seconds":%s}' % (value[:9], value)
    )
    answer = ask(client, "post", "/v1/events", headers=TYPE, chunks=[b"[" + row + b"]"])
    if answer.status != 400:  # it is a JSON number that may have no double
        assert [one["column"] for one in answer.json()["rejected"]] == ["watched_seconds"]


@pytest.mark.parametrize("status", [404, 405, 422])
def test_errors_are_problems(client, status):
    method, path = {
        404: ("get", "/nowhere"),
        405: ("put", "/v1/events"),
        422: ("get", "/v1/search"),
    }[status]
    answer = ask(client, method, path)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert orjson.loads(answer.body).keys() == {"type", "title", "status", "detail"}
