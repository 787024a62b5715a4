from datetime import UTC, datetime

from matinee import report
from tests.report import samples
from tests.report.test_page import EVIL, Reader


def result(table, success=True, severity="critical"):
    return {
        "table": table,
        "kind": "expect_column_values_to_be_between",
        "rule": {"column": "watched_seconds"},
        "success": success,
        "severity": severity,
        "observed": None,
        "notes": "Longer is a broken clock.",
    }


def page(*nights, drift="no verdict"):
    """The page of the last night, with those before it as its history."""
    *before, results = nights
    history = [
        {"as_of": datetime(2026, 1, 1 + day, tzinfo=UTC), "tables": report.states(one)}
        for day, one in enumerate(before)
    ]
    as_of = datetime(2026, 1, 1 + len(before), tzinfo=UTC)
    return report.stopped(results, day="2026-01-01", as_of=as_of, nights=history, drift=drift)


def test_failed_expectations_are_open_and_the_rest_folded(tmp_path):
    text = samples.page(samples.write(tmp_path, passed=False))
    section = text[text.index('<section id="validation"') : text.index('<section id="trends"')]
    before, _, folded = section.partition("<details>")
    assert "1 of 2 expectations passed" in before
    assert "watched_seconds" in before
    assert "value</code>" not in before
    assert "value</code>" in folded


def test_each_table_has_a_line_and_each_night_a_column_oldest_first():
    text = page([result("plays")], [result("plays", False, "warning"), result("slates")])
    text = text[text.index("Each table, night by night") :]
    for part in ("2026-01-01", "2026-01-02", "✓ passed", "! warning 1", "not checked"):
        assert part in text
    assert text.index("2026-01-01") < text.index("2026-01-02")
    assert text.index("<code>plays</code>") < text.index("<code>slates</code>")


def test_the_worst_result_of_a_table_is_shown_with_its_number():
    text = page(
        [
            result("plays", False, "warning"),
            result("plays", False),
            result("plays", False),
            result("plays"),
            result("consents", False, "info"),
        ]
    )
    assert "✗ accepted 2" in text
    assert "· info 1" in text
    assert "! warning" not in text


def test_a_night_that_was_stopped_says_so_in_the_history_of_the_next_release(tmp_path):
    text = samples.page(samples.write(tmp_path))
    assert "✗ stopped 1" in text


def test_states_count_every_expectation_worst_first():
    results = [result("plays"), result("plays"), result("plays", False, "stopped"), result("m")]
    assert report.states(results) == {"plays": {"stopped": 1, "passed": 2}, "m": {"passed": 1}}
    assert list(report.states(results)["plays"]) == ["stopped", "passed"]


def test_what_the_night_was_compared_with_is_shown():
    text = Reader(page([result("plays")], drift="no live release to compare with")).text
    assert "Compared with the live release: no live release to compare with." in text


def test_results_of_the_comparison_with_the_live_release_are_shown(tmp_path):
    drift = {"verdict": "1 of 7 distributions", "results": [result("device", False, "warning")]}
    fields = samples.manifest() | {"validation": {"drift": drift}}
    text = Reader(samples.page(samples.write(tmp_path), fields)).text
    assert "2 of 3 expectations passed" in text
    assert "device" in text


def test_names_of_tables_and_verdicts_stay_text():
    text = page([result(EVIL)], drift=EVIL)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
