import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import releases
from matinee.errors import DataError, IntegrityError
from matinee.releases import release as release_module
from tests.releases.samples import AT, fields, publish, slate_block


def test_a_slate_is_the_same_alone_and_among_all(store):
    release = publish(store)
    (all_slates,) = release.slates()
    for member in ("m1", "m2", "m3"):
        rows = [row for row in all_slates.to_pylist() if row["member_id"] == member]
        assert release.slate(member).to_pylist() == rows
        assert [row["rank"] for row in rows] == list(range(1, 13))


@pytest.mark.parametrize("member", ["", "m", "m25", "zz"])
def test_a_member_without_a_slate_has_no_rows_of_the_right_kind(store, member):
    slate = publish(store).slate(member)
    assert slate.num_rows == 0
    assert slate.schema.names == releases.SLATE_SCHEMA.names


def test_similar_titles_catalogue_metrics_and_any_listed_file_can_be_read(store):
    release = publish(store)
    assert release.similar("t00")["similar_title_id"].to_pylist() == ["t01"]
    assert release.titles()["name"].to_pylist() == ["Metropolis", "Nosferatu"]
    assert release.evaluation()["n"].to_pylist() == [300]
    assert release.json("hyperparameters.json") == {"loss": "warp"}


@pytest.mark.parametrize("name", ["rows/part-0000.parquet", "../../keys/signing.pem"])
def test_a_file_that_is_not_in_the_manifest_is_not_opened(store, name):
    with pytest.raises(DataError, match=r"has no .*: see `files` in its manifest"):
        publish(store).table(name)


def test_a_release_without_slates_is_refused_by_name(store):
    with store.draft() as draft:
        (draft.path / "a.json").write_text("{}")
        release = store.publish(draft, fields())
    with pytest.raises(DataError, match="has no slates/"):
        release.slate("m1")


def test_a_slate_reads_only_its_row_group(store, monkeypatch):
    members = [f"m{number:04}" for number in range(400)]
    with store.draft() as draft:
        blocks = [slate_block(members[i : i + 50]) for i in range(0, 400, 50)]
        written = releases.write_slates(draft.path, blocks, rows_per_part=1500, rows_per_group=600)
        release = store.publish(draft, fields())
    assert written == 4800
    assert len(list(release.path.glob("slates/*"))) == 4
    read = []

    class Counting(pq.ParquetFile):
        def read_row_groups(self, groups, **options):
            read.append(groups)
            return super().read_row_groups(groups, **options)

    monkeypatch.setattr(release_module.pq, "ParquetFile", Counting)
    for member in members[::37]:
        assert release.slate(member).num_rows == 12
    assert {len(groups) for groups in read} == {1}
    assert len(read) == len(members[::37])


def test_no_member_is_in_two_files(store):
    with store.draft() as draft:
        blocks = [slate_block(["a", "b"]), slate_block(["c", "d"]), slate_block(["e"])]
        releases.write_slates(draft.path, blocks, rows_per_part=30)
        release = store.publish(draft, fields())
    parts = [set(part["member_id"].to_pylist()) for part in release.slates()]
    assert parts == [{"a", "b"}, {"c", "d"}, {"e"}] or parts == [{"a", "b"}, {"c", "d", "e"}]


@pytest.mark.parametrize(
    ("blocks", "row"),
    [([["b", "a"]], 12), ([["a"], ["a"]], 0), ([["b"], ["a"]], 0), ([["a", "a"]], 12)],
)
def test_slates_out_of_order_are_refused_by_row_without_the_member_id(tmp_path, blocks, row):
    with pytest.raises(DataError, match=f"rank 1 in row {row} of a block is out of order"):
        releases.write_slates(tmp_path, [slate_block(members) for members in blocks])


def test_other_columns_are_not_written_to_slates(tmp_path):
    block = slate_block(["a"]).append_column("birth_year", pa.array([1980] * 12))
    releases.write_slates(tmp_path, [block])
    schema = pq.read_schema(tmp_path / "slates/part-0000.parquet")
    assert schema.names == releases.SLATE_SCHEMA.names


def test_a_damaged_and_a_newer_manifest_are_named(store):
    release = publish(store)
    path = release.path / "manifest.json"
    newer = json.loads(path.read_text()) | {"schema_version": 99}
    path.write_text(json.dumps(newer))
    with pytest.raises(DataError, match="has manifest version 99 and this matinee reads up to 1"):
        assert store.open(release.id).manifest
    path.write_text("{")
    with pytest.raises(IntegrityError, match=r"manifest\.json cannot be read"):
        assert store.open(release.id).manifest


def test_the_manifest_has_the_fields_and_files_of_the_night(store):
    manifest = publish(store).manifest
    assert manifest["as_of"] == AT.isoformat().replace("+00:00", "Z")
    assert manifest["reason"] == "scheduled"
    assert {record["file"]: record["rows"] for record in manifest["files"]} == {
        "card.md": None,
        "evaluation/metrics.parquet": 1,
        "hyperparameters.json": None,
        "model/titles.npy": None,
        "similar/part-0000.parquet": 2,
        "slates/part-0000.parquet": 36,
        "vocabulary/titles.parquet": 2,
    }
