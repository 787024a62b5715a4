"""After an erasure, a new model is equal to one that was trained without the member."""

import gzip
import shutil

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from matinee import pipeline, releases, warehouse
from matinee.night import validate
from matinee.settings import Settings

MOST_ACTIVE = """
    select member_id from member_title_signals
    group by member_id
    order by count(*) desc, member_id
    limit 1
"""


def remove_member(landing, member):
    """Remove a member's rows from logs that are not received, without code of matinee."""
    removed = 0
    for path in sorted(landing.glob("*/*/*")):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            if "member_id" in table.column_names:
                others = table.filter(pc.not_equal(table["member_id"], member))
                removed += len(table) - len(others)
                pq.write_table(others, path)
            continue
        pack, unpack = (gzip.compress, gzip.decompress) if path.suffix == ".gz" else (bytes, bytes)
        lines = unpack(path.read_bytes()).splitlines(keepends=True)
        others = [line for line in lines if member.encode() not in line]
        removed += len(lines) - len(others)
        path.write_bytes(pack(b"".join(others)))
    return removed


@pytest.mark.attack
@pytest.mark.slow
def test_a_model_trained_after_an_erasure_equals_one_trained_without_the_member(
    copied, small_home, tmp_path, night
):
    def content(release):
        """The hash of each file, without the histograms: a later release of a day repeats them."""
        hashes = {file["file"]: file["content_sha256"] for file in release.manifest["files"]}
        return {name: one for name, one in hashes.items() if name != validate.HISTOGRAMS}

    def content_of_night(home):
        return content(releases.Store.of(home).open(night(home).release_id))

    before = content(releases.Store.of(copied).live())
    (member,) = warehouse.query(MOST_ACTIVE, home=copied)["member_id"].to_pylist()
    shutil.copytree(small_home / "landing", tmp_path / "unknown/landing")
    assert remove_member(tmp_path / "unknown/landing", member) > 100

    pipeline.forget(Settings(home=copied), [member], by="test")
    assert content_of_night(copied) == content_of_night(tmp_path / "unknown") != before
