"""Stores of several machines that share a URL, and the URLs under test."""

import os
import shutil

from matinee import releases
from matinee.releases import mirror, signing
from tests.releases.samples import AT

CONFIGURED = [url] if (url := os.environ.get("MATINEE_TRY_STORE")) else []
EXCLUSIVE = ["fake://bucket/matinee", "file", *CONFIGURED]
"""Stores where exactly one of several concurrent writers succeeds."""


def another(tmp_path, store, name, *, can_sign=False):
    """The store of another machine that trusts the same key."""
    signing.private_key(store.keys)
    keys = tmp_path / name / "keys"
    shutil.copytree(store.keys, keys, ignore=None if can_sign else shutil.ignore_patterns("*.pem"))
    return releases.Store(tmp_path / name / "releases", keys=keys)


def push(store, remote, **more):
    """As `releases push`."""
    return mirror.push(store, remote, at=AT, by="ada", **more)
