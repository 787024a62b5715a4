"""`matinee audience`, `matinee brief` and the tables for artwork and churn, on a whole night."""

import csv
import json
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest

from matinee import pipeline, releases, warehouse
from matinee.cli import main
from matinee.errors import ConfigError, DataError, RefusedError
from matinee.night.insights import artwork_log
from matinee.operations.market import Market
from matinee.privacy import pseudonym
from matinee.rights import consent
from matinee.settings import Settings

AS_OF = "2026-01-31"
"""The end of the data of the shared night."""

NOTHING = {"themes": [], "people": [], "language": "", "runtime": ""}

LEAST = 20
"""The project's least members of a cell."""


def of(home):
    return Settings(home=home)


@pytest.fixture(scope="module")
def titles(release):
    """A warm title and a cold one."""
    watched = release.table("model/interactions.parquet")["title_id"].value_counts().to_pylist()
    warm = max(watched, key=lambda row: (row["counts"], row["values"]))["values"]
    titles = release.titles()["title_id"].to_pylist()
    eligible = np.load(release.path / "fallback/eligible.npy").any(axis=0)
    seen = {row["values"] for row in watched}
    pairs = zip(titles, eligible, strict=True)
    cold = next(title for title, is_shown in pairs if is_shown and title not in seen)
    return {"warm": warm, "cold": cold}


@pytest.fixture(scope="module")
def found(night_home, titles):
    """The audience of either."""
    return {
        kind: pipeline.title_audience(of(night_home), title, release="live")
        for kind, title in titles.items()
    }


@pytest.mark.parametrize("kind", ["warm", "cold"])
def test_an_audience_is_counted_and_no_small_cell_is_shown(found, titles, kind):
    row = found[kind]
    assert (row["title_id"], row["is_cold"]) == (titles[kind], kind == "cold")
    assert row["members"] >= LEAST
    assert row["probability"] > row["probability_of_all"] > 0
    assert row["expected_low"] < row["expected_viewers"] < row["expected_high"]
    for cells in (row["segments"], row["countries"]):
        assert cells
        assert all(cell["members"] >= LEAST for cell in cells)
        assert sum(cell["members"] for cell in cells) == row["members"]
    assert all(one["low"] <= one["observed"] <= one["high"] for one in row["calibration"])
    assert row["held_out"]["titles_are"] in ("warm", "cold")
    json.dumps(row, allow_nan=False)


def test_the_audience_of_a_title_that_is_watched_beats_activity_and_popularity(found):
    """On held-out weeks of simulated members, who choose by taste."""
    held = found["warm"]["held_out"]
    assert held["auc"] > 0.6
    assert held["lift"] > 1.0
    assert held["viewings"] >= 50


def test_the_same_question_has_the_same_answer(night_home, found, titles):
    again = pipeline.title_audience(of(night_home), titles["warm"], release="live")
    assert again == found["warm"]


def test_a_campaign_has_the_ids_of_those_only_who_allow_it_today(copied, tmp_path, titles):
    home, file = of(copied), tmp_path / "campaign.csv"

    def campaign():
        pipeline.title_audience(
            home, titles["warm"], release="live", campaign=file, purpose="spring, by post"
        )
        with file.open(newline="") as lines:
            return list(csv.DictReader(lines))

    rows = campaign()
    allowed = warehouse.query(
        "select member_id from members where may_market and may_use_for_insights "
        "and may_personalise",
        home=copied,
    )["member_id"].to_pylist()
    ids = [row["member_id"] for row in rows]
    assert ids
    assert set(ids) <= set(allowed)
    assert {(row["purpose"], row["date"]) for row in rows} == {("spring, by post", AS_OF)}
    assert file.stat().st_mode & 0o077 == 0
    for purpose, member in zip(consent.PURPOSES, ids, strict=False):
        pipeline.record_choice(home, member, purpose, granted=False)
    assert not {row["member_id"] for row in campaign()} & set(ids[: len(consent.PURPOSES)])


