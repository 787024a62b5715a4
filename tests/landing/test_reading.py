"""Every record is counted under its line, kept or rejected: for any bytes, in any cut."""

import io
import json
import shutil
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matinee import landing
from matinee.landing import read
from tests.landing.samples import PLAY

HEADER = ",".join(PLAY)
CSV_ROW = ",".join(map(str, PLAY.values()))


def jsonl(*changes):
    return "".join(json.dumps(PLAY | change) + "\n" for change in changes or ({},)).encode()


ENDINGS = st.sampled_from([b"\n", b"\r\n", b"\n\n"])
SOUP = st.one_of(
    st.binary(max_size=30),
    st.text(max_size=20).map(str.encode),
    st.dictionaries(st.sampled_from([*PLAY, "other"]), st.one_of(st.none(), st.text(), st.floats()))
    .map(json.dumps)
    .map(str.encode),
    st.just(jsonl()[:-1]),
)
LAW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def received(contract, tmp_path):
    """How many rows a file of plays is received as: counted, kept and rejected Parquet rows."""

    from matinee.landing.intake import take_in
    from matinee.landing.received import connection as connect

    def receive(name, content):
        shutil.rmtree(tmp_path / "received", ignore_errors=True)
        path = tmp_path / name
        path.write_bytes(content)
        file = read.LandingFile(path, name, "plays", date(2026, 1, 2), name.split(".")[1])
        folders = [tmp_path / "received" / kind for kind in ("kept", "rejected")]
        intake = take_in(database, contract.streams["plays"], [file], *folders)
        tables = [
            pq.read_table(folder) if folder.exists() else pa.table({"line": []})
            for folder in folders
        ]
        lines = sorted(line for table in tables for line in table["line"].to_pylist())
        return intake, lines

    with connect(tmp_path, 1, "1GB") as database:  # one for all examples: each costs more
        yield receive


@LAW
@given(st.lists(st.tuples(SOUP.map(lambda line: line.replace(b"\n", b"")), ENDINGS)))
def test_every_line_of_any_bytes_is_kept_or_rejected_under_its_number(received, soup):
    content = b"".join(line + ending for line, ending in soup)
    # A byte order mark is no part of the first line.
    split = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    expected = [number for number, line in enumerate(split, 1) if line not in (b"", b"\r")]
    intake, lines = received("soup.jsonl", content)
    if intake.torn:
        (reason,) = intake.torn.values()
        whole = (
            "it is empty",
            "it has no column",
            "its bytes are those of",
            "it is one JSON array",
        )
        assert reason.startswith(whole)
    else:
        assert lines == expected
        assert intake.rows.total() == len(expected)
        assert intake.rejected.total() == intake.rules.total()


@LAW
@given(st.lists(st.lists(st.text(alphabet='ab"\n,|\r \u00e9', max_size=6), min_size=6, max_size=6)))
def test_every_record_of_any_csv_is_kept_or_rejected_under_its_line(received, rows):
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    expected, line = [], 2
    for row in rows:
        before = text.tell()
        writer.writerow(row)
        text.seek(before)
        written = text.read()
        expected.append(line)
        line += written.count("\n")
    intake, lines = received("soup.csv", (HEADER + "\n" + text.getvalue()).encode())
    assert not intake.torn
    assert lines == expected


@pytest.mark.parametrize("block", [1, 7, 64])
@pytest.mark.parametrize("name", ["f.jsonl", "f.csv"])
def test_where_blocks_are_cut_makes_no_difference(received, monkeypatch, block, name):
    rows = [b'5,"a\nb""c",2,,x' + bytes([i]) + b"\xc3\xa9,1" for i in range(60, 90)]
    content = (HEADER.encode() + b"\n" if name == "f.csv" else b"") + b"\n\n".join(rows)
    whole, lines = received(name, content)
    monkeypatch.setattr(read, "BLOCK_BYTES", block)
    cut, cut_lines = received(name, content)
    assert (cut.rows, cut.rules, cut_lines) == (whole.rows, whole.rules, lines)


