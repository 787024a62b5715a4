"""A list in one CSV field is read however a tool wrote it, or its row is rejected by name."""

import csv
import io

import pytest

from matinee.landing.formats import lists
from tests.landing import samples
from tests.landing.samples import encode

PLAY = samples.PLAY | {"is_autoplay": ""}

READ = {
    "Drama|Romance": ["Drama", "Romance"],
    "Drama": ["Drama"],
    '["Drama", "Romance"]': ["Drama", "Romance"],
    ' ["Drama"] ': ["Drama"],
    r'["Dr\u00e4ma", null, NaN]': ["Dräma"],
    "[1, 2]": ["1", "2"],
    "['Drama', \"Rock'n'Roll\"]": ["Drama", "Rock'n'Roll"],
    "[u'Drama', None]": ["Drama"],
    "['Drama' 'Film noir'\n 'War']": ["Drama", "Film noir", "War"],
    "('Drama', 'War')": ["Drama", "War"],
    "{'Drama', 'War'}": ["Drama", "War"],
    '{Drama,"Film, noir",NULL}': ["Drama", "Film, noir"],
    r'{"a \"b\"",c}': ['a "b"', "c"],
    "[Science Fiction, Children's]": ["Science Fiction", "Children's"],
    "[]": [],
    "{}": [],
    "[REC]|Drama": ["[REC]", "Drama"],
    "(untitled)": ["(untitled)"],
    "NULL": None,
    "": None,
}
BROKEN = (
    '["Drama", "Roman',
    "[{'id': 18, 'name': 'Drama'}]",
    '{"id": 18}',
    '[["Drama"]]',
    "{{a,b},{c}}",
    "[a,,b]",
    "['Drama', b'x']",
    "[" * 5000,
    "[",
)


def catalogue(texts):
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["title_id", "name", "title_kind", "genres"])
    writer.writerows([f"t{n}", "Heat", "movie", text] for n, text in enumerate(texts))
    return file.getvalue().encode()


def test_every_spelling_of_a_list_gives_its_parts_and_every_other_is_rejected(zone):
    zone.land("plays", "p.jsonl", encode([PLAY], "jsonl"))
    zone.land("titles", "good.csv", catalogue(READ))
    zone.land("titles", "bad.csv", catalogue(BROKEN))
    receipt = zone.receive()
    found = zone.rows("titles", "file, genres")
    assert [genres for file, genres in found if "good" in file] == list(READ.values())
    assert receipt.rules["titles"] == {"mistyped_field:genres": len(BROKEN)}


@pytest.mark.parametrize("text", [text for text in READ if text.strip()[:1] in ("[", "{")])
def test_a_list_cut_anywhere_never_gives_a_part_with_a_bracket(text):
    for end in range(1, len(text.strip())):
        parts = lists.parse(text.strip()[:end]) or []
        assert not any(part[:1] in ("[", "{") for part in parts if part != "[REC]"), parts


@pytest.mark.parametrize(
    ("spelt", "value"),
    [
        *((one, True) for one in ("t", "T", "true", "TRUE", "yes", "y", "1", "1.0")),
        *((one, False) for one in ("f", "F", "false", "False", "no", "n", "0", "0.0")),
        *((one, None) for one in ("", "\\N", "NULL")),
    ],
)
def test_a_boolean_is_read_however_a_database_writes_it(zone, spelt, value):
    zone.land("plays", "p.csv", encode([PLAY | {"is_autoplay": spelt}], "csv"))
    assert zone.receive().rules["plays"] == {}
    assert zone.rows("plays", "is_autoplay") == [(value,)]
