"""A receipt is true: each store and kind of file is searched, and what cannot be is named."""

import gzip
import io
import os
import shutil
import sqlite3
import zlib
from contextlib import closing
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, orc

from matinee import landing, warehouse
from matinee.errors import IntegrityError
from matinee.privacy import Traces
from matinee.rights import control, erase, member_search
from tests.attacks import homes
from tests.attacks.homes import DAY, LEAVER, STAYER, lines, play

TRACES = Traces.of([LEAVER])
UMLAUT = "zo\u00eb-000017"


def packed(write, table):
    sink = io.BytesIO()
    write(table, sink)
    return sink.getvalue()


def parquet(column, name="member_id"):
    """A file without the id among its bytes: deflated, and without statistics."""
    write = partial(pq.write_table, compression="gzip", write_statistics=False)
    return packed(write, pa.table({name: column}))


def named_gzip(content, name):
    sink = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=sink, mtime=0) as file:
        file.write(content)
    return sink.getvalue()


def database(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table t (member_id text)")
        connection.executemany("insert into t values (?)", [(LEAVER,)] * 500)
    return path.read_bytes()


ROW = b'{"member_id": "m-000017"}\n'
TEXT = pa.string()
ROWS = {
    "category.parquet": parquet(pa.array([LEAVER, STAYER]).dictionary_encode()),
    "struct.parquet": parquet(pa.array([{"member_id": LEAVER}]), "who"),
    "large_list.parquet": parquet(pa.array([[STAYER, LEAVER]], pa.large_list(TEXT))),
    "fixed_list.parquet": parquet(pa.array([[STAYER, LEAVER]], pa.list_(TEXT, 2))),
    "map.parquet": parquet(pa.array([[("member_id", LEAVER)]], pa.map_(TEXT, TEXT)), "who"),
    "list_of_structs.parquet": parquet(pa.array([[{"memberId": LEAVER}]]), "who"),
    "bytes.parquet": parquet(pa.array([LEAVER.encode()], pa.large_binary())),
    "table.feather": packed(feather.write_feather, pa.table({"member_id": [LEAVER]})),
    "table.orc": packed(
        partial(orc.write_table, compression="zlib"), pa.table({"member_id": [LEAVER]})
    ),
    "deflated": zlib.compress(ROW),
    "twice.gz": gzip.compress(gzip.compress(ROW)),
    "inner.jsonl.gz": gzip.compress(zlib.compress(ROW)),
    "wide.jsonl": ROW.decode().encode("utf-32"),
    "plain.txt": ROW,
    "nameless": ROW,
    "escaped.jsonl": rb'{"m\u0065mber_id": "\u006d-000017"}',
    "numbers.csv": b"title_id;member_id\nt1;m-000017\n",
    "table.parquet.gz": gzip.compress(parquet(pa.array([LEAVER]))),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_member_is_found_in_a_file_of_every_kind(tmp_path, name):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / name).write_bytes(ROWS[name])
    assert member_search.search(tmp_path, TRACES) == {f"reports/{name}": 1}
    for other in ("m-0000171", "xm-000017", "m-000017-kids"):
        assert member_search.examine(tmp_path, Traces.of([other])).found == {}


def test_a_category_that_no_row_has_any_more_is_found_and_erased(tmp_path):
    column = pa.DictionaryArray.from_arrays([0, 0], [STAYER, LEAVER])
    (tmp_path / "a").mkdir()
    path = tmp_path / "a/c.parquet"
    path.write_bytes(parquet(column))
    if LEAVER in pq.read_table(path)["member_id"].chunk(0).dictionary.to_pylist():
        assert member_search.search(tmp_path, TRACES) == {"a/c.parquet": 1}
    landing.filter_parquet(path, tmp_path / "a/d.parquet", TRACES)
    left = pq.read_table(tmp_path / "a/d.parquet")["member_id"]
    assert left.chunk(0).dictionary.to_pylist() == [STAYER]
    assert left.to_pylist() == [STAYER] * 2


@pytest.mark.parametrize(
    ("name", "content", "member"),
    [
        ("a.jsonl.gz", named_gzip(b"{}\n", "m-000017.jsonl"), LEAVER),
        ("page.html", b"<b>zo&euml;-000017</b>", UMLAUT),
        ("page.md", b"seen m-000017.", LEAVER),
        ("run.log", rb'{"seen": "zo\u00eb-000017"}', UMLAUT),
        ("raw.npy", b"\x93NUMPYm-000016m-000017", LEAVER),
        ("m-000017.json", b"{}", LEAVER),
        ("notes.parquet", parquet(pa.array(["from m-000017, by mail"]), "note"), LEAVER),
    ],
)
def test_a_mention_is_reported_and_no_row(tmp_path, name, content, member):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / name).write_bytes(content)
    searched = member_search.examine(tmp_path, Traces.of([member]))
    assert (searched.rows, searched.mentions) == ({}, {f"reports/{name}": 1})


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "zip", "cut gzip", "cut parquet", "deep"])
def test_what_cannot_be_searched_is_named_with_the_reason(tmp_path, kind):
    (tmp_path / "feast").mkdir()
    path = tmp_path / "feast/x"
    if kind == "sqlite":
        content = database(path)
        path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    elif kind == "duckdb":
        warehouse.plant(path, LEAVER)
        path.write_bytes(path.read_bytes()[:4096] + bytes(9000))
    elif kind == "zip":
        path.write_bytes(b"PK\x03\x04")
    elif kind == "cut gzip":
        path.write_bytes(gzip.compress(ROW * 1000)[:-9])
    elif kind == "cut parquet":
        path.write_bytes(ROWS["bytes.parquet"][:-9])
    else:
        content = ROW
        for _ in range(6):
            content = gzip.compress(content)
        path.write_bytes(content)
    searched = member_search.examine(tmp_path, TRACES)
    assert searched.reasons.keys() == {"feast/x"}
    with pytest.raises(IntegrityError, match=r"feast/x cannot be searched, for it(s| is)"):
        erase._require_complete(searched, [], [])


