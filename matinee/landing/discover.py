"""What lies in the landing zone, and what there is nobody asked for."""

import difflib
import os
import re
from collections.abc import Collection
from datetime import date
from pathlib import Path

from matinee import durable
from matinee.errors import printable
from matinee.landing.contract import Contract
from matinee.landing.drift import several
from matinee.landing.files import SIDECAR, TOMBSTONE, LandingFile

FORMATS = {
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
}
LINK = "a link, so it is not received: nobody could be erased from what it leads to; land a copy"
HARD_LINK = (
    "a hard link, so it is not received: nobody could be erased from its other names; land a copy"
)
DAY = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")

FILE, FOLDER, LINKED, HARD_LINKED, OTHER = "file", "folder", "link", "hard link", "other"
"""What a name in the landing zone stands for."""


def discover(landing: Path, contract: Contract) -> tuple[list[LandingFile], list[str]]:
    """Every landing file in canonical order, and a warning for every other name.

    Only regular files with one name in folders that are no links are landing files.
    """
    files: list[LandingFile] = []
    warnings: list[str] = []
    refused: dict[str, list[str]] = {}
    if landing.is_dir():
        with durable.folder(landing, ()) as folder:
            for stream, kind in _names(folder):
                if kind == LINKED:
                    refused.setdefault(LINK, []).append(stream)
                elif kind == FOLDER and stream not in contract.streams:
                    hint = closest(stream, contract.streams)
                    warnings.append(f"{stream}: no such stream{hint}")
                elif kind == FOLDER:  # else notes, or a generator's truth.json: no rows are there
                    _discover_days(landing, stream, files, warnings, refused)
    warnings += [f"{several(names)}: {reason}" for reason, names in refused.items()]
    return files, [printable(warning) for warning in warnings]


def _discover_days(
    landing: Path,
    stream: str,
    files: list[LandingFile],
    warnings: list[str],
    refused: dict[str, list[str]],
) -> None:
    for day, kind in _listed(landing, stream):
        landed_on = _landed_on(day) if kind == FOLDER else None
        if kind == LINKED:
            refused.setdefault(LINK, []).append(f"{stream}/{day}")
            continue
        if landed_on is None:
            is_day = DAY.fullmatch(day) and kind == FOLDER
            why = "there is no such day" if is_day else "not a folder dt=YYYY-MM-DD"
            warnings.append(f"{stream}/{day}: {why}, so nothing in it is received")
            continue
        names = dict(_listed(landing, stream, day))
        for last, kind in names.items():
            name = f"{stream}/{day}/{last}"
            format = _format(last)
            if kind == LINKED or (kind == HARD_LINKED and (format or last.endswith(SIDECAR))):
                refused.setdefault(LINK if kind == LINKED else HARD_LINK, []).append(name)
            elif format and kind == FILE:
                files.append(LandingFile(landing / name, name, stream, landed_on, format))
            elif not _is_beside(last, names):
                warnings.append(f"{name}: not one of *{', *'.join(FORMATS)}")


def closest(name: str, known: object) -> str:
    """A hint to the known name that looks like this one, or nothing."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)  # type: ignore[call-overload]
    return f" (did you mean {found[0]}?)" if found else ""


def _names(folder: int) -> list[tuple[str, str]]:
    """The names in an open folder, sorted, each with what it stands for."""
    with os.scandir(folder) as entries:
        return sorted((entry.name, _kind(entry)) for entry in entries)


def _listed(landing: Path, *names: str) -> list[tuple[str, str]]:
    try:
        with durable.folder(landing, names) as folder:
            return _names(folder)
    except (durable.NotPlainError, FileNotFoundError):  # replaced or removed just now
        return []


def _kind(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return LINKED
    if entry.is_dir(follow_symlinks=False):
        return FOLDER
    if not entry.is_file(follow_symlinks=False):
        return OTHER
    try:
        return HARD_LINKED if entry.stat(follow_symlinks=False).st_nlink > 1 else FILE
    except FileNotFoundError:  # removed just now
        return OTHER


def _landed_on(folder: str) -> date | None:
    match = DAY.fullmatch(folder)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _is_beside(name: str, names: Collection[str]) -> bool:
    """Whether a file says something of a landing file, which may be gone when it is withdrawn."""
    if name.endswith(TOMBSTONE):
        return name.removesuffix(TOMBSTONE).endswith(tuple(FORMATS))
    return name.endswith(SIDECAR) and name.removesuffix(SIDECAR) in names


def _format(name: str) -> str | None:
    is_spelt = name.isprintable() and not name.startswith(".")
    suffix = next((suffix for suffix in FORMATS if name.endswith(suffix)), None)
    return FORMATS[suffix] if suffix and is_spelt else None
