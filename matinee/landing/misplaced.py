"""Files of the landing zone that nobody receives: why, and which path would be right."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from matinee.landing import files
from matinee.landing.files import LandingFile

RENAMED = {
    ".json": ".jsonl",
    ".ndjson": ".jsonl",
    ".jsonlines": ".jsonl",
    ".json.gz": ".jsonl.gz",
    ".ndjson.gz": ".jsonl.gz",
    ".tsv": ".csv",
    ".txt": ".csv",
    ".tsv.gz": ".csv.gz",
    ".txt.gz": ".csv.gz",
    ".parq": ".parquet",
    ".pq": ".parquet",
}
"""How the names of files end that can be received under another name."""
ADVICE = {
    (".zip", ".tar", ".tgz", ".tar.gz", ".bz2", ".xz", ".zst", ".lz4", ".7z"): (
        "unpack it, or pack it with gzip"
    ),
    (".xlsx", ".xls", ".ods"): "save it as CSV",
    (".avro", ".orc", ".feather", ".arrow", ".db", ".sqlite", ".duckdb"): "write it as Parquet",
}
ANY_DAY = "dt=YYYY-MM-DD"
_DAY = re.compile(r"(?<!\d)(\d{4})(?:[-_.](\d{1,2})[-_.](\d{1,2})|(\d{2})(\d{2}))(?!\d)")
_PART = re.compile(r"(year|month|day|y|m|d)=(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Misplaced:
    """A file or folder below `landing/` of which nothing is received."""

    name: str
    reason: str
    right: str | None = None
    """The path below `landing/` under which it would be received, if there is one."""

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" + (f"; right is {self.right}" if self.right else "")


def in_day(name: str, path: Path, formats: Iterable[str]) -> Misplaced:
    """A file or folder of a day that is no landing file."""
    folder, _, filename = name.rpartition("/")
    if path.is_dir():
        first = next(_files(path), None)
        right = None
        if first is not None:
            flat = "-".join(first.relative_to(path.parent).parts)
            right = f"{folder}/{_renamed(flat, formats)}"
        return Misplaced(name, "a folder in a day's folder, so nothing in it is received", right)
    if filename.startswith("."):
        return Misplaced(name, "its name begins with a dot, as that of an unfinished file")
    known = f"not one of *{', *'.join(formats)}"
    for suffixes, advice in ADVICE.items():
        if filename.lower().endswith(suffixes):
            return Misplaced(name, f"{known}: {advice}")
    right_name = _renamed(filename, formats)
    if right_name == filename:
        return Misplaced(name, known)
    if right_name.endswith((".jsonl", ".jsonl.gz")) and _begins_as_array(name, path):
        known += ", but one JSON array: write one object a line, as `jq -c '.[]'` does"
    return Misplaced(name, known, f"{folder}/{right_name}")


def in_stream(stream: str, path: Path, formats: Iterable[str]) -> Misplaced:
    """A file or folder of a stream that is no day's."""
    name = f"{stream}/{path.name}"
    reason = "not a folder dt=YYYY-MM-DD, so nothing in it is received"
    if path.is_file():
        landed = _day(path.name) or ANY_DAY
        known = _renamed(path.name, formats)
        return Misplaced(name, "not in a folder dt=YYYY-MM-DD", f"{stream}/{landed}/{known}")
    if spelt := _day(path.name):
        return Misplaced(name, reason, f"{stream}/{spelt}")
    first = next(_files(path), None)
    if first is None:
        return Misplaced(name, reason)
    inside = first.relative_to(path.parent)
    day = _day_of_parts(inside.parts[:-1]) or _day(inside.as_posix()) or ANY_DAY
    return Misplaced(name, reason, f"{stream}/{day}/{_renamed(first.name, formats)}")


def at_the_top(path: Path, streams: Iterable[str], hint: str) -> Misplaced | None:
    """A folder of no stream, or a file that is named after one; None for notes and the like."""
    stream = _stream(path, streams)
    if path.is_file():
        ends = any(path.name.lower().endswith(one) for one in (*RENAMED, ".jsonl", ".csv"))
        if stream is None or not (ends or ".parquet" in path.name.lower()):
            return None
        landed = _day(path.name) or ANY_DAY
        return Misplaced(path.name, "not in a stream's folder", f"{stream}/{landed}/{path.name}")
    first = next(_files(path), None)
    right = None
    if stream is not None and stream != path.name:
        right = stream
    elif (day := _day(path.name)) is not None:
        inside = next((one for one in sorted(path.iterdir()) if one.name in set(streams)), None)
        name = first.name if first else "*"
        right = f"{inside.name if inside else 'STREAM'}/{day}/{name}"
    return Misplaced(path.name, f"no such stream{hint}", right)


def every_file(landing: Path, found: Iterable[Misplaced]) -> Iterator[Misplaced]:
    """The same, file by file: of a folder each file in it."""
    for one in found:
        path = landing / one.name
        if path.is_symlink() or not path.is_dir():
            yield one
            continue
        right = one.right
        for file in _files(path):
            inside = file.relative_to(landing).as_posix()
            yield Misplaced(inside, f"{one.name} is {_as_state(one.reason)}", right)


def _as_state(reason: str) -> str:
    return reason.partition(",")[0]


def _files(folder: Path) -> Iterator[Path]:
    """The files below a folder in order; links are not followed."""
    for above, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(above, name) for name in sorted(names))


def _begins_as_array(name: str, path: Path) -> bool:
    stream = name.partition("/")[0]
    try:
        with files.opened(LandingFile(path, name, stream, date.min, "jsonl")) as source:
            return source.head().lstrip()[:1] == b"["
    except (files.TornError, OSError):
        return False


def _renamed(filename: str, formats: Iterable[str]) -> str:
    """The file's name with an end that is received, if there is one."""
    small = filename.lower()
    for suffix in formats:
        if small.endswith(suffix):
            return filename[: -len(suffix)] + suffix
    for suffix in sorted(RENAMED, key=len, reverse=True):
        if small.endswith(suffix):
            return filename[: -len(suffix)] + RENAMED[suffix]
    return filename


def _day(name: str) -> str | None:
    """`dt=2026-03-01` for a name in which that day is spelt in one way or another."""
    for match in _DAY.finditer(name):
        year, month, day = match[1], match[2] or match[4], match[3] or match[5]
        try:
            return f"dt={date(int(year), int(month), int(day)).isoformat()}"
        except ValueError:
            continue
    return None


def _day_of_parts(parts: Iterable[str]) -> str | None:
    """The day of `year=2026/month=03/day=01`."""
    found = {match[1].lower()[0]: match[2] for part in parts if (match := _PART.fullmatch(part))}
    return _day("-".join(found[key] for key in "ymd")) if set(found) == set("ymd") else None


def _stream(path: Path, streams: Iterable[str]) -> str | None:
    name = path.name.lower().replace("-", "_")
    for stream in sorted(streams, key=len, reverse=True):
        if name.startswith(stream) or name.partition(".")[0] == stream.removesuffix("s"):
            return stream
    return None
