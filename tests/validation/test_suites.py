"""Each suite passes a sane table, and notices every fault it is there for."""

from pathlib import Path

import pytest

from matinee.errors import ConfigError
from matinee.validation import check, load_suites

PROJECT = Path(__file__).resolve().parents[2]

# One query a table: 2,000 plausible rows of the columns that its suite looks at.
ROWS = "from range(2000) as numbers(i)"
EVENT = "'m' || i % 100 as member_id, 't' || i % 50 as title_id, date '2026-01-01' + (i % 10)::int"
SNAPSHOT = "date '2026-01-01' + (i // 1000)::int as landed_on"
SANE = {
    "stg_playback__plays": f"select {EVENT} as landed_on, 60 + i as watched_seconds {ROWS}",
    "stg_playback__impressions": f"""
        select {EVENT} as landed_on, 0.5 as slot_propensity, null::double as asset_propensity,
            i % 20 as row_index, i % 9 = 0 as was_clicked {ROWS}""",
    "stg_engagement__ratings": f"""
        select {EVENT} as landed_on, 'stars' as rating_kind, (i % 11)::double as value {ROWS}""",
    "stg_engagement__searches": f"""
        select {EVENT} as landed_on, '<script>' as query_text, i % 5 as result_count {ROWS}""",
    "stg_catalogue__titles": f"""
        select 't' || i % 1000 as title_id, {SNAPSHOT}, 'Film ' || i as name,
            5400 as runtime_seconds, ['Drama'] as genres {ROWS}""",
    "stg_accounts__members": f"""
        select 'm' || i % 1000 as member_id, {SNAPSHOT}, i % 9 = 0 as is_kids,
            case when i % 9 = 0 then 12 end as maximum_age {ROWS}""",
    "member_profiles": f"select 'm' || i as member_id, 'FR' as country, 'basic' as plan {ROWS}",
    "member_tastes": f"""
        select 'm' || i as member_id, [if(i % 2 = 0, 'Drama', 'Comedy')] as genres {ROWS}""",
    "member_activity_stats": f"select i as watched_seconds_7d, i % 9 as play_count_7d {ROWS}",
    "member_dayparts": f"""
        select 'm' || i as member_id, if(i % 2 = 0, 'night', 'morning') as main_daypart {ROWS}""",
    "member_search_intents": f"select i as search_count_28d {ROWS}",
    "title_contents": f"""
        select 'movie' as title_kind, '1990s' as release_decade, ['Drama'] as genres {ROWS}""",
    "title_popularity_stats": f"""
        select 't' || i % 50 as title_id, 100 as play_count_28d,
            timestamp '2026-01-01' + interval (i // 50) day as observed_at,
            if(i % 2 = 0, 7.5, null) as mean_rating {ROWS}""",
    "member_title_signals": f"select i % 3000 - 500 as signal_milli {ROWS}",
}

