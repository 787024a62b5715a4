"""Marts of insights count members who allow it, and show no small cell: by their SQL."""

import re
from pathlib import Path

import pytest

MARTS = Path(__file__).resolve().parents[2] / "dbt_project/models/marts"

CONSENT = re.compile(r"may_use_for_insights|ref\('int_(events|member_title_weeks)__closed'\)")

TOTAL = re.compile(r"^\s+(sum|avg|max|min)\(", re.M)
"""A total that is not suppressed, as a column of its own."""


def faults(sql: str, *, is_of_members: bool) -> list[str]:
    """What an aggregate needs and this SQL does not have."""
    found = [] if CONSENT.search(sql) else ["consent"]
    if not is_of_members:
        last = sql[sql.rindex("select\n\n        ---------- ") :]
        found += [] if "{{ has_enough_members() }}" in last else ["minimum"]
        found += ["suppression"] if TOTAL.search(last) else []
    return found


@pytest.mark.parametrize("folder", ["insights", "retention"])
def test_every_mart_obeys_consent_and_the_minimum_cell(folder):
    paths = sorted((MARTS / folder).glob("*.sql"))
    assert paths
    wrong = {}
    for path in paths:
        columns = path.with_suffix(".yml").read_text(encoding="utf-8")
        is_of_members = "- name: member_id\n" in columns  # a row is a member, and no total
        if found := faults(path.read_text(encoding="utf-8"), is_of_members=is_of_members):
            wrong[path.stem] = found
    assert wrong == {}


def test_a_mart_without_one_of_them_is_found():
    sql = (MARTS / "insights/genre_trends_daily.sql").read_text(encoding="utf-8")
    assert faults(sql, is_of_members=False) == []
    for text, fault in (
        ("ref('int_events__closed')", "consent"),
        ("{{ has_enough_members() }}", "minimum"),
    ):
        assert faults(sql.replace(text, "x"), is_of_members=False) == [fault]
    bare = sql.replace("{{ suppress_small_cells('play_count') }}", "sum(play_count)")
    assert faults(bare, is_of_members=False) == ["suppression"]
