"""Files with other names: the mapping that is proposed, what it rejects, and what lands."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import pipeline
from matinee.errors import ConfigError, DataError
from matinee.landing.importers import mapping
from matinee.settings import Settings

CSV = """\
user,movie,ts,Duration,note
ada,Heat,1767225600000,00:12:34,x
ben,Alien,1767312000000,1:30:00,y
,Alien,1767312000000,00:00:10,z
cyd,Up,oops,00:10:00,
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(CSV)
    return path


def test_names_times_and_clocks_of_a_file_are_recognised(file, contract):
    found = mapping.propose(file, contract, "plays")
    assert found.columns == {
        "event_id": ("", "row_hash"),
        "event_at": ("ts", "epoch_milliseconds"),
        "received_at": ("ts", "epoch_milliseconds"),
        "member_id": ("user", "text"),
        "title_id": ("movie", "text"),
        "watched_seconds": ("Duration", "clock"),
    }
    assert (found.unused, found.missing) == (("note",), ())
    first = mapping.apply(file, found, contract).to_pylist()[0]
    assert first["event_at"] == datetime(2026, 1, 1)  # noqa: DTZ001
    assert first["watched_seconds"] == 754


@pytest.mark.parametrize(
    ("columns", "name", "how", "value"),
    [
        ({"started_at": ["2026-01-02T03:00:00+02:00"]}, "event_at", "timestamp", 1),
        ({"timestamp": ["1767225600"]}, "event_at", "epoch_seconds", 0),
        ({"watched_minutes": ["1.5"]}, "watched_seconds", "minutes", 90),
        ({"duration_ms": ["1500"]}, "watched_seconds", None, None),
        ({"watchtime": ["77"]}, "watched_seconds", "number", 77),
        ({"is_trailer": ["true"]}, "is_trailer", "boolean", True),
    ],
)
def test_a_conversion_follows_from_the_name_and_the_values(
    tmp_path, contract, columns, name, how, value
):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), path)
    found = mapping.propose(path, contract, "plays")
    assert found.columns.get(name, (None, None))[1] == how
    if how in ("minutes", "number", "boolean"):
        part = mapping.ColumnMapping("plays", {name: found.columns[name]})
        assert mapping.apply(path, part, contract)[name].to_pylist() == [value]


def test_the_preview_is_what_the_receive_step_says(file, contract):
    found = mapping.propose(file, contract, "plays")
    receipt = mapping.preview(file, found, contract, threads=1, memory_limit="1GB")
    assert dict(receipt.rules["plays"]) == {
        "missing_field:member_id": 1,
        "missing_field:event_at": 1,
    }


def test_a_mapping_lands_a_file_that_is_received_with_its_titles(tmp_path, file):
    settings = Settings(home=tmp_path / "home")
    found = pipeline.map_file(settings, file, stream="plays")
    (tmp_path / "own.yml").write_text(found.mapping.text())
    options = {"mapping": tmp_path / "own.yml", "landed_on": date(2026, 1, 3), "with_titles": True}
    paths = pipeline.land_mapped(settings, file, **options)
    assert [path.parent.parent.name for path in paths] == ["titles", "plays"]
    assert pipeline.land_mapped(settings, file, **options) == paths
    names = pq.ParquetFile(paths[1]).schema_arrow.names
    assert "member_id" in names
    assert "user" not in names


def test_titles_are_made_for_events_on_titles_only(tmp_path):
    (tmp_path / "own.csv").write_text("title_id,title,kind,release_year\nt1,Heat,movie,1995\n")
    settings = Settings(home=tmp_path / "home")
    found = pipeline.map_file(settings, tmp_path / "own.csv", stream="titles")
    (tmp_path / "own.yml").write_text(found.mapping.text())
    options = {"mapping": tmp_path / "own.yml", "landed_on": date(2026, 1, 3), "with_titles": True}
    with pytest.raises(ConfigError, match="--with-titles is for events on titles, not for titles"):
        pipeline.land_mapped(settings, tmp_path / "own.csv", **options)


def test_a_required_column_without_a_source_is_named_and_nothing_lands(tmp_path, contract):
    (tmp_path / "x.csv").write_text("user,movie\nada,Heat\n")
    found = mapping.propose(tmp_path / "x.csv", contract, "plays")
    assert found.missing == ("event_at", "received_at", "watched_seconds")
    with pytest.raises(DataError, match="plays needs event_at, received_at, watched_seconds"):
        mapping.apply(tmp_path / "x.csv", found, contract)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stream: plays\ncolumns: {x: {from: a, as: text}}", "plays has no column x"),
        ("stream: plays\ncolumns: {country: {from: a, as: sql}}", "is read as 'sql'; known are"),
        ("stream: movies\ncolumns: {}", "no stream 'movies': it is one of"),
        ("columns", "is no mapping"),
    ],
)
def test_a_wrong_mapping_is_refused(tmp_path, contract, text, message):
    (tmp_path / "m.yml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        mapping.read_mapping(tmp_path / "m.yml", contract)


def test_a_column_name_is_quoted_in_sql(tmp_path, contract):
    (tmp_path / "x.csv").write_text('"a"" from source; --"\nDE\n')
    found = mapping.ColumnMapping("plays", {"country": ('a" from source; --', "text")})
    assert mapping.apply(tmp_path / "x.csv", found, contract)["country"].to_pylist() == ["DE"]
