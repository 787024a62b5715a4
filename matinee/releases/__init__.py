"""Releases: immutable, signed versions of what a night publishes, and the aliases of a store.

    with store.draft() as draft:
        ...                                    # write files under draft.path
        release = store.publish(draft, fields)
    store.promote(release.id, expected=..., at=..., by="nightly", why="the gate passed")

    mirror.push(store, Remote.open("s3://bucket/prefix"), at=..., by="ada")

Only this package imports cryptography and fsspec.
"""

from matinee.releases.aliases import Alias, Aliases
from matinee.releases.audit import Entry, Trail
from matinee.releases.compare import Difference
from matinee.releases.draft import Draft
from matinee.releases.files import PARQUET
from matinee.releases.lease import fence, lease
from matinee.releases.release import Release
from matinee.releases.remote import Remote
from matinee.releases.slates import SCHEMA as SLATE_SCHEMA
from matinee.releases.slates import SlateWriter, write_slates
from matinee.releases.store import Store
from matinee.releases.verify import Verification

__all__ = [
    "PARQUET",
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
    "Verification",
    "fence",
    "lease",
    "write_slates",
]
