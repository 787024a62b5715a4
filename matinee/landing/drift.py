"""What a file no longer has: the contract allows it, the files before it had it."""

from collections.abc import Iterable, Sequence

from matinee.landing.ledger import Entry, Ledger


def lost_columns(stream: str, entries: Iterable[Entry], known: Ledger) -> list[str]:
    """A warning for each column that new files lack and those before them had.

    A file is held to what all earlier files of its name had, or of any name when its own is new:
    producers that never sent a column stay quiet, one that stops is named once.
    """
    usual: dict[str | None, frozenset[str]] = {}
    lost: dict[str, list[str]] = {}
    new = {entry.file: entry for entry in entries if entry.status == "received"}
    before = [entry for entry in known.received if entry.stream == stream]
    for entry in [*before, *sorted(new.values(), key=lambda one: (one.landed_on, one.file))]:
        if not entry.columns:
            continue
        name, columns = entry.file.rpartition("/")[2], frozenset(entry.columns)
        expected = usual.get(name, usual.get(None, columns))
        if entry.file in new:
            for column in sorted(expected - columns):
                lost.setdefault(column, []).append(entry.file)
        usual[name] = expected & columns if name in usual else columns
        usual[None] = usual.get(None, columns) & columns
    return [
        f"{stream}: column {column}, which files before had, is missing in {several(files)}"
        for column, files in sorted(lost.items())
    ]


def several(names: Sequence[str]) -> str:
    """One name, or how many there are and the first."""
    return names[0] if len(names) == 1 else f"{len(names)} files, the first is {names[0]}"
