"""An instant is exact, or read as UTC and reported, or rejected by name; it is never guessed."""

import io
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.landing.samples import FORMATS, encode

PLAY = {
    "event_id": "e1",
    "event_at": "2026-06-15T12:00:00Z",
    "received_at": "2026-06-15T23:30:00Z",
    "member_id": "m1",
    "title_id": "t1",
    "watched_seconds": 60,
}
NOON = datetime.fromisoformat("2026-06-15T12:00:00")

EXACT = (
    "2026-06-15T12:00:00Z",
    "2026-06-15T12:00:00z",
    "2026-06-15t12:00:00Z",
    "2026-06-15 12:00:00 UTC",
    "2026-06-15 12:00:00 utc",
    "2026-06-15 12:00:00UTC",
    "2026-06-15 12:00:00+00",
    "2026-06-15T13:00:00+01:00",
    "2026-06-15T13:00:00+0100",
    "2026-06-15 13:00:00 +0100",
    "2026-06-15 13:00:00 +01:00",
    "2026-06-15 12:00:00.000 Z",
    "2026-06-15T12:00:00.000000Z",
    "2026-06-15T12:00:00.0000001Z",
    "2026-06-15T17:30:00.000+05:30",
    "2026-06-15T08:30:00-03:30",
    "2026-06-15T12:00Z",
    "2026-06-15T12:00:00Z ",
)
NAIVE = ("2026-06-15T12:00:00", "2026-06-15 12:00:00.000", "2026-06-15 12:00")
ZONES = (
    *("BST", "CEST", "IST", "CST", "EDT", "EST", "GMT", "NZ", "Z[UTC]", "utc+2", "UTC+01:00"),
    *("Europe/Berlin", "Etc/GMT+5", "EST5EDT", "GMT+0100", "+02:00 Europe/Berlin"),
)
MISTYPED = (
    *("1781524800000", "1781524800", "20260615T120000Z", "Mon Jun 15 2026 12:00:00 GMT+0000"),
    *("6/15/2026 12:00", "15.06.2026 12:00", "2026-06-15T12:00:60Z", "2026-06-15T12:00:00,123Z"),
    *("2026-06-15T12:00:00+25:00", "2026-02-30T12:00:00Z", "infinity", "2026-W25-1"),
)


@pytest.mark.parametrize("format", FORMATS)
def test_offsets_z_and_utc_are_exact_and_every_name_of_a_zone_is_rejected(zone, format):
    zoned = [
        f"2026-06-15 12:00:00{seconds} {name}" for name in ZONES for seconds in ("", ".1234", ".12")
    ]
    times = [*EXACT, *NAIVE, *zoned, *MISTYPED]
    rows = [PLAY | {"event_at": text} for text in times]
    zone.land("plays", f"p.{format}", encode(rows, format))
    receipt = zone.receive()
    assert zone.rows("plays", "event_at") == [(NOON,)] * len((*EXACT, *NAIVE))
    assert receipt.rules["plays"] == {
        "mistyped_field:event_at": len(MISTYPED),
        "zone_name:event_at": len(zoned),
    }
    assert receipt.notes == (
        f"plays: {len(NAIVE)} rows have a time without an offset, read as UTC:"
        f" plays/dt=2026-01-02/p.{format}",
    )
    assert "rows break zone_name:event_at, the first '2026-06-15 12:00:00 BST' in" in (
        receipt.summary()
    )


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"event_at": "2262-04-12T00:00:00Z"}, "out_of_range:event_at"),
        ({"event_at": "9999-12-31 23:59:59+00"}, "out_of_range:event_at"),
        ({"event_at": "1970-01-01T00:00:05Z"}, "clock_in_1970:event_at"),
        ({"event_at": "1970-01-21T14:52:04Z"}, "clock_in_1970:event_at"),
        ({"event_at": "1969-12-31T23:59:59Z"}, "before_service"),
        ({"watched_seconds": 2**63}, "out_of_range:watched_seconds"),
        ({"watched_seconds": "1e300"}, "out_of_range:watched_seconds"),
        ({"utc_offset_minutes": -(2**64)}, "out_of_range:utc_offset_minutes"),
    ],
)
def test_what_is_out_of_any_range_is_rejected_by_name(zone, format, change, rule):
    zone.land("plays", f"p.{format}", encode([PLAY, PLAY | change], format))
    assert zone.receive().rules["plays"] == {rule: 1}


def parquet(column, **options):
    rows = len(column)
    table = pa.table({name: [value] * rows for name, value in PLAY.items() if name != "event_at"})
    sink = io.BytesIO()
    pq.write_table(table.append_column("event_at", column), sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("column", "options"),
    [
        *(
            (pa.array([NOON, datetime(9999, 12, 31)], pa.timestamp(unit, zone)), {})  # noqa: DTZ001
            for unit in ("s", "ms", "us")
            for zone in ("UTC", "Europe/Berlin", None)
        ),
        (
            pa.array([NOON, datetime(9999, 12, 31)], pa.timestamp("us")),  # noqa: DTZ001
            {"use_deprecated_int96_timestamps": True},
        ),
        (pa.array([1781524800000, 2**62], pa.int64()).cast(pa.timestamp("ms")), {}),
        (pa.array([1781524800000, -(2**62)], pa.int64()).cast(pa.timestamp("ms", "UTC")), {}),
    ],
    ids=lambda value: str(getattr(value, "type", value or "")),
)
def test_an_instant_of_parquet_is_utc_and_overflows_into_no_other_year(zone, column, options):
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    zone.land("plays", "p.parquet", parquet(column, **options))
    receipt = zone.receive()
    (rule,) = receipt.rules["plays"]
    assert rule in ("out_of_range:event_at", "before_service")
    assert zone.rows("plays", "event_at") == [(NOON,), (NOON,)]
    assert receipt.notes == ()


def test_a_date_of_parquet_is_midnight_and_reported(zone):
    zone.land("plays", "p.parquet", parquet(pa.array([date(2026, 6, 15)])))
    assert "1 rows have a time without an offset" in zone.receive().notes[0]
    assert zone.rows("plays", "event_at::date, hour(event_at)") == [(date(2026, 6, 15), 0)]
