"""Schema drift: each column of each stream, missing, renamed or of another type, is named.

All files of a format land at once, beside one good file a stream that came the day before.
"""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing
from tests.cases import failing
from tests.landing.conftest import ROOT, Zone
from tests.landing.samples import good_row

# What a type turned into cannot be read as the old one; text and lists stand for one another only.
RETYPED = {
    "varchar": ["x1"],
    "bigint": "many",
    "double": "half",
    "boolean": "perhaps",
    "timestamp": 1767348000,
    "date": 20455,
    "varchar[]": {"a": 1},
}
KINDS = ("missing", "renamed", "retyped")
FORMATS = ("jsonl", "csv", "parquet")
TEXTS = ("varchar", "varchar[]")
"""In CSV everything is text: of such a column any value is one."""


def drifted(row, column, kind):
    row = dict(row)
    value = row.pop(column.name)
    if kind == "renamed":
        row[f"{column.name}_new"] = value
    elif kind == "retyped":
        row[column.name] = RETYPED[column.data_type]
    return row


def encoded(row, format):
    if format == "jsonl":
        return (json.dumps(row) + "\n").encode()
    if format == "csv":
        text = io.StringIO()
        cells = {name: "|".join(v) if isinstance(v, list) else v for name, v in row.items()}
        writer = csv.DictWriter(text, cells)
        writer.writeheader()
        writer.writerow(cells)
        return text.getvalue().encode()
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row]), sink)
    return sink.getvalue()


@pytest.fixture(scope="module", params=FORMATS)
def outcome(request, tmp_path_factory):
    """file -> what became of it, and all warnings: one receipt for every case of a format."""
    contract = landing.load(ROOT)
    zone = Zone(tmp_path_factory.mktemp("drift"), contract)
    (zone.home / "landing/titles/dt=2026-01-02/t.jsonl").unlink()  # it never had all columns
    format = request.param
    for name, stream in contract.streams.items():
        row = good_row(stream)
        zone.land(name, f"good.{format}", encoded(row, format), day="2026-01-02")
        new = encoded(row | {"never_heard_of": 1}, format)
        zone.land(name, f"new.{format}", new, day="2026-01-03")
        for column in stream.columns:
            for kind in KINDS:
                content = encoded(drifted(row, column, kind), format)
                zone.land(name, f"{column.name}-{kind}.{format}", content, day="2026-01-03")
    receipt = zone.receive()
    rules = {}
    for name in contract.streams:
        for file, rule in zone.rows(f"rejected_{name}", "file, rule"):
            rules[file] = rule
    return receipt, rules, format


STREAMS = landing.load(ROOT).streams
CASES = [
    (stream.name, column, kind)
    for stream in STREAMS.values()
    for column in stream.columns
    for kind in KINDS
]


def test_a_column_that_drifts_is_named(outcome):
    receipt, rules, format = outcome
    reasons = {entry.file: entry.reason for entry in receipt.set_aside}
    warnings = set(receipt.warnings)
    wrong = failing(lambda *case: check_is_named(warnings, rules, reasons, format, *case), CASES)
    assert wrong == []


def check_is_named(warnings, rules, reasons, format, stream, column, kind):
    file = f"{stream}/dt=2026-01-03/{column.name}-{kind}.{format}"
    reason = reasons.get(file)
    if kind == "retyped" and format == "csv" and column.data_type in TEXTS:
        assert reason is None
        assert (rules.get(file) or f"kept:{column.name}").endswith(f":{column.name}")
    elif kind == "retyped":
        # JSON may differ from line to line; a Parquet column is one thing for the whole file.
        assert rules.get(file) == f"mistyped_field:{column.name}" or (
            reason and f"its column {column.name} is" in reason
        )
    elif column.required:
        assert f"it has no column {column.name}, which is required" in reason
        if kind == "renamed":
            assert f"the closest column it has is {column.name}_new" in reason
    else:
        assert file not in rules
        assert reason is None
        assert any(
            said.startswith(f"{stream}: column {column.name}, which files before had, is missing")
            for said in warnings
        )
        if kind == "renamed":
            assert f"{stream}: unknown column {column.name}_new in {file}" in warnings


def test_a_good_row_is_kept_and_a_new_column_is_a_warning(outcome):
    receipt, rules, format = outcome
    taken = {entry.file: entry for entry in receipt.files}
    for stream in STREAMS:
        new = f"{stream}/dt=2026-01-03/new.{format}"
        assert f"{stream}: unknown column never_heard_of in {new}" in receipt.warnings
        for file in (new, f"{stream}/dt=2026-01-02/good.{format}"):
            assert (taken[file].kept, rules.get(file)) == (1, None)


def test_a_lost_column_is_reported_once_for_files_of_the_same_name(zone):
    row = good_row(STREAMS["plays"])
    short = {name: value for name, value in row.items() if name != "device"}
    zone.land("plays", "tv.jsonl", encoded(row, "jsonl"))
    zone.land("plays", "web.jsonl", encoded(short, "jsonl"))  # never had it
    assert zone.receive().warnings == ()
    zone.land("plays", "tv.jsonl", encoded(short, "jsonl"), day="2026-01-03")
    zone.land("plays", "web.jsonl", encoded(short, "jsonl"), day="2026-01-03")
    assert zone.receive().warnings == (
        "plays: column device, which files before had, is missing in plays/dt=2026-01-03/tv.jsonl",
    )
    zone.land("plays", "tv.jsonl", encoded(short, "jsonl"), day="2026-01-04")
    assert zone.receive().warnings == ()
