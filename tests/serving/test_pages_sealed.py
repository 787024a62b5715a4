"""Page ids: only those that the server gave open a page."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.sealed import Sealer
from tests.serving.requests_raw import ask


@pytest.fixture(scope="module")
def page_id(client, members):
    return client.get(f"/v1/members/{members[1]}/page").json()["page_id"]


def test_every_changed_character_closes_it(client, page_id):
    for place in range(len(page_id)):
        for other in "A", "_", "9":
            forged = page_id[:place] + other + page_id[place + 1 :]
            if forged != page_id:
                assert ask(client, "get", f"/v1/pages/{forged}/next").status == 404


@pytest.mark.parametrize("more", ["=", "A", "%20", "%0a", "/", "%00", "+"])
def test_it_has_one_spelling(client, page_id, more):
    assert ask(client, "get", f"/v1/pages/{page_id}{more}/next").status == 404


@pytest.fixture(scope="module")
def sealer(tmp_path_factory):
    return Sealer.of(tmp_path_factory.mktemp("sealer") / "key")


@settings(max_examples=100, deadline=None)
@given(text=st.binary(max_size=90))
def test_a_sealed_text_opens_and_no_other_spelling_does(sealer, text):
    sealed = sealer.seal(text)
    assert sealer.unseal(sealed) == text
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/="
    others = [sealed[:-1] + one for one in alphabet] + [sealed + "=", sealed + "A"]
    assert [one for one in others if one != sealed and sealer.unseal(one) is not None] == []


def test_another_homes_key_opens_nothing(sealer, tmp_path):
    assert Sealer.of(tmp_path / "key").unseal(sealer.seal(b"text")) is None


def test_a_page_of_the_most_titles_goes_on(client):
    titles = [one["title_id"] for one in client.get("/v1/search?q=the&k=50").json()["titles"]]
    body = {"titles": [*titles, *(f"unknown-{'x' * 900}-{one}" for one in range(100))]}
    page = client.post("/v1/session/page", json=body).json()
    assert client.get(f"/v1/pages/{page['page_id']}/next").status_code == 200
