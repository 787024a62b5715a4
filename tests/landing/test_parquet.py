"""Parquet of every writer: an id is one text whatever its type, and no fault stops a night."""

import decimal
import io
import uuid
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee.landing.formats import parquet_tables
from tests.landing.samples import encode

RATING = {
    "event_id": ["e1", "e2"],
    "event_at": ["2026-01-02T10:00:00Z"] * 2,
    "received_at": ["2026-01-02T10:00:01Z"] * 2,
    "member_id": ["m1", "m2"],
    "title_id": ["21", "25"],
    "rating_kind": ["stars", "stars"],
    "value": [3, 9],
}
PLAY = {name: values[0] for name, values in RATING.items()} | {"watched_seconds": 60}
UUIDS = [uuid.UUID(int=n) for n in (7, 2**127)]


def decimals(*texts, digits=38, scale=9):
    values = [text and decimal.Decimal(text) for text in texts]
    return pa.array(values, pa.decimal128(digits, scale))


def parquet(columns, **options):
    sink = io.BytesIO()
    pq.write_table(pa.table(list(columns.values()), names=list(columns)), sink, **options)
    return sink.getvalue()


def numbers(kind):
    return pa.array([21, 25]).cast(kind)


IDS = {
    "decimal with a scale": decimals("21", "25"),
    "decimal": decimals("21", "25", digits=9, scale=0),
    "decimal 256": pa.array([decimal.Decimal(21), decimal.Decimal(25)], pa.decimal256(60, 3)),
    "double": numbers(pa.float64()),
    "float": numbers(pa.float32()),
    "half float": numbers(pa.float16()),
    "integer": numbers(pa.int8()),
    "unsigned": numbers(pa.uint64()),
    "bytes": pa.array([b"21", b"25"]),
    "fixed bytes": pa.array([b"21", b"25"], pa.binary(2)),
    "fixed bytes filled up": pa.array([b"21\0\0", b"25\0\0"], pa.binary(4)),
    "large text": pa.array(["21", "25"], pa.large_string()),
    "text view": pa.array(["21", "25"], pa.string_view()),
    "dictionary": pa.array(["21", "25"]).dictionary_encode(),
    "dictionary of decimals": pa.DictionaryArray.from_arrays(
        pa.array([0, 1]),
        decimals("21", "25"),
    ),
}


@pytest.mark.parametrize("kind", IDS)
def test_an_id_is_the_same_text_from_every_type(zone, kind):
    zone.land("ratings", "r.parquet", parquet(RATING | {"title_id": IDS[kind]}))
    receipt = zone.receive()
    assert (receipt.set_aside, receipt.rules["ratings"]) == ((), {})
    assert zone.rows("ratings", "title_id") == [("21",), ("25",)]


LARGE = [2**53 - 1, 10**15]


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([one.bytes for one in UUIDS], pa.uuid()), [str(one) for one in UUIDS]),
        (pa.array(LARGE).cast(pa.float64()), [str(one) for one in LARGE]),
        (pa.array([0.0, -1.0]), ["0", "-1"]),
        (
            decimals("0", "10"),
            ["0", "10"],
        ),
        (decimals("2.5", None), ["2.500000000", None]),
        (pa.array([float("nan"), 2.0]), [None, "2"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_an_id_is_what_people_call_it(zone, column, texts):
    zone.land("ratings", "r.parquet", parquet(RATING | {"title_id": column}))
    receipt = zone.receive()
    assert receipt.rules["ratings"] == ({"missing_field:title_id": 1} if None in texts else {})
    found = [row[0] for row in zone.rows("ratings", "title_id")]
    assert found == [text for text in texts if text is not None]


@pytest.mark.parametrize("spelt", ["EVENT_ID", "Event_Id", "eventId", "Event ID"])
def test_the_case_of_a_header_is_read_and_said(zone, spelt):
    columns = {spelt: RATING["event_id"]} | {k: v for k, v in RATING.items() if k != "event_id"}
    zone.land("ratings", "r.parquet", parquet(columns))
    receipt = zone.receive()
    assert receipt.notes == (f"ratings/dt=2026-01-02/r.parquet reads {spelt} as event_id",)
    assert zone.rows("ratings", "event_id") == [("e1",), ("e2",)]
    assert receipt.warnings == ()


def named_twice(name):
    table = pa.table(RATING).append_column(name, pa.array([1, 2]))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def damaged(place):
    content = bytearray(parquet({name: values * 500 for name, values in RATING.items()}))
    content[place] ^= 0xFF
    return bytes(content)


MAP = pa.map_(pa.string(), pa.int64())
FAULTS = {
    "a column twice": (named_twice("value"), "its header has 'value' twice"),
    "in another case": (
        named_twice("VALUE"),
        "its header has 'value' twice (as VALUE, value)",
    ),
    "a struct": (parquet(RATING | {"title_id": [{"a": 1}] * 2}), "its column title_id is struct"),
    "a map": (
        parquet(RATING | {"title_id": pa.array([[("a", 1)]] * 2, MAP)}),
        "its column title_id is map",
    ),
    "no file": (b"PAR1PAR1", "it is cut or not Parquet"),
    "a damaged page": (damaged(40), "its Parquet cannot be read"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_sets_its_file_aside_and_names_what_is_wrong(zone, kind):
    content, reason = FAULTS[kind]
    zone.land("ratings", "good.parquet", parquet(RATING))
    zone.land("ratings", "r.parquet", content)
    (entry,) = zone.receive().set_aside
    assert entry.file == "ratings/dt=2026-01-02/r.parquet"
    assert entry.reason.startswith(reason)
    assert len(zone.rows("ratings")) == 2


ERRORS = KeyError("x"), ValueError("x"), pa.ArrowNotImplementedError("x")


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("when", ["opening", "reading"])
def test_whatever_the_reader_raises_sets_its_file_aside(zone, monkeypatch, error, when):
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    zone.land("ratings", "r.parquet", parquet(RATING))

    def fail(*_, **__):
        raise error

    class Failing(pq.ParquetFile):
        iter_batches = fail

    reader = fail if when == "opening" else Failing
    monkeypatch.setattr(parquet_tables, "pq", SimpleNamespace(ParquetFile=reader))
    (entry,) = zone.receive().set_aside
    assert "x" in entry.reason
