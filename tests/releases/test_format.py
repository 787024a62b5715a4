"""docs/reference/release.md is enough to read a release: its snippets use no matinee."""

import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from matinee.rights import consent
from matinee.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/release.md"


@pytest.fixture(scope="module")
def reader(night_home, tmp_path_factory):
    """What the snippets define, after a member has refused personalisation."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("format") / "home")
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S))
    assert "matinee" not in code.replace("MATINEE_HOME", "")
    table = pq.read_table(next(home.glob("releases/2*/vocabulary/members.parquet")))
    member, other = table["member_id"].to_pylist()[:2]
    consent.record_choice(Settings(home=home), member, "personalisation", granted=False)
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATINEE_HOME", str(home))
        exec(code, names)  # noqa: S102
    return names | {"member": member, "other": other}


def test_vectors_of_titles_give_the_similarities_of_the_release(reader):
    vectors = reader["vectors"] / np.linalg.norm(reader["vectors"], axis=1, keepdims=True)
    place = {title: row for row, title in enumerate(reader["title_ids"])}
    similar = pq.read_table(reader["checked"]("similar/part-0000.parquet")).to_pylist()
    assert len(similar) > 1000
    for row in similar[:200]:
        cosine = vectors[place[row["title_id"]]] @ vectors[place[row["similar_title_id"]]]
        assert cosine == pytest.approx(row["similarity"], abs=1e-5)


def test_a_refusal_is_seen_without_matinee(reader):
    assert reader["has_refused"](reader["member"])
    assert not reader["has_refused"](reader["other"])


def test_a_file_that_was_changed_is_noticed(reader):
    (reader["release"] / "vocabulary/titles.parquet").write_bytes(b"PAR1")
    with pytest.raises(AssertionError, match=r"vocabulary/titles\.parquet"):
        reader["checked"]("vocabulary/titles.parquet")
