import doctest
import math
import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee import report
from matinee.report import charts, markup, words
from tests.report import samples

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\ud800\0"
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Reader(HTMLParser):
    """Tags, attributes and text of a page; fails on a tag that is not closed in its place."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(self.texts)


def evil(value):
    """The same facts with every string turned against the page."""
    if isinstance(value, str):
        return EVIL
    if isinstance(value, dict):
        return {key: evil(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [evil(inner) for inner in value]
    return value


def evil_page(**more):
    told = evil(samples.everything())
    told["slates"] = [member | {"rows": evil(samples.film_rows())} for member in told["slates"]]
    told["similar"] = [title | {"rows": evil(samples.film_rows())} for title in told["similar"]]
    told["fields"]["gate"]["overrides"] = [{"rule": EVIL, "by": EVIL, "why": EVIL}]
    return report.page(told.pop("fields"), **told, **more)


@pytest.mark.parametrize("module", [words, charts, markup])
def test_the_examples_in_docstrings_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_no_string_of_the_data_becomes_markup():
    page = Reader(evil_page(trends_lead=EVIL))
    plain = Reader(samples.full_page(report))
    assert set(page.tags) <= set(plain.tags)
    assert {name for _, name, _ in page.attributes} <= {name for _, name, _ in plain.attributes}
    assert "<script>" in page.text  # as words, to be read


def test_the_page_runs_nothing_and_loads_nothing():
    for text in (samples.full_page(report), evil_page()):
        page = Reader(text)
        assert not {"script", "img", "link", "iframe", "object", "base", "form"} & set(page.tags)
        hrefs = [value for _, name, value in page.attributes if name in ("href", "src", "action")]
        assert all(value.startswith("#") for value in hrefs)
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    text = samples.full_page(report)
    assert not re.search(r"https?://|url\(|@import", text)
    policies = [value for tag, name, value in page.attributes if (tag, name) == ("meta", "content")]
    assert policies[0].startswith("default-src 'none'")


def test_the_page_can_be_written_as_utf8_whatever_the_logs_hold():
    assert evil_page().encode()


def test_every_entry_of_the_menu_leads_somewhere_and_no_id_comes_twice():
    page = Reader(samples.full_page(report))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [value for _, name, value in page.attributes if name == "href"]
    assert len(targets) == 11
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_every_picture_says_in_words_what_it_shows():
    page = Reader(samples.full_page(report))
    said = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(said) == page.tags.count("svg") == 15
    assert any("hybrid, heavy: 0.209" in words for words in said)


def test_a_part_without_data_is_not_on_the_page():
    page = Reader(report.page({}, release_id=samples.RELEASE_ID))
    assert "section" not in page.tags
    assert "nav" not in page.tags
    assert "table" not in page.tags
    assert "No gate has judged this release" in page.text
    assert samples.RELEASE_ID.partition("-")[0] in page.text


@pytest.mark.parametrize("status", ["live", "candidate", "previous"])
def test_status_and_verdict_are_the_first_things_on_the_page(status):
    told = samples.fields(passed=False)
    page = report.page(told, release_id=samples.RELEASE_ID, status=status)
    text = Reader(page).text
    assert text.index(status) < text.index("Refused by 1 of 4 gate rules") < text.index("Gate")
    assert "coverage" in text


def test_an_override_is_told_with_who_and_why():
    fields = samples.fields(passed=False)
    fields["gate"]["overrides"] = [{"rule": "coverage", "by": "ada", "why": "a holiday"}]
    page = report.page(fields, release_id=samples.RELEASE_ID)
    assert "coverage passed over by ada: a holiday" in page


def test_broken_expectations_are_open_and_the_rest_folded():
    page = samples.full_page(report, passed=False)
    section = page[page.index('id="validation"') : page.index('id="trends"')]
    before, _, folded = section.partition("<details>")
    assert "1 of 2 expectations held" in before
    assert "watched_seconds" in before
    assert "value</code>" not in before
    assert "value</code>" in folded


def test_files_that_were_set_aside_are_shown_with_their_reason():
    fields = samples.fields() | {
        "set_aside": [{"file": f"plays/{EVIL}", "reason": "it is cut or not gzip"}],
        "warnings": ["plays: unknown column colour in a.jsonl"],
    }
    page = Reader(report.page(fields, release_id=samples.RELEASE_ID))
    assert "it is cut or not gzip" in page.text
    assert "unknown column colour" in page.text
    assert "script" not in page.tags
    assert "Files" not in Reader(report.page(samples.fields(), release_id="r-1")).text


def test_what_a_night_dropped_is_shown_by_stream():
    kept = {"kept_from": "2023-01-07", "rejected_kept_from": "2025-10-08"}
    dropped = {"stream": "plays", "files": 3, "rows": 812, "rejected_rows": 7, **kept}
    page = Reader(report.page({"dropped": [dropped]}, release_id=samples.RELEASE_ID))
    for said in ("plays", "2023-01-07", "812", "2025-10-08"):
        assert said in page.text
    assert "Dropped" not in Reader(report.page({"dropped": []}, release_id="r-1")).text


def test_rows_and_arrow_tables_make_the_same_page():
    told = samples.everything()
    for name in ("slates", "similar"):
        told.pop(name)
    fields = told.pop("fields")
    arrow = {
        name: pa.Table.from_pylist(told.pop(name))
        for name in ("counts", "validation", "trends", "retention", "history")
    }
    plain = {name: samples.everything()[name] for name in arrow}
    assert report.page(fields, **told, **arrow) == report.page(fields, **told, **plain)


def test_a_release_with_numbers_missing_still_has_a_page():
    fields = samples.fields()
    for row in fields["evaluation"]["metrics"][::3]:
        row |= {"mean": None, "low": None, "high": None}
    for row in fields["evaluation"]["metrics"][1::3]:
        row |= {"low": None, "high": None, "n": None}
    page = report.page(fields, release_id=samples.RELEASE_ID)
    assert "not judged" in page
    assert "nan" not in Reader(page).text.lower().split()


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e12))
def test_an_axis_starts_at_zero_and_reaches_the_top_in_few_steps(top):
    ticks = charts.nice_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top * (1 - 1e-9) or math.isclose(ticks[-1], top)
    assert 2 <= len(ticks) <= 7


def test_a_part_of_a_bar_that_is_not_empty_is_seen():
    bar = charts.shares([("kept", 10_000_000), ("repeats", 0), ("rejected", 1)], said="x")
    widths = [float(width) for width in re.findall(r'width="([\d.]+)"', bar)]
    assert widths[1] == 0
    assert widths[2] >= 3
    assert sum(widths) == pytest.approx(150)


def test_one_release_alone_has_a_history_of_one_dot():
    rows = [{"as_of": samples.AT, "metric": "m", "mean": 0.2, "low": None, "high": None}]
    assert charts.history(rows, metric="m").count("<circle") == 1
