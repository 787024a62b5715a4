"""The sections for marketing and content: what moved is named, the rest is one click away."""

import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee.report import insights
from matinee.report.interval_charts import percent_change, ratios, times
from tests.report import samples
from tests.report.test_page import Reader

EVIL = "<script>alert(1)</script>"


def momentum(value, direction="steady", change=0.3, family="theme", measure="hours"):
    return {
        "family": family,
        "value": value,
        "measure": measure,
        "week_on": date(2026, 1, 19),
        "level": 130.0,
        "level_before": 100.0,
        "weeks": [None, 90.0, 100.0, 130.0],
        "change": change,
        "low": change - 0.1,
        "high": change + 0.1,
        "p": 0.001 if direction != "steady" else 0.5,
        "q": 0.005 if direction != "steady" else 0.9,
        "direction": direction,
        "member_count": 80,
        "title_count": 12,
    }


def segment(number, name):
    return {
        "segment": number,
        "name": name,
        "member_count": 40,
        "member_ratio": 0.5,
        "watched_ratio": 0.6,
        "genres": ["Drama"],
        "themes": [],
        "people": ["Ada"],
        "titles": [],
        "kept_ratio": 0.9,
        "name_before": None,
    }


DEMAND = {
    "country": "all",
    "family": "genre",
    "value": "Western",
    "hours": 40.0,
    "hours_ratio": 0.2,
    "catalogue_ratio": 0.1,
    "demand": 2.0,
    "low": 1.5,
    "high": 2.6,
    "p": 0.001,
    "q": 0.01,
    "verdict": "high",
    "member_count": 50,
    "title_count": 9,
}

SEARCH = {
    "term": "season nine",
    "search_count": 50,
    "member_count": 30,
    "found_nothing_ratio": None,
    "watched_next_ratio": 0.4,
    "next_genres": ["Drama"],
    "next_titles": [],
}


def write(folder, **tables):
    (folder / "insights").mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"insights/{name}.parquet")
    about = {
        "as_of": "2026-01-31T00:00:00+00:00",
        "until": "2026-01-26",
        "segments": {"members": 80, "stability": {"2": 0.9}, "changed_ratio": 0.1},
        "demand": {"weeks": 4},
        "searches": {"searches": 60, "in_groups": 50},
    }
    (folder / "insights/insights.json").write_text(json.dumps(about))
    return folder


@pytest.fixture
def text(tmp_path):
    folder = samples.write(tmp_path)
    rows = [momentum("epic", "rising"), momentum("cosy"), momentum("all", family="all")]
    write(
        folder,
        segments=[segment(1, "Drama, Ada"), segment(3, EVIL)],
        momentum=rows,
        demand=[DEMAND],
        searches=[SEARCH],
    )
    return samples.page(folder)


def test_what_rises_is_named_and_what_is_steady_is_only_in_the_details(text):
    page = Reader(text).text
    assert "epic (theme) is rising: +30 % hours" in page
    assert "cosy (theme) is" not in page
    assert "Nothing moved" not in page


def test_segments_have_their_name_their_size_and_who_stayed(text):
    page = Reader(text).text
    assert "Drama, Ada Segment 1" in page
    assert "90.0" in page
    assert "Segment 3" in page


def test_demand_and_searches_are_shown(text):
    page = Reader(text).text
    assert "Watched more than their share of titles: Western" in page
    assert "This is an association" in page
    assert "season nine" in page


def test_a_name_from_the_logs_cannot_break_the_page(text):
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_quiet_week_says_so(tmp_path):
    folder = write(tmp_path, momentum=[momentum("cosy")])
    assert insights.sections(folder)["momentum"]["moved"] == []


def test_a_release_without_insights_has_no_such_sections(tmp_path):
    assert set(insights.sections(tmp_path).values()) == {None}


def test_an_interval_that_leaves_the_chart_is_cut_at_its_edge():
    row = {"name": "wide", "value": 1.2, "low": 1e-9, "high": 1e9, "kind": "even"}
    chart = str(ratios([row], kinds={"even": "model3"}, words=times, description="d"))
    assert "nan" not in chart.lower()
    assert "inf" not in chart.lower()
    assert "wide: 1.20" in chart


def test_a_ratio_reads_as_a_change():
    assert [percent_change(one) for one in (1.2, 1.0, 0.75)] == ["+20 %", "0 %", "\u221225 %"]