def test_a_campaign_needs_a_purpose(night_home, tmp_path, titles):
    with pytest.raises(ConfigError, match="needs a purpose"):
        pipeline.title_audience(
            of(night_home), titles["warm"], release="live", campaign=tmp_path / "c.csv"
        )
    assert not (tmp_path / "c.csv").exists()


def test_who_refuses_insights_is_counted_no_more(copied):
    home = of(copied)
    allowed = warehouse.query(
        "select member_id from members where may_personalise and may_use_for_insights",
        home=copied,
    )["member_id"].to_pylist()
    before = pipeline.brief(home, genres=["Drama"], **NOTHING, release="live")["members"]
    for member in allowed[:5]:
        pipeline.record_choice(home, member, consent.INSIGHTS, granted=False)
    after = pipeline.brief(home, genres=["Drama"], **NOTHING, release="live")["members"]
    assert before - 5 <= after < before
    opened = Market.of(home, "live")
    refused = opened.members.rows(allowed[:5])
    assert (refused >= 0).any()
    assert not np.isin(opened.log.member, refused).any()


def test_an_audience_is_never_smaller_than_a_small_cell(night_home, titles):
    found = pipeline.title_audience(of(night_home), titles["warm"], release="live", share=0.001)
    assert found["members"] == LEAST


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"a": 30, "b": 25}, {"a": 30, "b": 25}),
        ({"a": 30, "b": 15, "c": 5}, {"a": 30, "other": 20}),
        ({"a": 40, "b": 30, "c": 5}, {"a": 40, "other": 35}),
        ({"a": 40, "c": 5}, {"other": 45}),
        ({"c": 5}, {}),
    ],
)
def test_no_small_cell_is_the_difference_to_the_total(sizes, shown):
    labels = [name for name, size in sizes.items() for _ in range(size)]
    market = Market(None, None, None)
    vars(market)["least_members"] = LEAST
    cells = market.cells(labels, np.ones(len(labels), np.bool_))
    assert {name: len(rows) for name, rows in cells.items()} == shown


def test_with_too_few_members_there_is_no_audience(copied, titles):
    home = of(copied)
    members = releases.Store.of(copied).open("live").table("vocabulary/members.parquet")
    withdrawals = consent.read(home)
    for member in members["member_id"].to_pylist()[15:]:
        name = pseudonym(withdrawals.key, member, use=consent.USE)
        withdrawals.record(name, consent.INSIGHTS, granted=False, at="2026-02-01T00:00:00.000000Z")
    consent._save(home, withdrawals)
    with pytest.raises((RefusedError, DataError), match=r"not shown|wait for more logs"):
        pipeline.title_audience(home, titles["warm"], release="live")


@pytest.mark.parametrize("allowed", [0, LEAST - 1])
def test_a_title_that_too_few_may_be_counted_for_has_no_audience(
    night_home, monkeypatch, titles, allowed
):
    first = np.arange(1000) < allowed
    monkeypatch.setattr(Market, "eligible", lambda market, place: first[: len(market.members)])
    with pytest.raises(RefusedError, match=r"members may be counted who may watch"):
        pipeline.title_audience(of(night_home), titles["warm"], release="live")


def brief(home, **given):
    return pipeline.brief(of(home), **({"genres": [], **NOTHING} | given), release="live")


