"""The tombstones of erased members and their key: what is not as it was written is refused."""

import pytest

from matinee.errors import ConfigError, IntegrityError
from matinee.landing import tombstones


def test_a_key_that_others_can_read_is_refused(tmp_path):
    tombstones.key(tmp_path)
    (tmp_path / tombstones.KEY).chmod(0o644)
    with pytest.raises(
        ConfigError, match=r"others can read the key of pseudonyms: chmod 600 .*privacy.key"
    ):
        tombstones.key(tmp_path)


def test_a_line_that_is_no_tombstone_is_refused_by_its_number(tmp_path):
    tombstones.key(tmp_path)
    path = tmp_path / "privacy/tombstones.jsonl"
    path.parent.mkdir()
    path.write_text('{"tombstone": "a", "at": "2026-01-01T00:00:00"}\n{"at": "2026-01-01"}\n')
    with pytest.raises(IntegrityError, match=r"tombstones.jsonl line 2 is no tombstone: restore"):
        tombstones.read(tmp_path)
