"""A release before it is published: a hidden folder beside the published ones."""

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
    """Write files under `path`, then pass the draft to `Store.publish`."""

    path: Path
    _reserved_id: str | None = field(default=None, repr=False)

    def release_id(self, created_at: datetime) -> str:
        """The id of the release to be published, for the pages that print it.

        Write all other files first: only `card.md`, `report.html` and `timings/` may follow.
        """
        content = digest.content_digest(digest.content_records(self.path))
        self._reserved_id = provenance.release_id(created_at, content)
        return self._reserved_id

    def check_id(self, release_id: str) -> None:
        """Raise if the id differs from the one that `release_id` returned."""
        if self._reserved_id not in (None, release_id):
            raise ConfigError(
                f"the draft changed after its id {self._reserved_id} was computed (now "
                f"{release_id}): compute it when all content is written, then write the pages"
            )


@contextmanager
def create(root: Path) -> Iterator[Draft]:
    """A new draft; its folder is removed afterwards unless it was published.

    The folder is locked while its process lives, so that `orphans` can tell.
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
    """Drafts of dead processes."""
    paths = []
    for path in sorted(root.glob(f"{PREFIX}*")):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if files.try_lock(descriptor):
                paths.append(path)
        finally:
            os.close(descriptor)
    return paths
