from datetime import UTC, datetime

from matinee import report
from tests.report.samples import RELEASE_ID, everything
from tests.report.test_page import EVIL


def result(table, success=True, severity="critical"):
    return {"table": table, "success": success, "severity": severity}


def page(*nights, verdict=None):
    told = everything()
    fields = told["fields"] | {"validation": {"drift": {"verdict": verdict}}}
    history = [
        {"as_of": datetime(2026, 1, 1 + day, tzinfo=UTC), "results": results}
        for day, results in enumerate(nights)
    ]
    return report.page(
        fields,
        release_id=RELEASE_ID,
        validation=told["validation"],
        validation_history=history,
    )


def test_each_table_has_a_line_and_each_night_a_column_oldest_first():
    text = page([result("plays")], [result("plays", False, "warning"), result("slates")])
    text = text[text.index("Each table, night by night") :]
    for part in ("2026-01-01", "2026-01-02", "✓ held", "! warned 1", "not checked"):
        assert part in text
    assert text.index("2026-01-01") < text.index("2026-01-02")
    assert text.index("<code>plays</code>") < text.index("<code>slates</code>")


def test_the_worst_of_a_table_is_said_in_a_word_with_its_number():
    text = page(
        [
            result("plays", False, "warning"),
            result("plays", False),
            result("plays", False),
            result("consents", False, "info"),
        ]
    )
    assert "✗ accepted 2" in text  # for a release that was published
    assert "· noted 1" in text
    assert "warned" not in text


def test_what_the_night_was_compared_with_is_said():
    text = page([result("plays")], verdict="no live release to compare with: no verdict")
    assert "Beside the live release: no live release to compare with: no verdict." in text


def test_names_of_tables_and_verdicts_stay_text():
    text = page([result(EVIL)], verdict=EVIL)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_page_without_nights_has_no_grid():
    assert "night by night" not in page()
