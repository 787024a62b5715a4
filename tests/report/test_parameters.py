"""The page on what decides the order of titles."""

from matinee import pipeline, report
from matinee.settings import Settings

WEIGHT = {"parameter": "genre", "column": "genres", "weight": 0.3}


def main_parameters(evil="genre"):
    return {
        "release": "20260102T031500Z-0123456789ab",
        "as_of": "2026-01-02T00:00:00Z",
        "learned_from": {"acts": 17433, "members": 623, "half_life_days": 90.0},
        "in_the_order": {"parts": ["ease", "hybrid"], "calibration_weight": 0.1},
        "about_members": [WEIGHT | {"parameter": "country", "column": "country"}],
        "about_titles": [WEIGHT | {"parameter": evil, "column": evil}],
        "never_used": ["age", evil],
        "features": {"service": "v1", "views": ["a", "b"], "registry_sha256": "f" * 64},
        "without_personalisation": 61,
        "who_never_answered": "granted",
        "how_to_say_no": "matinee consent MEMBER --refuse",
    }


def test_the_page_says_what_counts_how_much_what_never_does_and_who_said_no():
    page = report.parameters(main_parameters())
    for words in ("17\u202f433 interactions", "623 members", "90", "genre", "0.3", "age"):
        assert words in page, words
    assert "61 members" in page


def test_the_page_says_where_interactions_do_not_fade():
    main = main_parameters()
    assert "An interaction of 90 days ago counts half" in report.parameters(main)
    main["learned_from"]["half_life_days"] = None
    assert "All interactions count the same, however old." in report.parameters(main)


def test_the_page_of_a_night_has_the_parts_of_its_combination(night_home, release):
    assert release.manifest["evaluation"]["protocol"] == "global_time_cut"
    main = pipeline.parameters(Settings(home=night_home), "live")
    assert main["in_the_order"]["parts"] == release.json("combination.json")["parts"]
    page = report.parameters(main)
    assert "An interaction of 90 days ago counts half" in page
    for part in main["in_the_order"]["parts"]:
        assert part in page


def test_no_value_of_a_manifest_becomes_markup_on_the_page():
    page = report.parameters(main_parameters(evil="<script>alert(1)</script>"))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 3
