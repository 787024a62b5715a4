"""Releases and refusals at a URL: what a machine that serves has to know, sent there and fetched.

Refusals go first in either direction: whatever is served, it is served by the newest of them.
"""

from __future__ import annotations

from matinee import releases
from collections.abc import Collection
from datetime import datetime

from matinee.pipeline import consenting, reading
from matinee.releases import Remote, mirror
from matinee.settings import Settings

FOLDER, NAME = consenting.FILE.split("/")


def push(
    settings: Settings, remote: Remote, also: Collection[str] = (), *, at: datetime, by: str
) -> mirror.Moved:
    """Send who refused, then the releases that a name stands for, then the names."""
    refused = consenting.sealed(settings)
    if NAME not in remote.names(FOLDER) or remote.read(consenting.FILE) != refused:
        remote.write(consenting.FILE, refused)
    return mirror.push(releases.Store.of(settings.home), remote, also, at=at, by=by)


def pull(settings: Settings, remote: Remote, also: Collection[str] = ()) -> mirror.Moved:
    """Fetch who refused, then the releases that a name stands for there, then the names."""
    if NAME in remote.names(FOLDER):
        where = f"{remote.name}/{consenting.FILE}"
        consenting.adopt(settings, remote.read(consenting.FILE), where)
    return mirror.pull(releases.Store.of(settings.home), remote, also)
