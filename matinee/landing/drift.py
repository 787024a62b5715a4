"""What a file no longer has: the contract allows it, the files before it had it."""

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


def _name(entry: Entry) -> str:
    return entry.file.rpartition("/")[2]


def several(names: Sequence[str]) -> str:
    """One name, or how many there are and the first."""
    return names[0] if len(names) == 1 else f"{len(names)} files, the first is {names[0]}"
