"""What lies in the landing zone, and what there is nobody asked for."""

import difflib
import os
import re
from collections.abc import Collection
from datetime import date
from pathlib import Path

from matinee import durable
from matinee.errors import printable
from matinee.landing import ledger, misplaced
from matinee.landing.contract import Contract
from matinee.landing.drift import several
from matinee.landing.files import SIDECAR, TOMBSTONE, LandingFile
from matinee.landing.misplaced import Misplaced

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
    found, others, refused = survey(landing, contract)
    warnings = [str(one) for one in others]
    warnings += [f"{several(names)}: {reason}" for reason, names in refused.items()]
    return found, [printable(warning) for warning in warnings]


def survey(
    landing: Path, contract: Contract
) -> tuple[list[LandingFile], list[Misplaced], dict[str, list[str]]]:
    """Every landing file, all else with the path that is right, and the links by reason."""
    found: list[LandingFile] = []
    others: list[Misplaced] = []
    refused: dict[str, list[str]] = {}
    if landing.is_dir():
        with durable.folder(landing, ()) as folder:
            for stream, kind in _names(folder):
                if kind == LINKED:
                    refused.setdefault(LINK, []).append(stream)
                elif kind == FOLDER and stream in contract.streams:
                    _survey_days(landing, stream, found, others, refused)
                elif kind in (FOLDER, FILE):  # of files only those that are named after a stream
                    hint = closest(stream, contract.streams)
                    other = misplaced.at_the_top(landing / stream, contract.streams, hint)
                    others += [other] if other else []
    return found, others, refused


def _survey_days(
    landing: Path,
    stream: str,
    found: list[LandingFile],
    others: list[Misplaced],
    refused: dict[str, list[str]],
) -> None:
    for day, kind in _listed(landing, stream):
        landed_on = _landed_on(day) if kind == FOLDER else None
        if kind == LINKED:
            refused.setdefault(LINK, []).append(f"{stream}/{day}")
            continue
        if landed_on is None:
            if DAY.fullmatch(day) and kind == FOLDER:
                why = "there is no such day, so nothing in it is received"
                others.append(Misplaced(f"{stream}/{day}", why))
            else:
                others.append(misplaced.in_stream(stream, landing / stream / day, FORMATS))
            continue
        names = dict(_listed(landing, stream, day))
        for last, kind in names.items():
            name = f"{stream}/{day}/{last}"
            format = _format(last)
            if kind == LINKED or (kind == HARD_LINKED and (format or last.endswith(SIDECAR))):
                refused.setdefault(LINK if kind == LINKED else HARD_LINK, []).append(name)
            elif format and kind == FILE:
                found.append(LandingFile(landing / name, name, stream, landed_on, format))
            elif not _is_beside(last, names):
                others.append(misplaced.in_day(name, landing / name, FORMATS))


def unreceived(home: Path, contract: Contract) -> list[Misplaced]:
    """Every file below `landing/` without a received row, each with the reason, by name."""
    landing = home / "landing"
    found, others, refused = survey(landing, contract)
    known = ledger.read(home).entries
    rows = [*misplaced.every_file(landing, others)]
    rows += [Misplaced(name, why) for why, names in refused.items() for name in names]
    for file in found:
        entry = known.get(file.name)
        if entry is None:
            rows.append(Misplaced(file.name, "it has not been received yet: `matinee receive`"))
        elif entry.status != "received":
            what = entry.status.replace("_", " ")
            rows.append(Misplaced(file.name, f"{what}: {entry.reason}"))
    named = {one.name for one in rows}
    for name, kind in _listed(landing):
        if kind in (FILE, HARD_LINKED) and name not in named:
            rows.append(Misplaced(name, "beside the folders of the streams, so it is no log"))
    return sorted(rows, key=lambda one: one.name)


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
