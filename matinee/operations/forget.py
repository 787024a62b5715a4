"""Erases members at once, under the lease of the home: what `matinee forget` calls."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matinee.night.lease import lease
from matinee.progress import Progress
from matinee.rights.erase import ErasureReceipt, erase_members
from matinee.settings import Settings


def forget(
    settings: Settings, members: Iterable[str], *, by: str, progress: Progress | None = None
) -> tuple[ErasureReceipt, Path]:
    """Erase members; return the receipt and its path. Raises what `erase_members` raises.

    Raises
    ------
    BusyError
        If a night or another erasure holds the home.
    StorageError
        If the disk is full; what is left is done by the next call.
    """
    with lease(settings, "forget"):
        return erase_members(settings, members, by=by, progress=progress)
