"""Pseudonyms, and the recognition of member ids in text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.privacy import ERASED, Traces, pseudonym

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
        (b"seen: m-000017-tt1-99", True),
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


def test_json_keeps_its_structure_without_the_members():
    document = {
        "samples": ["m-000017", "17", "m-000018"],
        "planted": {"m-000017": {"taste": 1}, "m-000018": {}},
        "rows": [{"member_id": "m-000017"}, {"member_id": 17}, {"member_id": "m-000018"}],
        "why": "requested by m-000017",
        "titles": 17,
    }
    assert TRACES.without(document) == {
        "samples": ["m-000018"],
        "planted": {"m-000018": {}},
        "rows": [{"member_id": "m-000018"}],
        "why": ERASED,
        "titles": 17,
    }


@given(st.text(min_size=1, max_size=20), st.binary(max_size=40), st.binary(max_size=40))
def test_a_distinctive_id_between_spaces_is_always_found(member, before, after):
    traces = Traces.of([member])
    if traces.distinctive:
        assert traces.in_text(before + b" " + member.encode() + b" " + after)
        assert traces.in_bytes(before + member.encode() + b"\0" + after)
