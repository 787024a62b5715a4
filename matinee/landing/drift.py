"""What a file no longer has: the contract allows it, the files before it had it."""

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from matinee.landing.ledger import Entry, Ledger

ANY = ""
"""No file is called this: all files of a stream together."""


def lost_columns(stream: str, entries: Iterable[Entry], known: Ledger) -> list[str]:
    """A warning for each column that new files lack and those of the days before had.

    A file is held to what all earlier files of its name had, or of any name when its own is new:
    producers that never sent a column stay quiet, one that stops is named once.
    """
    new = {entry.file: entry for entry in entries if entry.status == "received"}
    before = [entry for entry in known.received if entry.stream == stream]
    usual: dict[str, frozenset[str]] = {}
    lost: dict[str, list[str]] = {}
    files = sorted([*before, *new.values()], key=lambda one: (one.landed_on, one.file))
    for _, day in groupby((one for one in files if one.columns), key=lambda one: one.landed_on):
        today = list(day)
        for entry in today:
            expected = usual.get(_name(entry), usual.get(ANY, frozenset()))
            if entry.file in new:
                for column in sorted(expected.difference(entry.columns)):
                    lost.setdefault(column, []).append(entry.file)
        for entry in today:
            for name in (_name(entry), ANY):
                usual[name] = usual.get(name, frozenset(entry.columns)) & frozenset(entry.columns)
    return [
        f"{stream}: column {column}, which files before had, is missing in {several(files)}"
        for column, files in sorted(lost.items())
    ]


OTHER_WORDS = {
    "member": ("user", "customer", "account", "profile", "viewer", "subscriber", "visitor"),
    "title": ("item", "movie", "film", "show", "content", "video", "program", "series"),
    "event": ("message", "record", "row", "log"),
    "at": ("time", "timestamp", "ts", "datetime"),
    "received": ("ingested", "arrived", "loaded", "server"),
    "watched": ("viewed", "played", "watch", "duration"),
    "kind": ("type",),
    "value": ("score", "stars", "rating"),
}
"""Words of the contract, and what others call the same."""

LEAST_LIKENESS = 0.75
"""Of two names, as `difflib` has it, before one may be a misspelling of the other."""


def renamed(column: str, unknown: Sequence[str]) -> str | None:
    """The unknown column that is most likely this one under another name; None without one."""
    best = max(unknown, key=lambda one: (_likeness(column, one), one), default=None)
    return best if best is not None and _likeness(column, best) >= LEAST_LIKENESS else None


def _likeness(column: str, other: str) -> float:
    wanted, found = _parts(column), _parts(other)
    if wanted == found or found in [
        [word if n == place else part for n, part in enumerate(wanted)]
        for place, part_of in enumerate(wanted)
        for word in OTHER_WORDS.get(part_of, ())
    ]:
        return 1
    if set(wanted) <= set(found) and len(found) <= len(wanted) + 1:  # member_id_new
        return len(column) / max(len(other), 1) / 4 + LEAST_LIKENESS
    return difflib.SequenceMatcher(None, column, "_".join(found)).ratio()


def _parts(name: str) -> list[str]:
    """The words of a name, however they are parted: `memberId` is member and id."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).lower().strip("_").split("_")


def _name(entry: Entry) -> str:
    return entry.file.rpartition("/")[2]


def several(names: Sequence[str]) -> str:
    """One name, or how many there are and the first."""
    return names[0] if len(names) == 1 else f"{len(names)} files, the first is {names[0]}"