def test_chunks_of_any_size_give_the_same_rows_in_more_files(zone, monkeypatch):
    zone.land("plays", "a.jsonl", jsonl(*({"event_id": str(i)} for i in range(300))))
    monkeypatch.setattr(read, "BLOCK_BYTES", 4096)
    monkeypatch.setattr("matinee.landing.intake.CHUNK_BYTES", 8192)
    receipt = zone.receive()
    assert receipt.totals["plays"] == landing.Totals(300, 300, 0)
    assert zone.rows("plays", "line, event_id") == [(i + 1, str(i)) for i in range(300)]
    assert len(list((zone.home / "received/plays/batch=000001").iterdir())) > 5


def test_csv_lines_survive_quoted_newlines_stray_quotes_and_short_rows(zone):
    rows = [CSV_ROW.replace("m1", '"m\n1"'), CSV_ROW, "too,short", '12" m1,x', CSV_ROW]
    zone.land("plays", "f.csv", "\r\n".join(["\ufeff" + HEADER, *rows]).encode())
    zone.receive()
    assert zone.rows("plays", "line, member_id") == [(2, "m\n1"), (4, "m1"), (7, "m1")]
    assert zone.rows("rejected_plays", "line, rule, raw_text") == [
        (5, "unreadable_line", "too,short"),
        (6, "unreadable_line", '12" m1,x'),
    ]


def test_a_quote_inside_an_unquoted_field_is_a_character(zone):
    zone.land("plays", "f.csv", f"{HEADER}\n{CSV_ROW.replace('m1', '12' + chr(34))}\n".encode())
    zone.receive()
    assert zone.rows("plays", "line, member_id") == [(2, '12"')]


def test_invalid_utf8_costs_only_its_own_row(zone):
    bad = CSV_ROW.encode().replace(b"m1", b"\xff")
    zone.land("plays", "f.csv", b"\n".join([HEADER.encode(), CSV_ROW.encode(), bad]))
    schema = pa.schema([(name, pa.binary()) for name in PLAY])
    rows = [{name: str(value).encode() for name, value in PLAY.items()} for _ in range(2)]
    rows[0]["member_id"] = b"\xff"
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    zone.land("plays", "g.parquet", sink.getvalue())
    zone.receive()
    assert [row[:2] for row in zone.rows("rejected_plays", "line, rule, raw_text")] == [
        (3, "invalid_utf8"),
        (1, "invalid_utf8"),
    ]
    assert all("\ufffd" in row[0] for row in zone.rows("rejected_plays", "raw_text"))
    assert zone.rows("plays", "line") == [(2,), (2,)]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.binary()),
        pa.large_list(pa.binary()),
        pa.list_(pa.large_binary()),
        pa.list_(pa.binary(), 2),
        pa.list_(pa.dictionary(pa.int32(), pa.binary())),
    ],
    ids=str,
)
def test_invalid_utf8_in_a_list_of_bytes_costs_only_its_own_row(zone, kind):
    zone.land("plays", "f.csv", f"{HEADER}\n{CSV_ROW}\n".encode())
    title = {"title_kind": "movie", "released_on": "2020-01-01"}
    genres = pa.array([[b"Crime", b"\xff"], [b"Drama", b"War"], None], kind)
    rows = [title | {"title_id": f"t-{n}", "name": "Heat"} for n in range(3)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows).append_column("genres", genres), sink)
    zone.land("titles", "bytes.parquet", sink.getvalue())
    zone.receive()
    assert zone.rows("rejected_titles", "line, rule") == [(1, "invalid_utf8")]
    kept = [row for row in zone.rows("titles", "title_id, genres") if row[0] != "t1"]
    assert kept == [("t-1", ["Drama", "War"]), ("t-2", None)]
