"""What lies in the landing zone, and what there is nobody asked for."""

import difflib
import re
from datetime import date
from pathlib import Path

from matinee.landing import ledger, misplaced
from matinee.landing.contract import Contract
from matinee.landing.misplaced import Misplaced
from matinee.landing.read import LandingFile

FORMATS = {
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
}
SIDECAR = ".sha256"
TOMBSTONE = ".withdrawn"
"""After the name of a landing file: it is taken back, and not received while this is there."""
LINK = "a link, so it is not received: nobody could be erased from what it leads to; land a copy"
DAY = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")


def discover(landing: Path, contract: Contract) -> tuple[list[LandingFile], list[str]]:
    """Every landing file in canonical order, and a warning for every other name."""
    files, others = survey(landing, contract)
    return files, [str(one) for one in others]


def survey(landing: Path, contract: Contract) -> tuple[list[LandingFile], list[Misplaced]]:
    """Every landing file in canonical order, and all else, each with the path that is right."""
    files: list[LandingFile] = []
    others: list[Misplaced] = []
    for folder in _sorted(landing):
        stream = folder.name
        if not folder.is_dir() or stream not in contract.streams:
            hint = closest(stream, contract.streams)
            if other := misplaced.at_the_top(folder, contract.streams, hint):
                others.append(other)
            continue
        for day in _sorted(folder):
            landed_on = _landed_on(day)
            if landed_on is None:
                if DAY.fullmatch(day.name) and day.is_dir():
                    why = "there is no such day, so nothing in it is received"
                    others.append(Misplaced(f"{stream}/{day.name}", why))
                else:
                    others.append(misplaced.in_stream(stream, day, FORMATS))
                continue
            for path in _sorted(day):
                name = f"{stream}/{day.name}/{path.name}"
                if path.is_symlink():
                    others.append(Misplaced(name, LINK))
                elif format := _format(path):
                    files.append(LandingFile(path, name, stream, landed_on, format))
                elif not _is_sidecar(path):
                    others.append(misplaced.in_day(name, path, FORMATS))
    return files, others


def unreceived(home: Path, contract: Contract) -> list[Misplaced]:
    """Every file below `landing/` of which no row counts, each with the reason, by name."""
    landing = home / "landing"
    files, others = survey(landing, contract)
    known = ledger.read(home).entries
    found = [*misplaced.every_file(landing, others)]
    for file in files:
        entry = known.get(file.name)
        if entry is None:
            found.append(Misplaced(file.name, "it has not been received yet: `matinee receive`"))
        elif entry.status != "received":
            what = entry.status.replace("_", " ")
            found.append(Misplaced(file.name, f"{what}: {entry.reason}"))
    named = {one.name for one in found}
    found += [
        Misplaced(path.name, "beside the folders of the streams, so it is no log")
        for path in _sorted(landing)
        if path.is_file() and path.name not in named
    ]
    return sorted(found, key=lambda one: one.name)


def closest(name: str, known: object) -> str:
    """A hint to the known name that looks like this one, or nothing."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)  # type: ignore[call-overload]
    return f" (did you mean {found[0]}?)" if found else ""


def expected_sha256(path: Path) -> str | None:
    """What the sidecar `<file>.sha256` says, or None when there is no sidecar."""
    sidecar = path.with_name(path.name + SIDECAR)
    if not sidecar.exists():
        return None
    return (sidecar.read_text(encoding="utf-8", errors="replace").split() or [""])[0].lower()


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _landed_on(folder: Path) -> date | None:
    match = DAY.fullmatch(folder.name)
    try:
        return date.fromisoformat(match[1]) if match and folder.is_dir() else None
    except ValueError:
        return None


def _format(path: Path) -> str | None:
    is_spelt = path.name.isprintable() and not path.name.startswith(".")
    suffix = next((suffix for suffix in FORMATS if path.name.endswith(suffix)), None)
    return FORMATS[suffix] if suffix and is_spelt and path.is_file() else None


def _is_sidecar(path: Path) -> bool:
    beside = path.with_suffix("")
    if path.suffix == TOMBSTONE:  # its file may be gone
        return any(beside.name.endswith(suffix) for suffix in FORMATS)
    return path.suffix == SIDECAR and beside.exists()