def test_a_brief_predicts_with_intervals_and_names_titles_alike(night_home):
    row = brief(night_home, genres=["drama"], themes=["dark"], language="EN", runtime="100")
    assert (row["genres"], row["themes"], row["language"]) == (("Drama",), ("dark",), "en")
    assert row["expected_low"] < row["expected_viewers"] < row["expected_high"]
    for cells in (row["segments"], row["countries"]):
        assert all(cell["low"] <= cell["expected_viewers"] <= cell["high"] for cell in cells)
        assert all(cell["members"] >= LEAST for cell in cells)
        total = sum(cell["expected_viewers"] for cell in cells)
        assert total == pytest.approx(row["expected_viewers"], abs=0.1 * len(cells) + 1.0)
    likeness = [one["likeness"] for one in row["look_alikes"]]
    assert likeness == sorted(likeness, reverse=True)
    assert len(likeness) == 10
    for one in row["cannibalised"]:
        assert one["recent_viewers"] >= LEAST
        assert one["overlap"] > 1
    assert isinstance(row["gaps"], list)
    assert row["back_test"]["titles"] > 0
    assert json.loads(json.dumps(row, allow_nan=False))["members"] > 100


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"genres": ["Dramma"]}, "no title has the genre 'Dramma': the nearest known are 'Drama'"),
        ({"people": ["Nobody Known"]}, "no title has the person 'Nobody Known': the nearest"),
        ({"runtime": "long"}, "whole minutes such as 105, got 'long'"),
        ({}, "a brief needs something to go by"),
    ],
)
def test_an_unknown_value_is_bad_usage_and_names_the_nearest(night_home, given, message):
    with pytest.raises(ConfigError, match=message):
        brief(night_home, **given)


def test_a_title_unlike_all_others_is_refused_and_what_is_missing_is_named(night_home):
    with pytest.raises(
        RefusedError,
        match=r"says too little about this title: watched titles take \d+ to \d+ minutes, not 3000",
    ):
        brief(night_home, genres=["Drama"], runtime="3000")


@pytest.mark.parametrize(
    ("typed", "code", "shown"),
    [
        ("brief --genres Drama,,Comedy --format json", 0, '"look_alikes": ['),
        ("brief --genres Drama", 0, "expected viewers"),
        ("brief --themes darkk", 2, "'dark'"),
        ("audience TITLE", 0, "best time"),
        ("audience TITLE --campaign c.csv", 2, "needs a purpose"),
        ("insights show artwork --format csv", 0, "take_rate_low"),
    ],
)
def test_the_commands_print_tables_and_json_and_exit_2_for_bad_usage(
    night_home, monkeypatch, capsys, titles, typed, code, shown
):
    monkeypatch.setenv("MATINEE_HOME", str(night_home))
    arguments = [titles["warm"] if one == "TITLE" else one for one in typed.split()]
    monkeypatch.setattr("sys.argv", ["matinee", *arguments])
    if code:
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == code
    else:
        with suppress(SystemExit):
            main()
    out, err = capsys.readouterr()
    assert shown in (err if code else out)


def test_the_probabilities_of_an_artwork_policy_sum_to_one(release):
    rows = release.table("artwork/policy.parquet").to_pylist()
    groups = {}
    for row in rows:
        key = row["title_id"], row["asset_kind"], row["segment"]
        groups.setdefault(key, []).append(row)
    assert groups
    for key, assets in groups.items():
        total = sum(row["probability"] for row in assets)
        assert total == pytest.approx(1, abs=1e-5) or total == 0, key
    assert all(
        row["click_count"] is None or row["click_count"] <= row["impression_count"] for row in rows
    )


def test_an_unlabelled_picture_made_with_ai_is_never_servable():
    rows = [
        ("trainedAlgorithmicMedia", None, False, False),
        ("trainedAlgorithmicMedia", "Made with AI", False, True),
        (None, None, False, False),
        ("digitalCapture", None, False, True),
        ("digitalCapture", None, True, False),
    ]
    assets = pa.table(
        {
            "asset_id": [f"a{number}" for number in range(len(rows))],
            "title_id": ["t"] * len(rows),
            "asset_kind": ["artwork"] * len(rows),
            "digital_source_type": [row[0] for row in rows],
            "disclosure_label": [row[1] for row in rows],
            "is_retired": [row[2] for row in rows],
        }
    )
    shown = artwork_log.Shown(None, assets, None)
    assert shown.servable.tolist() == [row[3] for row in rows]


def test_few_renewals_are_no_verdict_and_no_list(night_home, release):
    about = release.json("insights/insights.json")["churn"]
    assert about["verdict"].startswith("no verdict")
    assert pipeline.insight_table(of(night_home), "at-risk").rows == []
