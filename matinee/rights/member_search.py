"""Searches every file of a home for members, and proves by planted files that it would find them.

A home may be spread over disks: a store, as `landing/`, may be a link, and what it leads to is
searched. Any other link is refused, for what it leads to is nobody's to erase.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matinee.privacy import Traces
from matinee.releases.lease import NOTES
from matinee.rights.search_files import FileSearch, Found

KEYS = "keys"
"""The store whose files may be links: keys name nobody, and may be kept elsewhere."""


@dataclass(frozen=True)
class Searched:
    """What a search of a home found, by path below the home."""

    found: dict[str, Found] = field(default_factory=dict)
    files: int = 0
    """Files that were searched."""

    @property
    def rows(self) -> dict[str, int]:
        """Rows of the members; one for a file that cannot be searched, for it may hold some."""
        counts = {name: one.rows or int(one.reason is not None) for name, one in self.found.items()}
        return {name: count for name, count in counts.items() if count}

    @property
    def mentions(self) -> dict[str, int]:
        """Rows, lines and files that have an id as a token outside all member fields."""
        return {name: one.mentions for name, one in self.found.items() if one.mentions}

    @property
    def reasons(self) -> dict[str, str]:
        """Why a file cannot be searched."""
        return {name: one.reason for name, one in self.found.items() if one.reason}


def search(home: Path, traces: Traces, *, exclude: frozenset[str] = frozenset()) -> dict[str, int]:
    """Path below `home` of every file with rows of a member -> number of such rows."""
    return examine(home, traces, exclude=exclude).rows


def examine(
    home: Path,
    traces: Traces,
    *,
    exclude: frozenset[str] = frozenset(),
    is_needed: Callable[[str], bool] | None = None,
) -> Searched:
    """Search the files of a home.

    Parameters
    ----------
    is_needed : whether a file has to be opened; then only member fields are searched in databases
        and tables, and no bytes of binary files
    """
    files = FileSearch(home, traces, is_full=is_needed is None)
    result: dict[str, Found] = {}
    count = 0
    for path, name, reason in walk(home):
        if name in exclude or name in NOTES:
            continue
        if reason is not None:
            result[name] = Found(reason=reason)
            continue
        if is_needed is not None and not is_needed(name):
            continue
        count += 1
        found = files.search(path, name)
        if _is_named_after(name, traces):
            found = Found(found.rows, found.mentions + 1, found.reason)
        if found != Found():
            result[name] = found
    return Searched(result, count)


def walk(home: Path) -> Iterator[tuple[Path, str, str | None]]:
    """Every file of a home, its name below it, and why it is refused, in order of names."""
    for store in sorted(os.listdir(home)):
        path = home / store
        if path.is_symlink() and not path.exists():
            yield path, store, "it is a link to nothing that is here"
        elif path.is_dir():
            # The store as it is reached, so that a link of a whole store is searched.
            yield from _below(path, store, home.resolve())
        elif path.is_file():
            yield path, store, None


def _below(folder: Path, name: str, home: Path) -> Iterator[tuple[Path, str, str | None]]:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        below = f"{name}/{entry.name}"
        if entry.is_symlink():
            if name.partition("/")[0] != KEYS and not _is_inside(Path(entry.path), home):
                yield Path(entry.path), below, "it is a link: put what it leads to in its place"
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), below, home)
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path), below, None


def _is_inside(link: Path, home: Path) -> bool:
    """Whether a link leads to what is searched anyway."""
    return link.exists() and link.resolve().is_relative_to(home)


def _is_named_after(name: str, traces: Traces) -> bool:
    """Whether a folder or file is called by an id, as `member_id=m-000017` or `m-000017.json`."""
    parts = [word for part in name.split("/") for word in (part, part.partition(".")[0])]
    return traces.mentioned("\n".join(parts).encode(errors="surrogateescape"))


def by_store(by_file: Mapping[str, int]) -> dict[str, int]:
    """Counts by top-level folder of the home."""
    stores: Counter[str] = Counter()
    for name, rows in by_file.items():
        stores[name.partition("/")[0]] += rows
    return dict(sorted(stores.items()))
