import doctest
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee import report
from matinee.report import charts, formatting
from tests.report import samples

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;{{ 7*7 }}\ud800\0"
VOID = {"meta", "img", "link", "br", "hr", "input"}
LOADS = re.compile(r"(?i)https?://|url\(|@import|<script|<img|<link|<iframe|src=")


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
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def evil(value):
    """The same facts with every string turned against the page."""
    if isinstance(value, str):
        return EVIL
    if isinstance(value, dict):
        return {key: evil(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [evil(inner) for inner in value]
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return samples.write(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def full(folder):
    """The page of a release that has every section."""
    return samples.page(folder)


@pytest.fixture(scope="module")
def evil_pages(tmp_path_factory):
    """Page and card of a release whose every text is an attack, its file of checks included."""
    texts = {"text": lambda value: EVIL.replace("\ud800", "")}  # no Parquet file holds half a pair
    folder = samples.write(tmp_path_factory.mktemp("evil"), **texts)
    fields = evil(samples.manifest()) | {"samples": samples.manifest()["samples"]}
    fields["gate"]["overrides"] = [{"rule": EVIL, "by": EVIL, "why": EVIL}]
    return report.draw(folder, fields)


def with_fields(folder, **changed):
    return Reader(samples.page(folder, samples.manifest() | changed))


@pytest.mark.parametrize("module", [formatting, charts])
def test_the_examples_in_docstrings_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_no_string_of_the_data_becomes_markup(full, evil_pages):
    page, plain = Reader(evil_pages["report.html"]), Reader(full)
    assert set(page.tags) <= set(plain.tags)
    assert {name for _, name, _ in page.attributes} <= {name for _, name, _ in plain.attributes}
    assert page.text.count("<script>") > 50  # as words, to be read
    assert "{{ 7*7 }}" in page.text
    assert not re.search(r"<script|<img", evil_pages["card.md"])


def test_the_pages_run_nothing_and_load_nothing(full, evil_pages):
    stopped = report.stopped(
        samples.results(passed=False), day="2026-01-01", as_of=samples.AT, nights=[], drift="none"
    )
    assert not LOADS.search(full)
    assert not LOADS.search(stopped)
    for text in (full, stopped, evil_pages["report.html"]):
        page = Reader(text)
        assert not {"script", "img", "link", "iframe", "object", "base", "form"} & set(page.tags)
        hrefs = [value for _, name, value in page.attributes if name in ("href", "src", "action")]
        assert all(value.startswith("#") for value in hrefs)
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        policies = [one for tag, name, one in page.attributes if (tag, name) == ("meta", "content")]
        assert policies[0].startswith("default-src 'none'")


def test_the_page_can_be_written_as_utf8_whatever_the_logs_hold(evil_pages):
    assert all(text.encode() for text in evil_pages.values())


def test_every_section_is_in_the_menu_and_no_id_comes_twice(full):
    page = Reader(full)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [value for _, name, value in page.attributes if name == "href"]
    assert len(targets) == page.tags.count("section") == 13
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_every_chart_has_a_text_alternative(full):
    page = Reader(full)
    texts = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(texts) == page.tags.count("svg") == 16
    assert any("hybrid, all members: 0.209" in text for text in texts)


def test_a_section_without_data_is_not_on_the_page(tmp_path):
    whole = samples.write(tmp_path)
    for name in ("similar", "insights", "retention", "validation"):
        (whole / name).rename(tmp_path.with_name(f"{tmp_path.name}-{name}"))
    page = Reader(samples.page(whole, {"release_id": samples.RELEASE_ID, "as_of": samples.AT}))
    assert not {"section", "nav", "table"} & set(page.tags)
    assert "No gate has evaluated this release" in page.text
    assert samples.RELEASE_ID in page.text


def test_the_verdict_is_the_first_thing_on_the_page(folder):
    text = Reader(samples.page(folder, samples.manifest(passed=False))).text
    assert text.index("Failed 1 of 4 gate rules coverage") < text.index("Release gate")
    assert "✗ FAIL" in text
    assert "✗ FAIL" not in with_fields(folder).text


def test_an_override_is_shown_with_who_and_why(folder):
    override = {"rule": "coverage", "by": "ada", "why": "a holiday"}
    gate = samples.manifest(passed=False)["gate"] | {"overrides": [override]}
    assert "Override coverage, by ada: a holiday" in with_fields(folder, gate=gate).text


def test_the_words_are_those_of_the_glossary(full):
    text = Reader(full).text
    for words in (
        "exposure share",
        "viewing share",
        "effective catalogue size",
        "popularity lift",
        "accepted",
        "duplicates",
        "members evaluated",
    ):
        assert words in text, words
    for words in ("first places", "kept", "repeats", "passed over", "holds", "told", "judge"):
        assert not re.search(rf"\b{words}\b", text), words


def test_titles_are_shown_with_year_reason_and_ai_label(full):
    text = Reader(full).text
    assert "Metropolis 1927 Because you watched Nosferatu" in text
    assert "M [made with AI] 1931 Directed by Fritz Lang" in text


def test_quarantined_files_warnings_and_expired_rows_are_shown(full):
    text = Reader(full).text
    for words in ("it is cut or not gzip", "unknown column colour", "2023-01-07", "812"):
        assert words in text


def test_numbers_of_earlier_releases_come_from_the_manifest(folder, full):
    assert "This release and the 2 before it" in Reader(full).text
    descriptions = re.findall(r'aria-label="([^"]*) over (\d) releases, now ([^"]*)"', full)
    assert ("NDCG@10", "3", "0.209") in descriptions
    assert ("popularity lift, niche", "3", "0.909") in descriptions
    assert "Metrics over releases" not in with_fields(folder, history={}).text


def test_a_release_with_numbers_missing_still_has_a_page(folder):
    fields = samples.manifest()
    for row in fields["evaluation"]["metrics"][::3]:
        row |= {"mean": None, "low": None, "high": None}
    for row in fields["evaluation"]["metrics"][1::3]:
        row |= {"low": None, "high": None, "n": None}
    text = Reader(samples.page(folder, fields)).text
    assert "not evaluated" in text
    assert not {"nan", "None"} & set(text.split())


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e12))
def test_an_axis_starts_at_zero_and_reaches_the_top_in_few_steps(top):
    ticks = charts.nice_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top * (1 - 1e-9) or math.isclose(ticks[-1], top)
    assert 2 <= len(ticks) <= 7


def test_a_part_of_a_bar_that_is_not_empty_is_seen():
    parts = {"kept": 10_000_000, "repeats": 0, "rejected": 1}
    bar = charts.stacked_bar(parts, description="x")
    widths = [float(width) for width in re.findall(r'width="([\d.]+)"', bar)]
    assert widths[1] == 0
    assert widths[2] >= 3
    assert sum(widths) == pytest.approx(150)


def test_one_release_alone_has_a_history_of_one_dot():
    rows = [{"as_of": samples.AT, "metric": "m", "mean": 0.2, "low": None, "high": None}]
    assert charts.history(rows, metric="m").count("<circle") == 1


def test_a_negative_value_stays_inside_its_chart():
    rows = [{"as_of": samples.AT, "mean": mean, "low": None, "high": None} for mean in (-0.3, 0.1)]
    heights = [float(y) for y in re.findall(r'cy="([-\d.]+)"', charts.history(rows, metric="m"))]
    assert heights[0] > heights[1]
    assert all(10 <= y <= 130 for y in heights)


def test_forward_tests_are_drawn_beside_the_best_baseline(folder, full):
    text = Reader(full).text
    assert "The lists of 20260101T031500Z-3f9ac0ffee11 on what 84 members first watched" in text
    words = "forward NDCG@10 over 3 releases, now 0.111, best baseline 0.087"
    assert f'aria-label="{words}"' in full
    drawn = charts.history([{"as_of": samples.AT, **samples.FORWARD}] * 2, metric="m")
    lines = re.findall(r'class="line( beside)?" d="([^"]+)"', drawn)
    (_, best), (_, own) = lines
    heights = [float(path.split("L")[1].split()[1]) for path in (best, own)]
    assert [kind for kind, _ in lines] == [" beside", ""]
    assert heights[0] > heights[1]  # 0.09 is drawn below 0.095
    assert "Forward test" not in with_fields(folder, forward_test=None).text


def test_a_forward_night_adds_no_point_to_the_held_out_metrics_it_carries():
    fields = report_numbers(is_full=False)
    assert fields.keys() & {"ndcg@10", "recall@10", "coverage@10"} == set()
    assert fields["forward_ndcg@10"] == {
        "mean": 0.111, "low": 0.081, "high": 0.141, "best_baseline": 0.087,
    }  # fmt: skip
    assert report_numbers(is_full=True).keys() >= {"ndcg@10", "forward_ndcg@10"}


def report_numbers(*, is_full):
    fields = samples.manifest()
    fields["evaluation"]["is_full"] = is_full
    found = report.numbers(fields)["metrics"]
    return {
        name: {part: value and round(value, 6) for part, value in row.items()}
        for name, row in found.items()
    }