# Table, what is wrong with it (said of the sane rows), and the notes of all that must break.
FAULTS = [
    (
        "stg_playback__plays",
        "select * from sane where landed_on < '2026-01-10' or watched_seconds < 75",
        {"A tenth of a usual day", "A holiday or a premiere"},
    ),
    (
        "stg_playback__plays",
        "select * from sane where landed_on < '2026-01-10' or watched_seconds % 3 = 0",
        {"A holiday or a premiere"},
    ),
    (
        "stg_playback__plays",
        "select * replace (watched_seconds * 1000 as watched_seconds) from sane",
        {"Players are killed"},
    ),
    (
        "stg_playback__plays",
        "select * replace (watched_seconds // 60 as watched_seconds) from sane",
        {"Nobody watched a minute"},
    ),
    (
        "stg_playback__plays",
        "select * replace ('unknown' as member_id) from sane",
        {"One member with a quarter"},
    ),
    (
        "stg_playback__impressions",
        "select * from sane union all select sane.* replace (date '2026-02-01' as landed_on) "
        "from sane cross join range(2)",
        {"A tenth of a usual day"},
    ),
    (
        "stg_playback__impressions",
        "select * replace (0.0 as slot_propensity, 0.0 as asset_propensity) from sane",
        {"What was shown had a chance"},
    ),
    (
        "stg_playback__impressions",
        "select * replace (row_index + 1000 as row_index) from sane",
        {"Nobody scrolls"},
    ),
    (
        "stg_playback__impressions",
        "select * replace (true as was_clicked) from sane",
        {"Clicks are logged"},
    ),
    (
        "stg_playback__impressions",
        "select * replace (false as was_clicked) from sane",
        {"Clicks are logged"},
    ),
    (
        "stg_engagement__ratings",
        "select * from sane union all select sane.* replace (date '2026-02-01' as landed_on) "
        "from sane cross join range(2)",
        {"A tenth of a usual day"},
    ),
    (
        "stg_engagement__ratings",
        "select * replace (8.0 as value) from sane",
        {"Everyone gave the same"},
    ),
    (
        "stg_engagement__ratings",
        "select * replace (value / 2 as value) from sane",
        {"Stars go to 10"},
    ),
    (
        "stg_engagement__ratings",
        "select * replace ('unknown' as member_id) from sane",
        {"One member with a quarter"},
    ),
    (
        "stg_engagement__searches",
        "select * from sane union all select * replace (date '2026-02-01' as landed_on) from sane "
        "limit 2005",
        {"A tenth of a usual day"},
    ),
    (
        "stg_engagement__searches",
        "select * replace (10000000 as result_count) from sane",
        {"No catalogue is that long"},
    ),
    (
        "stg_engagement__searches",
        "select * replace (0 as result_count) from sane",
        {"The search engine is down"},
    ),
    (
        "stg_catalogue__titles",
        "select * from sane where landed_on = '2026-01-01' or title_id < 't4'",
        {"A catalogue does not halve"},
    ),
    (
        "stg_catalogue__titles",
        "select * replace ('' as name) from sane",
        {"Names are shown"},
    ),
    (
        "stg_catalogue__titles",
        "select * replace (5400000 as runtime_seconds) from sane",
        {"Minutes or milliseconds"},
    ),
    (
        "stg_catalogue__titles",
        "select * replace ([]::varchar[] as genres) from sane",
        {"A new title is known"},
    ),
    (
        "stg_accounts__members",
        "select * from sane where landed_on = '2026-01-01' or member_id < 'm4'",
        {"Members do not halve"},
    ),
    (
        "stg_accounts__members",
        "select * replace (null::int as maximum_age) from sane",
        {"A child's profile without"},
    ),
    (
        "stg_accounts__members",
        "select * replace (true as is_kids, 12 as maximum_age) from sane",
        {"A flag that is set for most"},
    ),
    (
        "member_profiles",
        "select * replace (member_id as country) from sane",
        {"The world has 250"},
    ),
    (
        "member_profiles",
        "select * replace (member_id as plan) from sane",
        {"A plan for every member"},
    ),
    (
        "member_tastes",
        "select * replace ([]::varchar[] as genres) from sane",
        {"Acts no longer meet"},
    ),
    (
        "member_tastes",
        "select * replace (['Drama'] as genres) from sane",
        {"One genre for all"},
    ),
    (
        "member_activity_stats",
        "select * replace (9999999 as watched_seconds_7d) from sane",
        {"More than four screens"},
    ),
    (
        "member_activity_stats",
        "select * replace (9999 as play_count_7d) from sane",
        {"A play every two minutes"},
    ),
    (
        "member_dayparts",
        "select * replace ('noon' as main_daypart) from sane limit 10",
        {"A part of the day"},
    ),
    (
        "member_dayparts",
        "select * replace ('night' as main_daypart) from sane",
        {"Everyone at one hour"},
    ),
    (
        "member_search_intents",
        "select 99999 as search_count_28d from sane",
        {"A search every two minutes"},
    ),
    (
        "title_contents",
        "select * replace ('game' as title_kind) from sane",
        {"A kind of title"},
    ),
    (
        "title_contents",
        "select * replace ('20s' as release_decade) from sane",
        {"Films begin"},
    ),
    (
        "title_contents",
        "select * replace (['Drama|' || row_number() over ()] as genres) from sane",
        {"A list that was not split"},
    ),
    (
        "title_popularity_stats",
        "select * replace (mean_rating * 10 as mean_rating) from sane",
        {"Ratings are 0 to 10"},
    ),
    (
        "title_popularity_stats",
        "select * replace (if(title_id = 't1', 99999, 1) as play_count_28d) from sane",
        {"One title with nearly all"},
    ),
    (
        "member_title_signals",
        "select -signal_milli - 1 as signal_milli from sane where signal_milli >= 0",
        {"Nobody liked", "People watch what they like"},
    ),
    (
        "member_title_signals",
        "select signal_milli * 1000 as signal_milli from sane where signal_milli <> 0",
        {"A weight of millions"},
    ),
]

