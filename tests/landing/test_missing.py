"""A word that stands for no value is none, in every format and under every column."""

import json

import pytest

from matinee import landing
from matinee.errors import ConfigError
from matinee.landing.contract import MISSING_VALUES
from tests.landing.conftest import ROOT
from tests.landing.samples import FORMATS, PLAY, encode

TITLE = {"title_id": "t1", "name": "Heat", "title_kind": "movie", "genres": ["Drama"]}
REQUIRED = ("event_id", "event_at", "member_id", "title_id", "watched_seconds")
OPTIONAL = ("country", "device", "utc_offset_minutes", "runtime_seconds", "impression_id")


def spellings(format):
    return sorted({f(w) for w in MISSING_VALUES[format] for f in (str, str.upper, str.title)})


@pytest.mark.parametrize("format", FORMATS)
def test_every_word_of_a_format_is_no_value_in_every_column(zone, format):
    words = spellings(format)
    for column in REQUIRED:
        rows = [PLAY, *(PLAY | {column: word} for word in words)]
        zone.land("plays", f"{column}.{format}", encode(rows, format))
    for column in OPTIONAL:
        rows = [PLAY | {column: word} for word in words]
        zone.land("plays", f"{column}.{format}", encode(rows, format))
    receipt = zone.receive()
    assert receipt.rules["plays"] == {f"missing_field:{one}": len(words) for one in REQUIRED}
    kept = [row[1:] for row in zone.rows("plays", f"file, {', '.join(OPTIONAL)}")]
    assert len(kept) == len(REQUIRED) + len(OPTIONAL) * len(words)
    assert {value for row in kept for value in row} == {None}


@pytest.mark.parametrize("format", FORMATS)
def test_a_hole_in_a_catalogue_is_no_language_and_no_genre(zone, format):
    rows = [
        TITLE | {"language": word, "genres": ["Drama", word], "released_on": word}
        for word in spellings(format)
    ]
    zone.land("plays", "p.jsonl", encode([PLAY], "jsonl"))
    zone.land("titles", f"f.{format}", encode(rows, format))
    assert zone.receive().rules["titles"] == {}
    found = zone.rows("titles", "file, language, genres, released_on")
    assert {str(row[1:]) for row in found if "/f." in row[0]} == {"(None, ['Drama'], None)"}


def test_a_list_that_is_missing_as_a_whole_is_no_list_in_csv(zone):
    zone.land("plays", "p.jsonl", encode([PLAY], "jsonl"))
    header = "title_id,name,title_kind,genres\n"
    zone.land("titles", "f.csv", (header + "t1,Heat,movie,\\N\nt2,Ran,movie,NULL\n").encode())
    zone.receive()
    assert zone.rows("titles", "genres") == [(None,)] * 3


@pytest.mark.parametrize("literal", ["NaN", "nan", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_no_id_and_no_value_in_json(zone, literal):
    text = json.dumps(PLAY)
    lines = [
        text,
        text.replace('"m1"', literal),
        text[:-1] + f', "country": {literal}}}',
        text[:-1] + ', "impression_id": "Infinity"}',
    ]
    zone.land("plays", "f.jsonl", "\n".join(lines).encode())
    receipt = zone.receive()
    ids = [rule for rule in receipt.rules["plays"] if rule.endswith(":member_id")]
    assert len(ids) == 1
    assert ("Infinity",) in zone.rows("plays", "impression_id")
    assert not {row[0] for row in zone.rows("plays", "member_id")} & {"NaN", "nan", "Infinity"}


def test_what_a_column_allows_by_name_and_what_people_search_for_are_values(zone):
    zone.land("titles", "n.jsonl", encode([TITLE | {"ai_use": "none"}], "jsonl"))
    search = {name: PLAY[name] for name in ("event_id", "event_at", "received_at", "member_id")}
    zone.land("searches", "s.jsonl", encode([search | {"query_text": "nan"}], "jsonl"))
    zone.land("plays", "p.jsonl", encode([PLAY], "jsonl"))
    zone.receive()
    assert ("none",) in zone.rows("titles", "ai_use")
    assert zone.rows("searches", "query_text") == [("nan",)]


@pytest.mark.parametrize("format", FORMATS)
def test_a_zero_that_means_unknown_costs_no_profile_and_no_event(zone, format):
    member = {"member_id": "m1", "joined_on": "2026-01-01"}
    rows = [member | {"birth_year": value} for value in (0, "0", "0.0", 1985)]
    zone.land("members", f"m.{format}", encode(rows, format))
    zone.land("plays", f"p.{format}", encode([PLAY | {"runtime_seconds": 0}], format))
    dated = TITLE | {"runtime_seconds": "0", "released_on": "0000-00-00"}
    zone.land("titles", f"z.{format}", encode([dated], format))
    assert not any(zone.receive().rules.values())
    assert [row[0] for row in zone.rows("members", "birth_year")] == [None, None, None, 1985]
    assert zone.rows("plays", "runtime_seconds") == [(None,)]


def test_the_list_of_a_format_can_be_set(tmp_path):
    for part in ("models/staging/playback/__sources.yml", "dbt_project.yml"):
        (tmp_path / "dbt_project" / part).parent.mkdir(parents=True, exist_ok=True)
    sources = (ROOT / "dbt_project/models/staging/playback/__sources.yml").read_text()
    (tmp_path / "dbt_project/models/staging/playback/__sources.yml").write_text(sources)
    project = tmp_path / "dbt_project/dbt_project.yml"
    project.write_text("vars: {missing_values: {csv: [Guest, '-']}}")
    found = landing.load(tmp_path).streams["plays"].missing_values
    assert found == MISSING_VALUES | {"csv": ("guest", "-")}
    for wrong in ("[x]", "{xml: []}", "{csv: 7}", "{csv: [7]}"):
        project.write_text(f"vars: {{missing_values: {wrong}}}")
        message = (
            r"dbt_project.yml: missing_values.* must be (lists by .*, got|a list of texts, got)"
        )
        with pytest.raises(ConfigError, match=message):
            landing.load(tmp_path)


def many(members, rows_of_first):
    ids = ["guest"] * rows_of_first + [f"m{n}" for n in range(members)] * 10
    return encode(
        [PLAY | {"event_id": f"e{n}", "member_id": m} for n, m in enumerate(ids)], "jsonl"
    )


@pytest.mark.parametrize(("rows", "is_reported"), [(100, False), (400, True)])
def test_an_id_with_an_implausible_share_of_all_events_is_reported(zone, rows, is_reported):
    zone.land("plays", "p.jsonl", many(60, rows))
    warnings = zone.receive().warnings
    if is_reported:
        assert warnings[0].startswith(
            "plays: one of 61 member ids has 400 of 1,000 new rows (40%), as in"
            " plays/dt=2026-01-02/p.jsonl line 1: if it stands for members whom nobody knows"
        )
    else:
        assert warnings == ()


def test_a_broken_rule_is_shown_with_the_first_row_that_broke_it(zone):
    zone.land("plays", "p.jsonl", encode([PLAY, PLAY | {"device": "toaster"}], "jsonl"))
    zone.land("plays", "q.jsonl", encode([PLAY | {"member_id": "NaN"}], "jsonl"))
    lines = zone.receive().summary().splitlines()
    assert lines[1:] == [
        "plays: 1 rows break missing_field:member_id, the first plays/dt=2026-01-02/q.jsonl line 1",
        "plays: 1 rows break not_allowed:device, the first 'toaster' in"
        " plays/dt=2026-01-02/p.jsonl line 2",
    ]
