"""Push and pull of releases and consent withdrawals, for serving machines.

Withdrawals are transferred first in both directions, so that no release is served without them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from matinee import releases
from matinee.errors import IntegrityError
from matinee.releases import Remote, mirror
from matinee.rights import consent
from matinee.rights.withdrawals import FILE, MOST_BYTES
from matinee.settings import Settings

FOLDER, NAME = FILE.split("/")


def push(
    settings: Settings, remote: Remote, extra: Collection[str] = (), *, at: datetime, by: str
) -> mirror.SyncResult:
    """Send the withdrawals, then the releases with an alias, then the aliases."""
    refusals = consent.serialised(settings)
    is_there = NAME in remote.names(FOLDER)
    there = remote.read(FILE, MOST_BYTES) if is_there else b""
    if there and consent.take_newer(settings, there):  # another home pushed it
        refusals = consent.serialised(settings)
    if there != refusals:
        remote.write(FILE, refusals)
    return mirror.push(releases.Store.of(settings.home), remote, extra, at=at, by=by)


def pull(settings: Settings, remote: Remote, extra: Collection[str] = ()) -> mirror.SyncResult:
    """Fetch the withdrawals, then the releases with a remote alias, then the aliases."""
    where = f"{remote.name}/{FILE}"
    if NAME not in remote.names(FOLDER):
        if remote.names("states"):
            raise IntegrityError(
                f"{where} is missing, so nothing is pulled: run `matinee releases push` on the "
                f"home that builds releases, which sends it again"
            )
    else:
        consent.merge(settings, remote.read(FILE, MOST_BYTES), where)
    return mirror.pull(releases.Store.of(settings.home), remote, extra)
