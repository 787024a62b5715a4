"""Machines that share releases at a URL, and the kinds of stores that tests try."""

import os
import shutil

from matinee import releases
from matinee.releases import mirror, signing
from tests.releases.samples import AT

YOURS = [url] if (url := os.environ.get("MATINEE_TRY_STORE")) else []
EXCLUSIVE = ["fake://bucket/matinee", "file", *YOURS]
"""Stores of which one writer of several wins."""


def another(tmp_path, store, name, *, can_sign=False):
    """A store of another machine that trusts the same key."""
    signing.private_key(store.keys)
    keys = tmp_path / name / "keys"
    shutil.copytree(store.keys, keys, ignore=None if can_sign else shutil.ignore_patterns("*.pem"))
    return releases.Store(tmp_path / name / "releases", keys=keys)


def push(store, remote, **more):
    """What `releases push` does."""
    return mirror.push(store, remote, at=AT, by="ada", **more)
