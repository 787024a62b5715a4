"""CSV of every tool is read, and said how; or set aside with the true reason and a line."""

import gzip

import pytest

from matinee.landing.drift import renamed
from tests.landing.samples import encode

PLAY = {
    "event_id": "e1",
    "event_at": "2026-01-02T10:00:00Z",
    "received_at": "2026-01-02T10:00:01Z",
    "member_id": "m,1",
    "title_id": "t|1",
    "watched_seconds": "60",
}
NAMES = list(PLAY)


TWICE = [[*PLAY.values()]] * 2


def written(delimiter=",", names=NAMES, rows=TWICE, end="\n", tail="", quote='"'):
    def line(values):
        return delimiter.join(f"{quote}{value}{quote}" for value in values) + tail + end

    return line(names) + "".join(map(line, rows))


UPPER, CAMEL = [n.upper() for n in NAMES], [n.title().replace("_", " ") for n in NAMES]
READ = {
    "commas": (written(), []),
    "semicolons": (written(";"), ["is parted by semicolons"]),
    "tabs": (written("\t", quote=""), ["is parted by tabs"]),
    "bars": (written("|"), ["is parted by bars"]),
    "sep line": ("sep=;\n" + written(";"), ["is parted by semicolons"]),
    "sep line of another": ("sep=^\r\n" + written("^", end="\r\n"), ["is parted by ^"]),
    "quoted sep line": ('"sep=,"\n' + written(), []),
    "byte order mark": ("\ufeff" + written(";"), ["is parted by semicolons"]),
    "windows lines": (written(end="\r\n"), []),
    "trailing commas": (written(tail=",,"), []),
    "trailing commas of rows": (
        written(rows=()) + written(tail=",", names=[], rows=TWICE)[2:],
        [],
    ),
    "trailing commas of the header": (
        written(tail=",", rows=()) + written(names=[])[1:],
        [],
    ),
    "upper case": (written(names=UPPER), ["reads EVENT_ID as event_id"]),
    "camel case": (written(";", names=CAMEL), ["is parted by semicolons", "reads Event Id as"]),
    "spaces": (written(", "), ["has a space after each delimiter, which is left out"]),
    "empty lines first": ("\n\n" + written(), []),
    "empty lines between": (written(end="\n\n"), []),
}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_a_dialect_is_read_and_said(zone, kind, suffix):
    text, said = READ[kind]
    content = text.encode()
    zone.land("plays", f"p.{suffix}", gzip.compress(content) if "gz" in suffix else content)
    receipt = zone.receive()
    assert (receipt.set_aside, receipt.rules["plays"]) == ((), {})
    row = (PLAY["member_id"], PLAY["title_id"], 60)
    assert zone.rows("plays", "member_id, title_id, watched_seconds") == [row] * 2
    assert len(receipt.notes) == len(said)
    for note, start in zip(receipt.notes, said, strict=True):
        assert note.startswith(f"plays/dt=2026-01-02/p.{suffix} {start}")


ROWS = [f"e{n},2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,m{n},t1,60" for n in range(9)]
HEADER = ",".join(NAMES)


def with_row(number, row, rows=ROWS):
    return "\n".join([HEADER, *rows[:number], row, *rows[number + 1 :], ""]).encode()


STRAY = with_row(2, 'e2,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,"m2,t1,60')
SET_ASIDE = {
    "stray quotes": (
        STRAY.replace(b",m6,", b',m6",'),
        "a quote on line 4 takes the 4 lines after it into its field, where 6 fields are wanted",
        'e2,2026-01-02T10:00:00Z,2026-01-02T10:00:01Z,"m2,t1,60',
    ),
    "a stray quote of the next line": (
        STRAY.replace(b",m3,", b',m3",'),
        "a quote on line 4 takes the 1 lines after it into its field, where 6 fields are wanted",
        "e2,2026",
    ),
    "two stray quotes": (
        STRAY.replace(b",m6,", b',"m6,'),
        "a quote on line 4 takes the 4 lines after it into its field",
        "e2,2026",
    ),
    "a quote for good": (STRAY, "the record of line 4 opens a quote that never closes", "e2,2026"),
    "lone returns": (
        with_row(0, ROWS[0]).replace(b"\n", b"\r"),
        r"its lines end in \r alone: let them end in \n or \r\n",
        HEADER,
    ),
    "utf-16": (written("\t").encode("utf-16"), "it is UTF-16: save it as UTF-8", None),
    "excel": (b"PK\x03\x04\x14\0", "its bytes are those of a zip file or an Excel sheet", None),
    "packed": (gzip.compress(b"a,b"), "its bytes are those of gzip: let its name end in", None),
    "a delimiter of no kind": (
        HEADER.replace(",", "~").encode() + b"\nx\n",
        "it has no column event_id, which is required",
        HEADER.replace(",", "~")[:60],
    ),
    "no header": (
        "\n".join([*ROWS, ""]).encode(),
        "it has no column event_id, which is required",
        "2026-01-02T10:00:00Z, 2026-01-02T10:00:01Z, 60, e0, m0, t1",
    ),
    "a name twice": (
        f"{HEADER},MEMBER_ID\n".encode(),
        "its header has 'member_id' twice (as MEMBER_ID, member_id): leave one of them out",
        None,
    ),
}


