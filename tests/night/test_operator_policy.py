"""What `policy.yml` may say, and the error of an entry that is wrong."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from matinee.errors import ConfigError
from matinee.night.policy import operator_policy
from matinee.slates.operator_policy import Rule
from matinee.vocabulary import Vocabulary

TITLES = pa.table(
    {
        "title_id": ["t1", "t2", "t3"],
        "genres": [["Drama"], ["Horror", "Drama"], []],
        "language": ["en", "sv", "en"],
    }
)


def read(tmp_path, text):
    (tmp_path / "policy.yml").write_text(text)
    return operator_policy.read(tmp_path, TITLES)


def test_without_the_file_there_are_no_rules(tmp_path):
    assert operator_policy.read(tmp_path, TITLES) == ()


def test_entries_name_titles_by_id_genre_or_language(tmp_path):
    text = """
    pin: [{title: t3, countries: [DE], from: 2026-02-01, to: 2026-02-14}]
    bury: [{genre: Drama}]
    at_most: [{language: en, titles: 4}]
    """
    assert read(tmp_path, text) == (
        Rule("pin", ("t3",), ("DE",), date(2026, 2, 1), date(2026, 2, 14)),
        Rule("bury", ("t1", "t2")),
        Rule("at_most", ("t1", "t3"), most=4),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pin: [", "policy.yml is not YAML"),
        ("hide: []", "'hide' is none of pin, embargo, bury, at_most"),
        ("pin: {title: t1}", "pin must be a list, got"),
        ("pin: [{title: t1, until: 2026-01-01}]", "pin 1: 'until' is none of"),
        ("pin: [{title: t1, genre: Drama}]", "pin 1: name titles by one of"),
        ("pin: [{countries: [DE]}]", "pin 1: name titles by one of"),
        ("bury: [{genre: Drama}, {genre: Dramma}]", "bury 2: no title has the genre 'Dramma', did"),
        ("pin: [{title: t1, countries: [NO]}]", r"countries must be a list like .*\[False\]"),
        ("pin: [{title: t1, from: soon}]", "pin 1: from must be a day like 2026-02-14, got 'soon'"),
        ("pin: [{title: t1, from: 2026-02-02, to: 2026-02-01}]", "from 2026-02-02 is after to"),
        ("at_most: [{genre: Drama}]", "titles must be a whole number from 0 on, got None"),
        ("pin: [{owner: Studio}]", "no title has the owner 'Studio'"),
    ],
)
def test_an_entry_that_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_the_measured_lists_have_the_rules_of_each_members_country():
    rules = [Rule("pin", ("t3",), ("DE",)), Rule("bury", ("t1",))]
    shown = operator_policy.applied(
        rules,
        Vocabulary.from_ids(TITLES["title_id"]),
        np.array([[0, 1], [0, 1], [0, 1]]),
        ["DE", "SE", "DE"],
        [set(), set(), {2}],
        date(2026, 2, 1),
    )
    assert shown.tolist() == [[2, 1], [1, 0], [1, 0]]
