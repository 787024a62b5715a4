"""What the documentation says is what is answered, and nothing it allows makes a fault."""

import json
from urllib.parse import urlencode, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis.core import NOT_SET

from matinee.serving.app import api_of
from tests.serving.conftest import LOOPBACK
from tests.serving.requests_raw import ask

NO_BODY = ("/forget", "/consent", "/not-interested")

CHANGES_OTHERS = ("/forget", "/consent")
"""Not asked at random: they end what other tests of this server look at."""


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def schema(document):
    return schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def schemas(document):
    """Status and path of each documented answer -> its validator."""
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    whole = {**content["schema"], "components": document["components"]}
                    found[method, path, status, kind] = Draft202012Validator(whole)
    return found


def test_every_json_answer_has_a_schema(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            (success,) = [one for one in operation["responses"] if one < "300"]
            has_body = path != "/metrics" and not path.endswith(NO_BODY)
            assert ("content" in operation["responses"][success]) == has_body, path


def test_errors_are_documented_as_problems(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            kinds = operation["responses"]["4XX"]["content"]
            assert list(kinds) == ["application/problem+json"], path


def test_answers_are_as_documented(client, members, schemas):
    member, own = members[1], "/v1/members/{member_id}"
    titles = client.get(f"/v1/members/{member}/slate").json()["titles"]
    page = client.get(f"/v1/members/{member}/page").json()
    title = titles[0]["title_id"]
    cases = [
        ("get", f"{own}/page", f"/v1/members/{member}/page", None),
        ("get", f"{own}/slate", f"/v1/members/{member}/slate", None),
        ("get", f"{own}/statement", f"/v1/members/{member}/statement", None),
        (
            "get",
            f"{own}/why/{{title_id}}",
            f"/v1/members/{member}/why/{title}",
            None,
        ),
        ("get", "/v1/pages/{page_id}/next", f"/v1/pages/{page['page_id']}/next", None),
        (
            *("get", "/v1/titles/{title_id}/similar"),
            *(f"/v1/titles/{title}/similar", None),
        ),
        ("get", "/v1/search", f"/v1/search?q=the&member_id={member}", None),
        ("post", "/v1/session/page", "/v1/session/page", {"titles": [title]}),
        ("post", "/v1/events", "/v1/events", [{"stream": "plays"}]),
        *(
            ("get", one, one, None)
            for one in ("/v1/parameters", "/v1/members", "/v1/catalogue", "/v1/releases/current")
        ),
        ("get", "/healthz", "/healthz", None),
        ("get", "/readyz", "/readyz", None),
    ]
    for method, template, path, body in cases:
        answer = client.request(method, path, json=body)
        assert answer.status_code < 300, path
        key = method, template, str(answer.status_code), "application/json"
        schemas[key].validate(answer.json())


def test_no_request_that_is_documented_makes_a_fault(client, schema):
    """Schemathesis makes the requests; the server of these tests answers them."""
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith(CHANGES_OTHERS):
            continue
        check_operation(client, operation)


def check_operation(client, operation):
    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case):
        sent = case.as_transport_kwargs(base_url=LOOPBACK)
        query = urlencode(sent.get("params") or {}, doseq=True, errors="surrogatepass")
        path = f"{urlsplit(sent['url']).path}?{query}"
        headers = {} if case.body is NOT_SET else {"content-type": "application/json"}
        chunks = [] if case.body is NOT_SET else [json.dumps(case.body).encode()]
        answer = ask(client, case.method, path, headers=headers, chunks=chunks)
        assert 0 < answer.status < 500, (operation.label, path, answer.body)

    check()


def test_the_schema_is_that_of_the_application(client, document):
    assert api_of(client.app.app.app.state).openapi()["paths"].keys() == document["paths"].keys()
    assert ask(client, "get", "/openapi.json").status == 200