@pytest.mark.parametrize("kind", SET_ASIDE)
def test_what_is_no_csv_is_set_aside_with_the_true_reason_and_a_line(zone, kind):
    content, reason, line = SET_ASIDE[kind]
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    zone.land("plays", "p.csv", content)
    receipt = zone.receive()
    (entry,) = receipt.set_aside
    assert entry.reason.startswith(reason)
    (said,) = (one for one in receipt.summary().splitlines() if one.startswith("quarantined"))
    assert ("; the line is " in said) == (line is not None)
    assert (line or "") in said
    # A line may name a member, and the ledger is kept.
    assert "2026-01-02T10" not in (zone.home / "received/ledger.jsonl").read_text()
    assert len(zone.rows("plays")) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encode([PLAY] * 2, "jsonl").replace(b"\n", b"\r"), r"its lines end in \r alone"),
        (b"[" + encode([PLAY], "jsonl").strip() + b"]\n", "it is one JSON array: write one object"),
        (b"[\r\n" + encode([PLAY], "jsonl") + b"]\n", "it is one JSON array: write one object"),
        (encode([PLAY], "parquet"), "its bytes are those of Parquet: let its name end in .parquet"),
    ],
)
def test_json_lines_that_are_none_are_set_aside_with_the_true_reason(zone, content, reason):
    zone.land("plays", "good.jsonl", encode([PLAY], "jsonl"))
    zone.land("plays", "p.jsonl", content)
    (entry,) = zone.receive().set_aside
    assert entry.reason.startswith(reason)


def test_a_quote_out_of_place_costs_its_own_row_and_no_other(zone):
    row = ROWS[3].replace("m3", '"m"3"')
    zone.land("plays", "p.csv", with_row(3, row))
    assert zone.receive().rules["plays"] == {"unreadable_line": 1}
    assert zone.rows("rejected_plays", "line, raw_text") == [(5, row)]
    assert len(zone.rows("plays")) == len(ROWS) - 1


def test_what_a_member_wrote_never_sets_a_file_aside(zone):
    zone.land("plays", "p.csv", written().encode())
    names = [*NAMES[:4], "query_text"]
    rows = [[*ROWS[0].split(",")[:4], text] for text in ("a,b\nc,d,e,f", "two\nlines", 'a "b"\n",')]
    zone.land("searches", "s.csv", encode([dict(zip(names, r, strict=True)) for r in rows], "csv"))
    receipt = zone.receive()
    assert (receipt.set_aside, receipt.rules["searches"]) == ((), {"unreadable_line": 1})
    assert len(zone.rows("searches")) == 2


@pytest.mark.parametrize(
    ("column", "unknown", "closest"),
    [
        ("member_id", ["user_id", "session_id"], "user_id"),
        ("member_id", ["profileId"], "profileId"),
        ("member_id", ["member_id_new", "id"], "member_id_new"),
        ("member_id", ["meber_id"], "meber_id"),
        ("title_id", ["movie_id", "rating"], "movie_id"),
        ("event_at", ["event_timestamp"], "event_timestamp"),
        ("received_at", ["ingested_at"], "ingested_at"),
        ("member_id", ["session_id", "device_type", "title_name"], None),
        ("event_at", ["created", "received"], None),
        ("title_id", [], None),
    ],
)
def test_a_hint_names_a_column_that_may_be_the_missing_one_or_none(column, unknown, closest):
    assert renamed(column, unknown) == closest
