"""Releases: immutable, signed versions of everything a night publishes, and the names for them.

    with store.draft() as draft:
        ...                                    # write files below draft.path
        release = store.publish(draft, fields)
    store.promote(release.id, expected=..., at=..., by="nightly", why="the gate passed")

    mirror.push(store, Remote.at("s3://bucket/prefix"), at=..., by="ada")

cryptography and fsspec stay in this package.
"""

from matinee.releases.aliases import Alias, Aliases
from matinee.releases.audit import Entry, Trail
from matinee.releases.compare import Difference
from matinee.releases.draft import Draft
from matinee.releases.lease import lease
from matinee.releases.release import Release
from matinee.releases.remote import Remote
from matinee.releases.slates import SCHEMA as SLATE_SCHEMA
from matinee.releases.slates import SlateWriter, write_slates
from matinee.releases.store import Store
from matinee.releases.verify import Verified

__all__ = [
    "SLATE_SCHEMA",
    "Alias",
    "Aliases",
    "Difference",
    "Draft",
    "Entry",
    "Release",
    "Remote",
    "SlateWriter",
    "Store",
    "Trail",
    "Verified",
    "lease",
    "write_slates",
]
