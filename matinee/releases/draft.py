"""A release that is not one yet: a private folder beside the published ones."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from matinee import provenance
from matinee.errors import ConfigError
from matinee.releases import digest, files

PREFIX = ".draft-"


@dataclass
class Draft:
    """Write below `path`, then hand the draft to `Store.publish`."""

    path: Path
    _reserved_id: str | None = field(default=None, repr=False)

    def release_id(self, created_at: datetime) -> str:
        """The id this draft will be published under, for the pages that print it.

        Write everything else first: only `card.md`, `report.html` and `timings/` may follow.
        """
        content = digest.content_digest(digest.content_records(self.path))
        self._reserved_id = provenance.release_id(created_at, content)
        return self._reserved_id

    def check_id(self, release_id: str) -> None:
        """Refuse another id than the one that the pages of this draft already show."""
        if self._reserved_id not in (None, release_id):
            raise ConfigError(
                f"the draft changed after its id {self._reserved_id} was asked for (now "
                f"{release_id}): ask again when all content is written, then make the pages"
            )


@contextmanager
def create(root: Path) -> Iterator[Draft]:
    """A new draft, gone afterwards unless it was published.

    The folder itself is locked while its owner lives: that is how `orphans` tells.
    """
    with files.storage_errors(root):
        path = root / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY)
        files.try_lock(descriptor)
    try:
        yield Draft(path)
    finally:
        try:
            if path.exists():
                files.discard(path)
        finally:
            os.close(descriptor)


def orphans(root: Path) -> list[Path]:
    """Drafts whose owner died."""
    found = []
    for path in sorted(root.glob(f"{PREFIX}*")):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if files.try_lock(descriptor):
                found.append(path)
        finally:
            os.close(descriptor)
    return found
