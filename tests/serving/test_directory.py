"""The routes of the web page: members by a part of the id, the catalogue, the release, filters."""

import os
import re
import shutil
import tempfile
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import chain

import pytest
from starlette.testclient import TestClient

# The metrics' library reads it when it is imported.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="metrics-"))

from matinee.releases import Store
from matinee.serving.access.guard import needed
from matinee.serving.access.tokens import Level
from matinee.serving.app import create
from matinee.serving.clock import Clock
from matinee.serving.state import Options
from matinee.settings import Settings

STATIC = files("matinee.serving") / "static"


@pytest.fixture(scope="module")
def home(night_home, tmp_path_factory):
    return shutil.copytree(night_home, tmp_path_factory.mktemp("directory") / "home")


@pytest.fixture(scope="module")
def release(home):
    return Store.of(home).open("live")


@pytest.fixture(scope="module")
def api(home, release):
    now = datetime.fromisoformat(release.manifest["as_of"]) + timedelta(hours=19)
    options = Options(Settings(home=home), Clock.starting(now), needs_token=False)
    with TestClient(create(options), base_url="http://127.0.0.1:8080") as client:
        yield client


@pytest.fixture(scope="module")
def ids(release):
    return release.table("serving/members.parquet")["member_id"].to_pylist()


@pytest.mark.parametrize("query", ["", "m-0001", "M-0001", "01", "7", "%", "nobody"])
def test_members_are_found_by_a_part_of_the_id_those_that_start_with_it_first(api, ids, query):
    answer = api.get("/v1/members", params={"q": query, "limit": 12}).json()
    text = query.lower()
    starts = [one for one in ids if one.lower().startswith(text)]
    within = [one for one in ids if text in one.lower() and one not in starts]
    assert [one["member_id"] for one in answer["members"]] == [*starts, *within][:12]


def test_who_refuses_is_said_to_have_no_profile_at_the_next_read(api, ids):
    listed = api.get("/v1/members", params={"limit": 100}).json()["members"]
    member = next(one["member_id"] for one in listed if one["source"] == "hybrid")
    choice = {"purpose": "personalisation", "granted": False}
    assert api.post(f"/v1/members/{member}/consent", json=choice).status_code == 202
    (row,) = api.get("/v1/members", params={"q": member}).json()["members"]
    assert row["source"] == "non_profiled"


def test_the_catalogue_has_the_values_of_its_titles_and_the_servers_time(api, release):
    answer = api.get("/v1/catalogue").json()
    titles = release.json("serving/titles.json")
    assert answer["genres"] == sorted(set(chain.from_iterable(one["genres"] for one in titles)))
    assert answer["languages"] == sorted({one["language"] for one in titles} - {None})
    assert answer["now"][:13] == f"{release.manifest['as_of'][:10]}T19"


def test_the_current_release_shows_the_rules_of_its_gate_and_no_member(api, release, ids):
    answer = api.get("/v1/releases/current")
    rules = release.json("evaluation/gate.json")
    assert [one["text"] for one in answer.json()["gate"]] == [one["text"] for one in rules]
    assert answer.json()["exposure"]["titles_shown"] == release.manifest["exposure"]["titles_shown"]
    assert answer.json()["trends"]["genres"]
    assert not [one for one in ids if f'"{one}"' in answer.text]


def test_without_a_previous_release_there_is_nothing_to_compare(api, ids):
    answer = api.get(f"/v1/members/{ids[0]}/slate", params={"release": "previous"})
    assert answer.status_code == 404
    assert "no release to compare with" in answer.json()["detail"]
    other = api.get(f"/v1/members/{ids[0]}/slate", params={"release": "candidate"})
    assert other.status_code == 422


def test_the_page_of_a_session_keeps_to_its_filters(api, release):
    genre_of = {one["id"]: one["genres"] for one in release.json("serving/titles.json")}
    page = api.post("/v1/session/page", params={"genre": "Comedy"}, json={"titles": []}).json()
    shown = [title for shelf in page["shelves"] for title in shelf["titles"]]
    assert len(shown) > 2
    assert all(one["genres"] == genre_of[one["title_id"]] for one in shown)
    assert all("Comedy" in one["genres"] for one in shown)
    more = api.get(f"/v1/pages/{page['page_id']}/next").json()["shelves"]
    assert all("Comedy" in title["genres"] for shelf in more for title in shelf["titles"])


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("/v1/members", Level.SERVICE),
        ("/v1/catalogue", Level.MEMBER),
        ("/v1/catalogue/x", Level.OPERATOR),
        ("/v1/releases/current", Level.OPERATOR),
    ],
)
def test_each_route_needs_its_scope(path, level):
    assert needed(path) is level


@pytest.mark.parametrize("file", sorted(one.name for one in STATIC.rglob("*.*")))
def test_the_page_names_no_other_origin_and_has_no_inline_code(api, file):
    answer = api.get(f"/static/{file}")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    text = answer.text.replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"https?:|//[a-z]+\.|url\(\s*['\"]?[a-z]+:", text)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)
    if file.endswith(".html"):
        assert not re.findall(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*src=)", text)
