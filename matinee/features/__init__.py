"""Features of members and titles, point in time. Only this package uses Feast.

`apply` registers `feature_repo/`; `members_as_of`, `titles_as_of` and `frame` read history point
in time; `materialise` brings the online store up to the night, `members_online` and
`titles_online` read it back, and `assert_online_equals_offline` compares the two.
"""

from matinee.features.erasure import erase, remove_online
from matinee.features.offline import frame, members_as_of, titles_as_of
from matinee.features.online import (
    Materialised,
    assert_online_equals_offline,
    materialise,
    members_online,
    titles_online,
)
from matinee.features.registry import Registered, apply, promise
from matinee.features.registry import digest as promise_sha256

__all__ = [
    "Materialised",
    "Registered",
    "apply",
    "assert_online_equals_offline",
    "erase",
    "frame",
    "materialise",
    "members_as_of",
    "members_online",
    "promise",
    "promise_sha256",
    "remove_online",
    "titles_as_of",
    "titles_online",
]