def test_json_lines_in_a_file_named_json_are_cleaned_line_by_line(tmp_path):
    zone = homes.zone(tmp_path)
    others = lines([play(1, STAYER), play(3, "m-000018-kids")])
    path = zone.land("plays", "export.json", lines([play(2, LEAVER)]) + others)
    name = f"landing/{DAY}/export.json"
    assert member_search.search(zone.home, TRACES) == {name: 1}
    with erase.durable.drafts(zone.home) as drafts:
        erase._clean(zone.home, name, TRACES, drafts)
    assert path.read_bytes() == others
    assert member_search.search(zone.home, TRACES) == {}
    (warning,) = zone.receive().warnings
    assert "export.json" in warning


# ---------- links


@pytest.fixture
def zone(tmp_path):
    zone = homes.zone(tmp_path)
    zone.land("plays", "a.jsonl", lines([play(1, STAYER), play(2, LEAVER)]))
    return zone


@pytest.mark.parametrize("store", ["landing", "received", "releases"])
def test_a_store_on_another_disk_is_searched_and_has_its_control(zone, tmp_path, store):
    zone.receive()
    (zone.home / "releases").mkdir()
    (zone.home / "releases/x.jsonl").write_bytes(ROW)
    before = member_search.search(zone.home, TRACES)
    shutil.move(zone.home / store, tmp_path / "disk")
    (zone.home / store).symlink_to(tmp_path / "disk")
    assert member_search.search(zone.home, TRACES) == before
    assert store in member_search.by_store(before)
    with control.planted(zone.home, LEAVER) as planted:
        assert [name for name in planted if name.startswith(f"{store}/")]
        assert list((tmp_path / "disk").glob(f"{control.PREFIX}*"))
        assert set(planted) <= member_search.examine(zone.home, TRACES).found.keys()
    assert not list((tmp_path / "disk").glob(f"{control.PREFIX}*"))


@pytest.mark.parametrize("name", ["landing/plays", f"landing/{DAY}", f"landing/{DAY}/a.jsonl"])
def test_a_link_below_a_store_leaves_no_receipt(zone, tmp_path, name):
    shutil.move(zone.home / name, tmp_path / "disk")
    (zone.home / name).symlink_to(tmp_path / "disk")
    searched = member_search.examine(zone.home, TRACES)
    assert searched.reasons == {name: "it is a link: put what it leads to in its place"}
    message = f"{name} cannot be searched, for it is a link: put what it leads to in its place"
    with pytest.raises(IntegrityError, match=message):
        erase._require_complete(searched, [], [])


def test_links_of_keys_and_to_what_is_searched_anyway_are_no_obstacle(zone, tmp_path):
    (zone.home / "keys").mkdir()
    (zone.home / "keys/signing.pem").symlink_to(tmp_path / "elsewhere")
    (zone.home / "again").symlink_to(zone.home / "landing")
    (zone.home / "landing/same").symlink_to(zone.home / "landing/plays")
    assert member_search.examine(zone.home, TRACES).reasons == {}


def test_a_control_in_landing_follows_nothing_that_others_planted(zone, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (zone.home / "landing" / f"{control.PREFIX}0").symlink_to(outside)
    with control.planted(zone.home, LEAVER):
        assert not list(outside.iterdir())
    assert outside.is_dir()
    assert not list((zone.home / "landing").glob(f"{control.PREFIX}*"))
