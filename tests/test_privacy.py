"""Pseudonyms, and the recognition of member ids in text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.privacy import ERASED, Forgotten, Traces, pseudonym

KEY = bytes(range(32))
TRACES = Traces.of(["m-000017", "17"])


def test_a_pseudonym_depends_on_the_key():
    assert pseudonym(KEY, "m-1", use="tombstone") == pseudonym(KEY, "m-1", use="tombstone")
    assert pseudonym(KEY, "m-1", use="tombstone") != pseudonym(bytes(32), "m-1", use="tombstone")


def test_a_pseudonym_depends_on_the_use():
    assert pseudonym(KEY, "m-1", use="tombstone") != pseudonym(KEY, "m-1", use="withdrawal")


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="at least 32 bytes, got 3"):
        pseudonym(b"abc", "m-1", use="tombstone")


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        (b'{"member_id":"m-000017","x":1}', True),
        (b"seen: m-000017, m-000018.", True),
        (b"seen: m-000017-tt1-99", False),
        (b"eu/m-000017", False),
        (b"m-000017@x.org", False),
        (b'{"member_id":"m-0000171"}', False),
        (b'{"member_id":"xm-000017"}', False),
        (b'{"member_id": 17}', True),
        (b'{"title_id": 17, "rows": 17}', False),
        (b'{"member_id": 171}', False),
        ('{"member_id": "m-000017"}'.encode("utf-16-le"), True),
        ('{"member_id": "m-000017"}'.encode("utf-16-be"), True),
        ("m-000017".encode("utf-16-le"), True),
        ('{"member_id": "m-0000171"}'.encode("utf-16-le"), False),
        ('{"member_id": "xm-000017"}'.encode("utf-16-be"), False),
    ],
)
def test_a_member_is_found_as_a_whole_word_or_in_a_member_id_field(text, is_named):
    assert TRACES.in_text(text) is is_named


def test_a_member_is_found_in_binary_data_unless_a_digit_follows():
    assert TRACES.in_bytes(b"m-000016m-000017m-000018")
    assert not TRACES.in_bytes(b"m-000016m-0000171")
    assert TRACES.in_bytes(b"\x01" + "m-000017".encode("utf-16-le"))
    assert not TRACES.in_bytes("m-0000171".encode("utf-16-le"))


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("m-000017", rb'{"member_id":"\u006d-000017"}'),
        ("zo\u00eb-17", rb'{"member_id": "zo\u00eb-17"}'),
        ("zo\u00eb-17", "zo\u00eb-17 came".encode()),
        ("zo\u00eb-17", b"<b>zo&euml;-17</b>"),
        ("zo\u00eb-17", b"zo&#235;-17"),
        ("eu/member-1", rb'{"member_id":"eu\/member-1"}'),
        ("two\nlines-1", rb'{"member_id":"two\nlines-1"}'),
        ('say "hi" 17', rb'{"member_id":"say \"hi\" 17"}'),
        ("a b c d", b"saw a b c d, again"),
        ("ends.here.", b"ends.here. came"),
        ("\U0001f600-smile", rb'{"member_id":"\ud83d\ude00-smile"}'),
        ("m-000017", "m-000017".encode("utf-32-le")),
    ],
)
def test_a_member_is_found_however_a_text_spells_the_id(member, text):
    assert Traces.of([member]).in_text(text)


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("two\nlines-1", b"two\nlines-12"),
        ("a b c d", b"aa b c d"),
        ("Comedy", rb'{"title_id":"tt1","genres":["Comedy-Drama"]}'),
    ],
)
def test_a_longer_id_is_another_member(member, text):
    assert not Traces.of([member]).in_text(text)


def test_rows_are_found_in_one_pass_as_one_by_one():
    ids = [f"m-{number:06}" for number in range(0, 300, 7)] + ["two words", "x.y."]
    lines = [b'{"member_id":"m-%06d","n":%d}\n' % (n % 400, n) for n in range(1000)]
    lines += [b"two words\n", b"x.y. z\n", b"m-000007-kids\n", b"tworwords\n"]
    traces = Traces.of(ids)
    ends = np.cumsum([0, *map(len, lines)])
    rows = traces.suspects(b"".join(lines), ends).tolist()
    found = [row for row in rows if traces.in_text(lines[row])]
    assert found == [row for row, line in enumerate(lines) if traces.in_text(line)]
    assert len(found) > 100


def test_values_that_follow_each_other_without_a_delimiter_are_tokens_of_their_own():
    assert Traces.of(["m-000017"]).suspects(b"m-000016m-000017x", np.array([0, 8, 16, 17])) == [1]


def test_the_forgotten_are_found_by_their_pseudonyms():
    names = {pseudonym(KEY, one, use="x") for one in ("m-000017", "two words", "zo\u00eb-17")}
    forgotten = Forgotten(lambda one: pseudonym(KEY, one, use="x") in names)
    for text in (rb'{"member_id":"m-000017"}', rb'{"member_id":"zo\u00eb-17"}', b"saw m-000017."):
        assert forgotten.in_text(text)
    assert forgotten.in_text(b'{"member_id": "two words"}')
    assert not forgotten.in_text(b'{"member_id":"m-000018"} m-000017-kids')
    assert forgotten.found == {"m-000017", "two words", "zo\u00eb-17"}


def test_json_loses_the_members_in_member_fields_and_nothing_else():
    document = {
        "samples": ["m-000017", "17", "m-000018"],
        "members": {"m-000017": {"taste": 1}, "m-000018": {}},
        "rows": [{"member_id": "m-000017"}, {"member_id": 17}, {"member_id": "m-000018"}],
        "last": {"memberId": "m-000017"},
        "why": "requested by m-000017",
        "m-000017": 1,
        "titles": 17,
    }
    others = {
        "samples": ["m-000018"],
        "members": {"m-000017": {"taste": 1}, "m-000018": {}},
        "rows": [{"member_id": "m-000018"}],
        "last": ERASED,
        "why": "requested by m-000017",
        "m-000017": 1,
        "titles": 17,
    }
    assert TRACES.without(document) == others
    keyed = TRACES.without(document, is_keyed=True)
    assert keyed == {**others, "members": {"m-000018": {}}}


@given(st.text(min_size=1, max_size=20), st.binary(max_size=40), st.binary(max_size=40))
def test_a_distinctive_id_between_spaces_is_always_found(member, before, after):
    traces = Traces.of([member])
    if traces.distinctive:
        assert traces.in_text(before + b" " + member.encode() + b" " + after)
        assert traces.in_bytes(before + b"\0" + member.encode() + b"\0\1" + after)
