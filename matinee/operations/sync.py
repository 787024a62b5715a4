"""Releases and refusals at a URL: what a machine that serves has to know, sent there and fetched.

Refusals go first in either direction: whatever is served, it is served by the newest of them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from matinee import releases
from matinee.releases import Remote, mirror
from matinee.rights import consent
from matinee.settings import Settings

FOLDER, NAME = consent.FILE.split("/")


def push(
    settings: Settings, remote: Remote, extra: Collection[str] = (), *, at: datetime, by: str
) -> mirror.SyncResult:
    """Send who refused, then the releases that a name stands for, then the names."""
    refused = consent.serialised(settings)
    if NAME not in remote.names(FOLDER) or remote.read(consent.FILE) != refused:
        remote.write(consent.FILE, refused)
    return mirror.push(releases.Store.of(settings.home), remote, extra, at=at, by=by)


def pull(settings: Settings, remote: Remote, extra: Collection[str] = ()) -> mirror.SyncResult:
    """Fetch who refused, then the releases that a name stands for there, then the names."""
    if NAME in remote.names(FOLDER):
        where = f"{remote.name}/{consent.FILE}"
        consent.merge(settings, remote.read(consent.FILE), where)
    return mirror.pull(releases.Store.of(settings.home), remote, extra)
