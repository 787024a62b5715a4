"""Hostile text in every text column of every stream: a value in each format, or refused in each."""

import pytest

from matinee import landing
from matinee.errors import printable
from tests.landing.conftest import ROOT, Zone
from tests.landing.samples import FORMATS, HOSTILE, MISSING, as_kept, encode, good_row, is_text

pytestmark = pytest.mark.attack

STREAMS = landing.load(ROOT).streams
TOO_LONG = {"too long": "x" * 65_537}
HALVES = {"high half": "x\ud800", "low half": "\udfffx"}
"""Half a surrogate pair: an escape in JSON, bytes that are not UTF-8 in CSV and Parquet."""
LONGEST = 20_000_000


def rows_of(stream, texts):
    """(column, text, row) for each text column and each text."""
    for column in stream.columns:
        if column.data_type not in ("varchar", "varchar[]"):
            continue
        for text in texts:
            value = ["z", text] if column.data_type == "varchar[]" else text
            yield column, text, good_row(stream) | {column.name: value}


# With half a pair in it a file is read record by record, and without it at once.
FILES = {"whole": HOSTILE | MISSING | TOO_LONG, "halves": HOSTILE | HALVES}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """(format, stream, file) -> what became of each row in order: its values, or its rule."""
    found, receipts, around = {}, {}, tmp_path_factory.mktemp("hostile")
    for format in FORMATS:
        zone = Zone(around / format, landing.load(ROOT))
        (zone.home / "landing/titles/dt=2026-01-02/t.jsonl").unlink()
        for name, stream in STREAMS.items():
            for file, texts in FILES.items():
                rows = [row for _, _, row in rows_of(stream, texts.values())]
                zone.land(name, f"{file}.{format}", encode(rows, format))
        receipts[format] = zone.receive(accept_erasures=True)
        for name, stream in STREAMS.items():
            columns = ", ".join(f'"{column}"' for column in ("file", "line", *stream.names))
            lines = [(*row[:2], row[2:]) for row in zone.rows(name, columns)]
            lines += zone.rows(f"rejected_{name}", "file, line, rule")
            for file, _, outcome in sorted(lines, key=lambda one: one[:2]):
                stem = file.rpartition("/")[2].partition(".")[0]
                found.setdefault((format, name, stem), []).append(outcome)
    return found, receipts, around


def is_missing(column, text):
    return text in MISSING.values() and column.pii != "free_text"


def test_a_text_is_kept_as_it_is_in_every_format_or_refused_in_every_format(outcomes):
    found, _, _ = outcomes
    for name in STREAMS:
        for file in FILES:
            check_formats_agree(found, name, file)


def check_formats_agree(found, name, file):
    stream = STREAMS[name]
    sent = list(rows_of(stream, FILES[file].values()))
    became = [found[format, name, file] for format in FORMATS]
    assert [len(one) for one in became] == [len(sent)] * len(FORMATS)
    for (column, text, _), *outcome in zip(sent, *became, strict=True):
        case = (name, column.name, text[:20])
        if text in HALVES.values():
            assert outcome == ["unreadable_line", "invalid_utf8", "invalid_utf8"], case
        elif text in TOO_LONG.values():
            assert outcome == [f"field_too_long:{column.name}"] * len(FORMATS), case
        elif not is_text(column) and not is_missing(column, text):
            assert outcome == [f"not_allowed:{column.name}"] * len(FORMATS), case
        elif is_missing(column, text) and column.required:
            assert outcome == [f"missing_field:{column.name}"] * len(FORMATS), case
        else:
            # In CSV a bar parts a list, in a formula as well.
            values = [one[stream.names.index(column.name)] for one in outcome]
            bare = ["|".join(one) if isinstance(one, list) else one for one in values]
            kept = None if is_missing(column, text) else as_kept(stream, column.name, text)
            if column.data_type == "varchar[]":
                kept = "z" if kept is None else f"z|{kept}"
            assert bare == [kept] * len(FORMATS), case


