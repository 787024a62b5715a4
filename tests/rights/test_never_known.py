"""Forgetting is complete when a model trained afterwards is the one that never knew the member."""

import gzip
import shutil

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from matinee import pipeline, releases
from matinee.settings import Settings


def take_out(landing, member):
    """A member's rows gone from logs that nobody has received, by nothing that matinee knows."""
    taken = 0
    for path in sorted(landing.glob("*/*/*")):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            if "member_id" in table.column_names:
                kept = table.filter(pc.not_equal(table["member_id"], member))
                taken += len(table) - len(kept)
                pq.write_table(kept, path)
            continue
        pack, unpack = (gzip.compress, gzip.decompress) if path.suffix == ".gz" else (bytes, bytes)
        lines = unpack(path.read_bytes()).splitlines(keepends=True)
        kept = [line for line in lines if member.encode() not in line]
        taken += len(lines) - len(kept)
        path.write_bytes(pack(b"".join(kept)))
    return taken


@pytest.mark.slow
def test_a_model_trained_after_forgetting_is_the_one_that_never_knew_the_member(
    copied, small_home, tmp_path, night
):
    def content(home):
        release = releases.Store.of(home).open(night(home).release_id)
        return release.manifest["content_digest"]

    live = releases.Store.of(copied).live()
    member = live.manifest["samples"][0]
    shutil.copytree(small_home / "landing", tmp_path / "unknown/landing")
    assert take_out(tmp_path / "unknown/landing", member) > 100

    pipeline.erase_members(Settings(home=copied), [member], by="test")
    assert content(copied) == content(tmp_path / "unknown") != live.manifest["content_digest"]
