import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.errors import DataError
from matinee.releases import digest
from tests.releases.samples import fill

TYPES = {
    "text": (pa.string(), st.text(max_size=4)),
    "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "real": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "flag": (pa.bool_(), st.booleans()),
    "day": (pa.date32(), st.dates()),
    "words": (pa.list_(pa.string()), st.lists(st.none() | st.text(max_size=3), max_size=3)),
    "numbers": (pa.list_(pa.float32()), st.lists(st.floats(width=32, allow_nan=False), max_size=3)),
    "pair": (
        pa.struct([("a", pa.int8()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": st.none() | st.integers(0, 9), "b": st.text(max_size=2)}),
    ),
}
SCHEMA = pa.schema([(name, kind) for name, (kind, _) in TYPES.items()])
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in TYPES.items()}),
    max_size=20,
)


def sha256_of(table, path, **options):
    pq.write_table(table, path, **options)
    return digest.table_sha256(path)[0]


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, group=st.integers(1, 7))
def test_the_hash_does_not_depend_on_the_encoding(tmp_path_factory, rows, group):
    folder = tmp_path_factory.mktemp("digest")
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    plain = sha256_of(table, folder / "a.parquet", use_dictionary=False, compression="none")
    other = sha256_of(table, folder / "b.parquet", row_group_size=group, compression="zstd")
    assert plain == other


@settings(max_examples=100, deadline=None)
@given(one=ROWS, two=ROWS)
def test_two_tables_have_one_hash_only_if_they_are_equal(tmp_path_factory, one, two):
    folder = tmp_path_factory.mktemp("digest")
    tables = [pa.Table.from_pylist(rows, schema=SCHEMA) for rows in (one, two)]
    hashes = [sha256_of(table, folder / "x.parquet") for table in tables]
    assert (hashes[0] == hashes[1]) == (_bits(tables[0]) == _bits(tables[1]))


def _bits(table):
    """Rows as text: unlike `==`, it distinguishes 0.0 and -0.0, as the bytes do."""
    return repr(table.to_pylist())


@settings(max_examples=60, deadline=None)
@given(rows=ROWS.filter(len), data=st.data())
def test_one_changed_value_changes_the_hash(tmp_path_factory, rows, data):
    folder = tmp_path_factory.mktemp("digest")
    row = data.draw(st.integers(0, len(rows) - 1))
    changed = [dict(row) for row in rows]
    changed[row]["whole"] = 0 if rows[row]["whole"] else 1
    hashes = {
        sha256_of(pa.Table.from_pylist(rows, schema=SCHEMA), folder / "x.parquet")
        for rows in (rows, changed)
    }
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (pa.array(["a", "bc"]), pa.array(["ab", "c"])),
        (pa.array([None, ""]), pa.array(["", None])),
        (pa.array([[1], [2, 3]]), pa.array([[1, 2], [3]])),
        (pa.array([[], None]), pa.array([None, []], pa.list_(pa.int64()))),
        (pa.array([1, 2], pa.int32()), pa.array([1, 2], pa.int64())),
        (pa.array([1, None, 2]), pa.array([1, 2, None])),
    ],
)
def test_neighbouring_values_do_not_run_into_each_other(tmp_path, one, two):
    paths = tmp_path / "one.parquet", tmp_path / "two.parquet"
    hashes = [
        sha256_of(pa.table({"x": array}), path)
        for array, path in zip((one, two), paths, strict=True)
    ]
    assert hashes[0] != hashes[1]


def test_dictionaries_and_large_strings_hash_like_strings(tmp_path):
    array = pa.array(["a", None, "b", "a"])
    spellings = [array, array.dictionary_encode(), array.cast(pa.large_string())]
    hashes = {sha256_of(pa.table({"x": one}), tmp_path / "x.parquet") for one in spellings}
    assert len(hashes) == 1


def test_pages_and_timings_are_not_part_of_the_content(tmp_path):
    fill(tmp_path)
    before = digest.content_digest(digest.describe(tmp_path))
    (tmp_path / "card.md").write_text("# Another card\n")
    (tmp_path / "report.html").write_text("<p>03:15</p>")
    (tmp_path / "timings").mkdir()
    (tmp_path / "timings/stages.json").write_text('{"train": 12.3}')
    records = digest.describe(tmp_path)
    assert digest.content_digest(records) == before
    assert {record.file for record in records} >= {"card.md", "report.html", "timings/stages.json"}


def test_a_renamed_file_an_array_and_a_number_in_json_change_the_digest(tmp_path):
    def filled(name):
        fill(tmp_path / name)
        return tmp_path / name

    for name in "abcd":
        (tmp_path / name).mkdir()
    plain, renamed, array, number = (filled(name) for name in "abcd")
    (renamed / "model/titles.npy").rename(renamed / "model/members.npy")
    np.save(array / "model/titles.npy", np.zeros((3, 2), np.float32))
    (number / "hyperparameters.json").write_text('{"loss": "bpr"}')
    digests = {
        digest.content_digest(digest.describe(path)) for path in (plain, renamed, array, number)
    }
    assert len(digests) == 4


def test_the_order_of_json_keys_does_not_change_the_hash(tmp_path):
    hashes = set()
    for text in ('{"a": 1, "b": [1, 2]}', '{ "b":[1,2], "a":1}'):
        (tmp_path / "x.json").write_text(text)
        (record,) = digest.describe(tmp_path)
        hashes.add(record.content_sha256)
    assert len(hashes) == 1


@pytest.mark.parametrize("text", ["{", json.dumps({"a": float("nan")})])
def test_invalid_or_non_finite_json_is_named(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=r"x\.json is not JSON with finite numbers"):
        digest.describe(tmp_path)


def test_an_unsupported_column_type_is_named(tmp_path):
    table = pa.table({"x": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))})
    with pytest.raises(DataError, match=r"column x is map<.*>: a release can contain numbers"):
        sha256_of(table, tmp_path / "x.parquet")
