"""An erasure takes rows whose member column equals the id, and no other row."""

import csv
import io

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import landing, warehouse
from matinee.privacy import Traces
from matinee.rights import erase, member_search
from tests.attacks import homes
from tests.attacks.homes import lines, play

CATALOGUE = lines(
    [
        {
            "title_id": f"t{n}",
            "name": "Comedy",
            "title_kind": "movie",
            "genres": ["Comedy", "titles"],
        }
        for n in (1, 2)
    ]
)
OTHERS = ("m-000001-kids", "eu/m-000001", "m-000001@x.org", "xm-000001", "m-0000012", "M-000001")


def erased(zone, *members):
    homes.erase(zone, *members)
    return sorted(one for (one,) in zone.rows("plays", "member_id"))


@pytest.mark.parametrize("word", ["Comedy", "titles", "t1", "movie"])
def test_a_word_of_the_catalogue_takes_nothing_from_it(tmp_path, word):
    zone = homes.zone(tmp_path)
    catalogue = zone.land("titles", "c.jsonl", CATALOGUE)
    zone.land("plays", "a.jsonl", lines([play(1, word), play(2, "m-1")]))
    zone.receive()
    (zone.home / "reports").mkdir()
    report = zone.home / "reports/r.json"
    report.write_text('{"titles": {"Comedy": 1, "t1": 2, "movie": "titles"}}')
    before = zone.rows("titles"), catalogue.read_bytes(), report.read_bytes()
    assert erased(zone, word) == ["m-1"]
    with erase.durable.drafts(zone.home) as drafts:
        for name in ("reports/r.json", "landing/titles/dt=2026-01-02/c.jsonl"):
            erase._clean(zone.home, name, Traces.of([word]), drafts)
    assert (zone.rows("titles"), catalogue.read_bytes(), report.read_bytes()) == before
    assert member_search.search(zone.home, Traces.of([word])) == {}


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_ids_that_begin_or_end_like_the_member_stay(tmp_path, suffix):
    zone = homes.zone(tmp_path)
    rows = [play(n, one) for n, one in enumerate(("m-000001", *OTHERS))]
    if suffix == "jsonl":
        zone.land("plays", "a.jsonl", lines(rows))
    elif suffix == "csv":
        text = [",".join(map(str, one.values())) for one in rows]
        zone.land("plays", "a.csv", "\n".join([",".join(rows[0]), *text, ""]).encode())
    else:
        path = zone.land("plays", "a.parquet", b"")
        pq.write_table(pa.Table.from_pylist(rows), path)
    zone.receive()
    traces = Traces.of(["m-000001"])
    assert set(member_search.by_store(member_search.search(zone.home, traces)).values()) == {1}
    assert erased(zone, "m-000001") == sorted(OTHERS)
    assert member_search.examine(zone.home, traces).found == {}


@pytest.mark.parametrize("member", ["m\n1", 'say "m"', "a, b", "4711", "x;y", " padded ", "\u00eb"])
@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_an_id_of_any_characters_is_found_and_erased(tmp_path, member, format):
    zone = homes.zone(tmp_path)
    rows = [play(1, member), play(2, "m-2") | {"watched_seconds": 4711}]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    content = lines(rows) if format == "jsonl" else text.getvalue().encode()
    zone.land("plays", f"a.{format}", content)
    zone.receive()
    assert len(zone.rows("plays", "member_id")) == 2
    traces = Traces.of([member])
    found = member_search.search(zone.home, traces)
    assert member_search.by_store(found) == {"landing": 1, "received": 1}
    assert erased(zone, member) == ["m-2"]
    assert member_search.search(zone.home, traces) == {}
    landing.tombstones.add(zone.home, traces.ids, homes.AT)
    zone.land(
        "plays", f"again.{format}", (zone.home / "landing" / homes.DAY / f"a.{format}").read_bytes()
    )
    assert zone.receive().set_aside == ()


def test_a_query_that_quotes_the_member_stays_with_whoever_typed_it_and_is_reported(tmp_path):
    zone = homes.zone(tmp_path)
    typed = play(1, "m-2") | {"query_text": "from m-000001 please"}
    del typed["title_id"], typed["watched_seconds"]
    zone.land("searches", "s.jsonl", lines([typed]))
    zone.receive()
    before = zone.rows("searches")
    assert erased(zone, "m-000001") == []
    assert zone.rows("searches") == before
    searched = member_search.examine(zone.home, Traces.of(["m-000001"]))
    assert searched.rows == {}
    assert member_search.by_store(searched.mentions) == {"landing": 1, "received": 1}


def test_rejected_rows_go_by_their_member_column_too(tmp_path):
    zone = homes.zone(tmp_path)
    header = b"event_id,event_at,received_at,member_id,title_id,watched_seconds\n"
    bad = [b"e1,never,x,4711,t1,60\n", b"e2,never,x,4712,t1,4711\n", b"e3,never,4711\n"]
    zone.land("plays", "a.csv", header + b"".join(bad))
    zone.land("plays", "b.jsonl", lines([play(4, "4711") | {"event_at": "never"}]))
    zone.receive()
    homes.erase(zone, "4711")
    left = [text for (text,) in zone.rows("rejected_plays", "raw_text")]
    assert left == [bad[1].decode().strip()]


def test_a_warehouse_loses_rows_by_their_member_column_only(tmp_path):
    home = tmp_path / "home"
    (home / "warehouse").mkdir(parents=True)
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute("create table titles as select 'Comedy' as genre, 't1' as title_id")
        connection.execute("create table plays (member_id varchar, title_id varchar)")
        rows = [(one, "t1") for one in ("Comedy", "m-000001", *OTHERS)]
        connection.executemany("insert into plays values (?, ?)", rows)
        connection.execute("create table numbers as select 4711 as member_id, 4711 as n")
    wanted = Traces.of(["Comedy", "m-000001", "4711", "t1"])
    assert warehouse.search(warehouse.path(home), wanted) == {"numbers": 1, "plays": 2}
    warehouse.erase(home, wanted)
    assert warehouse.search(warehouse.path(home), wanted) == {}
    assert warehouse.table("titles", home=home).num_rows == 1
    assert warehouse.table("plays", home=home)["member_id"].to_pylist() == sorted(OTHERS)
