"""An empty store in a folder of its own."""

import pytest

from matinee import releases


@pytest.fixture
def store(tmp_path):
    return releases.Store(tmp_path / "releases", keys=tmp_path / "keys")