# An empty table of these leaves nothing to recommend or to learn.
NEEDED = {"stg_catalogue__titles", "title_contents", "member_title_signals"}


@pytest.fixture(scope="module")
def suites():
    return load_suites(PROJECT)


def broken(validation):
    return [one for one in validation.results if not one.success]


def test_every_suite_has_a_sane_table_and_a_fault_for_each_of_its_notes(suites):
    assert set(suites) == set(SANE)
    for table, suite in suites.items():
        met = {start for name, _, starts in FAULTS if name == table for start in starts}
        for expectation in suite.expectations[1:]:
            assert any(expectation.notes.startswith(start) for start in met), (
                f"{table}: no fault breaks: {expectation.notes}"
            )


@pytest.mark.parametrize("table", SANE)
def test_a_sane_table_passes(table, suites, warehouse):
    path = warehouse(**{table: SANE[table]})
    assert broken(check(table, database=path, suite=suites[table])) == []


@pytest.mark.parametrize(("table", "fault", "starts"), FAULTS)
def test_a_fault_breaks_the_expectations_that_are_there_for_it(
    table, fault, starts, suites, warehouse
):
    path = warehouse(**{table: f"with sane as ({SANE[table]}) {fault}"})
    found = broken(check(table, database=path, suite=suites[table]))
    assert found
    for one in found:
        assert any(one.notes.startswith(start) for start in starts), one.sentence
    for start in starts:
        assert any(one.notes.startswith(start) for one in found), start


@pytest.mark.parametrize("table", SANE)
def test_an_empty_table_stops_the_night_only_where_nothing_can_be_done_without_it(
    table, suites, warehouse
):
    path = warehouse(**{table: f"select * from ({SANE[table]}) where false"})
    validation = check(table, database=path, suite=suites[table])
    first = validation.results[0]
    assert first.kind == "expect_table_row_count_to_be_between"
    assert not first.success
    assert bool(validation.stops) == (table in NEEDED)
    assert [one.error for one in validation.results if one.error] == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", r"expectations/t.py must hold a SUITE with name=\"t\""),
        ("SUITE = gx.ExpectationSuite(name='u')", r"must hold a SUITE with name=\"t\""),
        ("SUITE = gx.ExpectationSuite(name='t')", "t.py must begin with expect_table_row_count"),
        (
            "SUITE = gx.ExpectationSuite(name='t', expectations=["
            "gxe.ExpectTableRowCountToBeBetween(min_value=1)])",
            "t.py: expect_table_row_count_to_be_between has no notes; say what",
        ),
    ],
)
def test_a_suite_that_breaks_the_house_rules_is_refused(code, message, tmp_path):
    (tmp_path / "expectations").mkdir()
    imports = "import great_expectations as gx\nimport great_expectations.expectations as gxe\n"
    (tmp_path / "expectations" / "t.py").write_text(imports + code)
    with pytest.raises(ConfigError, match=message):
        load_suites(tmp_path)


def test_a_project_without_suites_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no suites in .*expectations: point MATINEE_PROJECT"):
        load_suites(tmp_path)
