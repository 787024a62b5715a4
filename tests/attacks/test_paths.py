"""The path of a home is data: not SQL, a pattern, a hive partition, YAML or dbt's syntax."""

import itertools
import json
import shutil
import string

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee import landing
from matinee.duckdb_paths import UNPARTITIONED, exact, literal
from matinee.errors import ConfigError
from matinee.settings import Settings
from matinee.transform import dbt_parse
from tests.attacks import homes
from tests.attacks.commands import LONG
from tests.attacks.homes import LEAVER, STAYER, lines, play
from tests.conftest import run_night
from tests.landing.conftest import ROOT, Zone

NAMES = (
    "it's",
    'a "b"',
    "a[b]c",
    "[",
    "]",
    "[!x]",
    "[a-z]",
    "*",
    "**",
    "{a,b}",
    "{{ x }}",
    "{% x %}",
    "$HOME",
    "${MATINEE_HOME}",
    "$$",
    "#c",
    "a: b",
    "- a",
    "&a",
    "%41",
    "country=XX",
    "batch=7",
    "member_id=m",
    "a;b",
    "a,b",
    "a|b",
    "~",
    "-x",
    "é",
    "e\u0301",
    "\U0001f37f",
    " a ",
    "...",
    "file:x",
    "/matinee-home"[1:],
)
"""Names of folders."""

REFUSED = ("a?b", "?", "a\\b", "a\nb", "a\x1b[31m", "a\x7f", "a\u2028b", "DuckLake:x")

ODD = "it's [a] *b $c {{ d }} #e: country=XX batch=7 %41 é"
"""A name with most of what is above."""


def received(home):
    """A file in `received/` as a batch has it, and one that a pattern would find as well."""
    for place in (home, home.with_name("other")):
        folder = place / "received/plays/batch=000003"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"x": [1], "country": ["DE"]}), folder / "part-00000.parquet")
    return home


def query_as_dbt(home):
    """The rows of a source, by the location that the project writes, with another home's path."""
    text = (ROOT / "dbt_project/models/staging/playback/__sources.yml").read_text()
    _, _, rest = text.partition("external_location: >-\n")
    location = " ".join(
        line.strip()
        for line in itertools.takewhile(lambda line: line.startswith("        "), rest.splitlines())
    )
    jinja = '{{ env_var("MATINEE_HOME", "../var") }}'
    assert jinja in location
    placed = dbt_parse._placed(location.replace(jinja, dbt_parse.ANY_HOME), dbt_parse._quoted(home))
    return duckdb.sql(f"from {string.Template(placed).substitute(name='plays')}").fetchall()


def check_location(name, root):
    home = received(root / str(abs(hash(name))) / name / "home")
    assert query_as_dbt(home) == [(1, "DE", 3)]
    files = exact(home) + "/received/*/*/*.parquet"
    read = f"from read_parquet({literal(files)}, {UNPARTITIONED})"
    assert duckdb.sql(read).fetchall() == [(1, "DE")]


def test_a_home_of_any_name_is_read_and_no_other(tmp_path, hold):
    hold(lambda name: check_location(name, tmp_path), [(name,) for name in NAMES])


NAME = st.text(
    st.characters(exclude_characters="/\\?", exclude_categories=("C", "Zl", "Zp")),
    min_size=1,
    max_size=40,
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 250)


@settings(max_examples=2000 if LONG else 60, deadline=None)
@given(NAME)
def test_a_home_of_whatever_name_is_read(tmp_path_factory, name):
    check_location(name, tmp_path_factory.mktemp("any"))


def test_a_name_that_cannot_be_written_is_refused_before_anything_runs(tmp_path, hold):
    def check(name):
        with pytest.raises(ConfigError, match=r"^MATINEE_HOME is .*; name|: name") as caught:
            Settings(home=tmp_path / name / "home")
        assert str(caught.value).isprintable() or "\u2028" in name
        link = tmp_path / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / name)  # DuckDB follows it, so its name does not help
        with pytest.raises(ConfigError):
            Settings(home=link / "home")

    hold(check, [(name,) for name in REFUSED])


def test_what_receives_drops_and_replays_reads_the_home_by_its_name(tmp_path, hold):
    def check(name):
        home = tmp_path / str(abs(hash(name))) / name / "home"
        zone = Zone(home, landing.load(ROOT))
        zone.land("plays", "a.jsonl", lines([play(1, STAYER), play(2, LEAVER)]))
        zone.land("consents", "c.jsonl", lines([consent(3)]))
        requests = [
            {
                "event_id": f"r{number}",
                "request_id": f"r{number}",
                "event_at": "2026-01-02T10:00:00Z",
                "received_at": "2026-01-02T10:00:05Z",
                "member_id": f"m-{number}",
                "kind": "erase",
            }
            for number in range(2)
        ]
        zone.land("privacy_requests", "r.jsonl", lines(requests))
        receipt = zone.receive()
        assert homes.reasons(receipt) == {}
        assert zone.rows("plays", "event_id") == [("p1",), ("p2",)]
        broken = lines([play(4, STAYER) | {"watched_seconds": -1}])
        zone.land("plays", "b.jsonl", broken)
        zone.receive()
        assert homes.replay(zone).left == {}
        dropped = homes.drop(zone)
        assert dropped.streams

    odd = ("it's", "a[b]c", "**", "[!x]", "country=XX", "batch=7", "$HOME", ODD)
    hold(check, [(name,) for name in (NAMES if LONG else odd)])


def consent(number):
    return {
        "event_id": f"c{number}",
        "event_at": "2026-01-02T10:00:00Z",
        "received_at": "2026-01-02T10:00:05Z",
        "member_id": STAYER,
        "purpose": "personalisation",
        "granted": False,
    }


WHOLE = (ODD, *NAMES) if LONG else (ODD,)


@pytest.mark.parametrize("name", WHOLE)
def test_a_night_in_a_home_of_any_name_is_the_same_night(tmp_path, finished, small_home, name):
    home = tmp_path / name / "home"
    home.mkdir(parents=True)
    shutil.copytree(small_home / "landing", home / "landing")
    run = run_night(home)
    manifest = json.loads((run.path / "manifest.json").read_text())
    (release,) = (finished / "releases").glob("2*Z-*")
    expected = json.loads((release / "manifest.json").read_text())
    assert manifest["content_digest"] == expected["content_digest"]
