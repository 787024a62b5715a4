"""Push and pull of releases and consent withdrawals, for serving machines.

Withdrawals are transferred first in both directions, so that no release is served without them.
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
    """Send the withdrawals, then the releases with an alias, then the aliases."""
    withdrawals = consent.serialised(settings)
    is_there = NAME in remote.names(FOLDER)
    if not is_there or remote.read(consent.FILE, consent.MOST_BYTES) != withdrawals:
        remote.write(consent.FILE, withdrawals)
    return mirror.push(releases.Store.of(settings.home), remote, extra, at=at, by=by)


def pull(settings: Settings, remote: Remote, extra: Collection[str] = ()) -> mirror.SyncResult:
    """Fetch the withdrawals, then the releases with a remote alias, then the aliases."""
    if NAME in remote.names(FOLDER):
        where = f"{remote.name}/{consent.FILE}"
        consent.merge(settings, remote.read(consent.FILE, consent.MOST_BYTES), where)
    return mirror.pull(releases.Store.of(settings.home), remote, extra)
