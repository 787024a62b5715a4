"""Each rule of the contract, in each format a row can arrive in."""

import io
import json
from collections import Counter
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cases import failing
from tests.landing.samples import FORMATS, encode

ENVELOPE = {
    "event_id": "e1",
    "event_at": "2026-01-02T10:00:00Z",
    "received_at": "2026-01-02T10:00:01Z",
    "member_id": "m1",
}
PLAY = ENVELOPE | {"title_id": "t1", "watched_seconds": 60}
RATING = ENVELOPE | {"title_id": "t1", "rating_kind": "stars", "value": 7.5}
TITLE = {"title_id": "t1", "name": "Heat", "title_kind": "movie"}
MEMBER = {"member_id": "m1", "joined_on": "2026-01-01"}
WINDOW = {"title_id": "t1", "starts_on": "2026-01-01", "ends_on": "2026-02-01"}
BASE = {
    "plays": PLAY,
    "ratings": RATING,
    "titles": TITLE,
    "members": MEMBER,
    "title_windows": WINDOW,
}


def at(time):
    """An instant as received Parquet holds it: naive, UTC."""
    return datetime.fromisoformat(f"2026-01-02T{time}")


BROKEN = [
    ("plays", {"member_id": None}, "missing_field:member_id"),
    ("plays", {"member_id": ""}, "missing_field:member_id"),
    ("plays", {"watched_seconds": "long"}, "mistyped_field:watched_seconds"),
    ("plays", {"event_at": "yesterday"}, "mistyped_field:event_at"),
    ("plays", {"event_at": "infinity"}, "mistyped_field:event_at"),
    ("plays", {"event_at": "epoch"}, "mistyped_field:event_at"),
    ("plays", {"event_at": 1767348000}, "mistyped_field:event_at"),
    ("plays", {"event_at": "12026-01-02T10:00:00Z"}, "mistyped_field:event_at"),
    ("plays", {"is_autoplay": "perhaps"}, "mistyped_field:is_autoplay"),
    ("plays", {"utc_offset_minutes": "1.5"}, "mistyped_field:utc_offset_minutes"),
    ("plays", {"utc_offset_minutes": 841}, "out_of_range:utc_offset_minutes"),
    ("plays", {"watched_seconds": -1}, "out_of_range:watched_seconds"),
    ("plays", {"device": "toaster"}, "not_allowed:device"),
    ("plays", {"country": "gb"}, "not_allowed:country"),
    ("plays", {"event_at": "2026-01-02T10:05:01.000001Z"}, "event_after_receipt"),
    ("plays", {"event_at": "1989-12-31T23:59:59Z"}, "before_service"),
    ("plays", {"title_id": "x" * 65537}, "field_too_long:title_id"),
    ("ratings", {"value": "nan"}, "missing_field:value"),
    ("ratings", {"value": "inf"}, "mistyped_field:value"),
    ("ratings", {"value": 10.5}, "out_of_range:value"),
    ("ratings", {"value": -1}, "out_of_range:value"),
    ("ratings", {"rating_kind": "thumbs", "value": 7.5}, "not_allowed:value"),
    ("ratings", {"rating_kind": "hearts"}, "not_allowed:rating_kind"),
    ("titles", {"genres": ["x" * 40000, "y" * 40000]}, "field_too_long:genres"),
    ("titles", {"released_on": "next year"}, "mistyped_field:released_on"),
    ("members", {"joined_on": "1899-12-31"}, "before_service"),
    ("members", {"birth_year": 1492}, "out_of_range:birth_year"),
    ("title_windows", {"ends_on": None}, "missing_field:ends_on"),
]


def by_file(zone, table, columns):
    """file -> its rows in a received table, in the order of their lines."""
    found = {}
    for file, *row in zone.rows(table, f"file, {columns}"):
        found.setdefault(file, []).append(tuple(row))
    return found


@pytest.mark.parametrize("format", FORMATS)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_line_and_text(zone, format):
    """All cases land at once, each in a file of its own between two good rows."""
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    for number, (stream, change, _) in enumerate(BROKEN):
        good, bad = BASE[stream], BASE[stream] | change
        zone.land(stream, f"f{number}.{format}", encode([good, bad, good], format))

    receipt = zone.receive()

    rejected = {name: by_file(zone, f"rejected_{name}", "line, rule, raw_text") for name in BASE}
    kept = {name: by_file(zone, name, "line") for name in BASE}
    line = 3 if format == "csv" else 2  # the header of a CSV is a line

    def check(number, stream, change, rule):
        file = f"{stream}/dt=2026-01-02/f{number}.{format}"
        ((found_line, found_rule, text),) = rejected[stream][file]
        assert (found_line, found_rule) == (line, rule)
        assert next(iter((BASE[stream] | change).values())) in text
        assert not text.endswith("\n")
        assert kept[stream][file] == [(line - 1,), (line + 1,)]

    assert failing(check, [(number, *case) for number, case in enumerate(BROKEN)]) == []
    for name in BASE:
        assert receipt.rules[name] == Counter(rule for stream, _, rule in BROKEN if stream == name)


