"""An empty store, and the URLs at which it can be mirrored."""

import secrets

import pytest

from matinee import releases
from matinee.releases.remote import Remote
from tests.releases import objects
from tests.releases.mirrors import CONFIGURED, EXCLUSIVE, another

if CONFIGURED:

    @pytest.fixture(autouse=True)
    def offline():
        """A configured store may be on another machine."""


@pytest.fixture
def store(tmp_path):
    return releases.Store(tmp_path / "releases", keys=tmp_path / "keys")


@pytest.fixture(params=[*EXCLUSIVE, "memory://matinee"])
def url(request, tmp_path):
    """A store at each kind of URL; `fake` behaves like an object store."""
    if request.param in CONFIGURED:
        return f"{request.param}/{secrets.token_hex(4)}"
    objects.register()
    if request.param.startswith("memory"):
        from fsspec.implementations.memory import MemoryFileSystem

        MemoryFileSystem.store.clear()
        MemoryFileSystem.pseudo_dirs[:] = [""]
    return f"file://{tmp_path / 'share'}" if request.param == "file" else request.param


@pytest.fixture
def fake():
    objects.register()
    return Remote.open("fake://bucket/matinee")


@pytest.fixture
def elsewhere(tmp_path, store):
    """The store of another machine that trusts the same key."""
    return another(tmp_path, store, "elsewhere")
