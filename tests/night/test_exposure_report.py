"""The exposure report of a night, from the scorer to the gate."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from matinee.night import exposure_report
from matinee.slates import member_groups
from tests import worlds


@pytest.fixture(scope="module")
def scorer():
    return worlds.scorer()


@pytest.fixture(scope="module")
def exposed(scorer):
    return exposure_report.measure_exposure(scorer, worlds.block(scorer).lists.rows[:, :10])


def test_every_taste_and_every_value_of_the_catalogue_is_in_the_report(exposed):
    assert [row["group"] for row in exposed.lift] == ["niche", "blended", "blockbuster"]
    values = {(row["attribute"], row["value"]) for row in exposed.providers}
    assert {("genre", name) for name in worlds.GENRES} <= values
    assert {("language", "sv"), ("country", "SE"), ("added", "new this month")} <= values
    for attribute in ("genre", "language", "country", "added"):
        rows = [row for row in exposed.providers if row["attribute"] == attribute]
        for name in ("catalogue_ratio", "watched_ratio", "shown_ratio"):
            assert sum(row[name] for row in rows) == pytest.approx(1)
    assert exposure_report.table(exposed.providers).to_pylist() == exposed.providers


def test_each_has_a_verdict_of_the_gate(exposed):
    rules = [verdict.rule for verdict in exposed.verdicts]
    assert rules == [
        "popularity_lift_niche",
        "exposure_by_added",
        "exposure_by_country",
        "exposure_by_genre",
        "exposure_by_language",
        "effective_titles",
    ]


def test_the_popularity_list_counts_interactions_whatever_is_popular_now(scorer, exposed):
    other = worlds.scorer()
    countries, popular = other.ranker.popular
    other.ranker.__dict__["popular"] = (
        countries,
        {name: one[:, ::-1] for name, one in popular.items()},
    )
    found = exposure_report.measure_exposure(other, worlds.block(other).lists.rows[:, :10])
    assert found.lift_of_hits == exposed.lift_of_hits


def refused_without_family(scorer, *, seen_by_all):
    """The rules that slates without family titles break."""
    family = np.array(
        [names == ["Family"] for names in scorer.catalogue.titles["genres"].to_pylist()]
    )
    first = worlds.block(scorer).lists.rows[:, :10].copy()
    first[family[first]] = int(np.flatnonzero(~family)[0])
    if seen_by_all:
        seen = scorer.ranker.seen.toarray() | family
        scorer = replace(scorer, ranker=replace(scorer.ranker, seen=sp.csr_array(seen)))
    found = exposure_report.measure_exposure(scorer, first)
    return {verdict.rule for verdict in found.verdicts if not verdict.passed}


def test_slates_that_hide_a_genre_are_refused(scorer):
    assert "exposure_by_genre" in refused_without_family(scorer, seen_by_all=False)


def test_slates_need_no_genre_whose_titles_all_members_have_seen(scorer):
    assert "exposure_by_genre" not in refused_without_family(scorer, seen_by_all=True)


def test_the_most_watched_values_come_first_and_not_all(exposed, monkeypatch):
    monkeypatch.setattr(exposure_report, "MOST_LISTED", 1)
    rows = exposed.most_watched()
    assert [row["attribute"] for row in rows] == ["added", "country", "genre", "language"]
    of_genres = [row["watched_ratio"] for row in exposed.providers if row["attribute"] == "genre"]
    assert rows[2]["watched_ratio"] == max(of_genres)


def test_members_are_grouped_for_the_audit_and_the_unknown_are_in_no_group():
    members = pa.table(
        {
            "member_id": ["a", "b", "c"],
            "country": ["SE", None, "DE"],
            "plan": ["basic", "basic", None],
            "gender": ["woman", None, "man"],
            "birth_year": pa.array([2004, None, 1950], pa.int64()),
        }
    )
    groups = member_groups.member_groups(members, pa.chunked_array([["c", "b"]]), year=2026)
    assert groups == {
        "country": ["DE", None],
        "plan": [None, "basic"],
        "gender": ["man", None],
        "age": ["65 and over", None],
    }