KEPT = [
    ("plays", {"event_at": "2026-01-02T12:00:00+02:00"}, "event_at", at("10:00:00")),
    ("plays", {"event_at": "2026-01-02T05:00:00-0500"}, "event_at", at("10:00:00")),
    ("plays", {"event_at": "2026-01-02 10:00:00"}, "event_at", at("10:00:00")),
    ("plays", {"event_at": "2026-01-02T10:05:01Z"}, "event_at", at("10:05:01")),
    ("plays", {"event_id": 1}, "event_id", "1"),
    ("plays", {"watched_seconds": "59.6"}, "watched_seconds", 60),
    ("plays", {"utc_offset_minutes": "-60.0"}, "utc_offset_minutes", -60),
    ("plays", {"is_autoplay": "true"}, "is_autoplay", True),
    ("plays", {"is_autoplay": "0"}, "is_autoplay", False),
    ("plays", {"device": ""}, "device", None),
    ("plays", {"title_id": "x" * 65536}, "length(title_id)", 65536),
    ("titles", {"name": "[REC]"}, "name", "[REC]"),
    ("titles", {"name": 'Two\nlines, "quoted"'}, "name", 'Two\nlines, "quoted"'),
    ("titles", {"name": "a\u2028b\x00c"}, "name", "a\u2028b\x00c"),
    ("titles", {"genres": ["Drama", "Film-Noir"]}, "genres", ["Drama", "Film-Noir"]),
    ("titles", {"released_on": "1896-01-25"}, "released_on", date(1896, 1, 25)),
    ("titles", {"ai_use": "none"}, "ai_use", "none"),
]


@pytest.mark.parametrize("format", FORMATS)
def test_a_row_that_keeps_the_contract_gets_its_types(zone, format):
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    for number, (stream, change, _, _) in enumerate(KEPT):
        zone.land(stream, f"f{number}.{format}", encode([BASE[stream] | change], format))
    assert not any(zone.receive().rules.values())
    found = {(stream, column): by_file(zone, stream, column) for stream, _, column, _ in KEPT}

    def check(number, stream, change, column, value):
        file = f"{stream}/dt=2026-01-02/f{number}.{format}"
        assert found[stream, column][file] == [(value,)]

    assert failing(check, [(number, *case) for number, case in enumerate(KEPT)]) == []


def test_typed_parquet_and_json_give_the_same_rows(zone, contract):
    rows = [
        RATING | {"event_at": datetime(2026, 1, 2, 10, tzinfo=UTC), "value": 8, "is_extra": True},
        RATING | {"event_at": datetime(2026, 1, 2, 11, tzinfo=UTC), "value": 2.5, "member_id": 7},
    ]
    for row in rows:
        row["received_at"] = row["event_at"]
    table = pa.table(
        {
            "event_id": pa.array(["e1", "e1"]).dictionary_encode(),
            "event_at": pa.array([row["event_at"] for row in rows], pa.timestamp("ns", "UTC")),
            "received_at": pa.array([row["event_at"] for row in rows], pa.timestamp("s", "UTC")),
            "member_id": pa.array(["m1", "7"], pa.large_string()),
            "title_id": pa.array([b"t1", b"t1"], pa.binary()),
            "rating_kind": ["stars", "stars"],
            "value": [8.0, 2.5],
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    zone.land("ratings", "a.parquet", sink.getvalue())
    text = "".join(json.dumps(row, default=datetime.isoformat) + "\n" for row in rows)
    zone.land("ratings", "b.jsonl", text.encode())

    receipt = zone.receive()

    assert receipt.rules["ratings"] == {}
    found = zone.rows("ratings", "line, event_at, received_at, member_id, title_id, value")
    assert found[:2] == found[2:]
    assert found[1][1:4] == (at("11:00:00"), at("11:00:00"), "7")
    (warning,) = receipt.warnings
    assert warning == "ratings: unknown column is_extra in ratings/dt=2026-01-02/b.jsonl"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"not json", "unreadable_line"),
        (b'{"event_id": "e1"', "unreadable_line"),
        (b"[1, 2]", "unreadable_line"),
        (b"17", "unreadable_line"),
        (b'{"event_id": "e1"} {"event_id": "e2"}', "unreadable_line"),
        (b'{"event_id": "\xff"}', "invalid_utf8"),
        (json.dumps(PLAY | {"member_id": ["m1"]}).encode(), "mistyped_field:member_id"),
        (json.dumps(PLAY | {"title_id": {"id": "t1"}}).encode(), "mistyped_field:title_id"),
    ],
)
def test_a_line_that_is_no_row_is_rejected_and_the_next_is_kept(zone, line, rule):
    good = json.dumps(PLAY).encode()
    zone.land("plays", "f.jsonl", b"\n\r\n" + line + b"\r\n\n" + good)
    receipt = zone.receive()
    text = line.decode(errors="replace")
    assert zone.rows("rejected_plays", "line, rule, raw_text") == [(3, rule, text)]
    assert zone.rows("plays", "line") == [(5,)]
    assert receipt.totals["plays"].received == 2


@pytest.mark.parametrize("genres", ['"Drama"', '[{"id": 18}]', "7", '{"a": 1}'])
def test_what_is_no_list_of_texts_is_mistyped(zone, genres):
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    line = json.dumps(TITLE)[:-1] + f', "genres": {genres}}}\n'
    zone.land("titles", "f.jsonl", line.encode())
    assert zone.receive().rules["titles"] == {"mistyped_field:genres": 1}


def test_an_empty_list_is_not_a_missing_one(zone):
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    zone.land("titles", "u.jsonl", encode([TITLE | {"genres": []}, TITLE], "jsonl"))
    schema = pa.schema([*((n, pa.string()) for n in TITLE), ("genres", pa.list_(pa.string()))])
    sink = io.BytesIO()
    rows = [TITLE | {"genres": []}, TITLE | {"genres": ["a", None, "b"]}]
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    zone.land("titles", "v.parquet", sink.getvalue())
    zone.receive()
    found = [row[1] for row in zone.rows("titles", "file, genres")]
    assert found == [None, [], None, [], ["a", "b"]]