def test_every_row_is_kept_or_rejected_and_the_ledger_says_so(outcomes):
    found, receipts, _ = outcomes
    for format, receipt in receipts.items():
        assert not receipt.set_aside
        for entry in receipt.files:
            stem = entry.file.rpartition("/")[2].partition(".")[0]
            became = found[format, entry.stream, stem]
            assert entry.rows == len(became)
            assert entry.rejected == sum(isinstance(one, str) for one in became)


WRITTEN = {".drafts", "keys", "landing", "privacy", "received"}
"""Folders of a home that a receipt writes to; `privacy` and `keys` for the index of members."""


def test_nothing_is_written_outside_the_home(outcomes):
    _, _, around = outcomes
    assert {path.name for path in around.iterdir()} == set(FORMATS)
    for format in FORMATS:
        assert {path.name for path in (around / format).iterdir()} <= WRITTEN


@pytest.mark.parametrize("format", FORMATS)
def test_twenty_megabytes_cost_their_own_row_and_no_other(zone, format):
    row = good_row(STREAMS["searches"])
    zone.land("plays", "p.jsonl", encode([good_row(STREAMS["plays"])], "jsonl"))
    rows = [row, row | {"query_text": "x" * LONGEST}, row]
    zone.land("searches", f"s.{format}", encode(rows, format))
    zone.receive()
    ((rule, size),) = zone.rows("rejected_searches", "rule, length(raw_text)")
    assert (rule, size) == ("field_too_long:query_text", 1 << 20)
    assert len(zone.rows("searches")) == 2


def test_the_same_list_is_as_long_in_every_format(zone):
    title = good_row(STREAMS["titles"])
    zone.land("plays", "p.jsonl", encode([good_row(STREAMS["plays"])], "jsonl"))
    rows = [title | {"genres": ["é" * 32_000, "xyz"]}, title | {"genres": ["x" * 65_530, "é" * 4]}]
    for format in FORMATS:  # in JSON an é may be six characters
        zone.land("titles", f"l.{format}", encode(rows, format))
    assert zone.receive().rules["titles"] == {"field_too_long:genres": 3}


def test_a_list_in_a_list_is_mistyped(zone):
    zone.land("plays", "p.jsonl", encode([good_row(STREAMS["plays"])], "jsonl"))
    zone.land(
        "titles", "n.jsonl", encode([good_row(STREAMS["titles"]) | {"genres": [["a"]]}], "jsonl")
    )
    assert zone.receive().rules["titles"] == {"mistyped_field:genres": 1}


def test_names_of_columns_are_shortened_to_one_line(zone):
    play = good_row(STREAMS["plays"])
    names = ["\x1b[2J", "a\nwarning: all is well", "y" * 3_000, *(f"z{n:03}" for n in range(100))]
    zone.land("plays", "p.jsonl", encode([play | {name: 1} for name in names], "jsonl"))
    receipt = zone.receive()
    file = "plays/dt=2026-01-02/p.jsonl"
    assert receipt.warnings[:3] == (
        rf"plays: unknown column \x1b[2J in {file}",
        rf"plays: unknown column a\nwarning: all is well in {file}",
        f"plays: unknown column {'y' * 200}… in {file}",
    )
    assert receipt.warnings[20:] == ("plays: 83 more unknown columns",)
    assert len(receipt.summary().splitlines()) == 1 + 21


def test_a_file_whose_lines_end_in_returns_alone_is_set_aside_with_the_reason(zone):
    zone.land("plays", "p.jsonl", encode([good_row(STREAMS["plays"])], "jsonl"))
    row = encode([good_row(STREAMS["searches"])], "csv")
    zone.land("searches", "s.csv", row.replace(b"\n", b"\r"))
    (entry,) = zone.receive().set_aside
    assert entry.reason == (
        r"its lines end in \r alone: let them end in \n or \r\n, as `tr '\r' '\n'` does"
    )


def test_a_printable_text_is_one_line_without_control_characters():
    assert [name for name, text in HOSTILE.items() if not printable(text).isprintable()] == []
