"""Who was forgotten, so that old logs do not bring them back. Only the key's holder can tell."""

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from matinee.columns import MEMBER_ID
from matinee.errors import ConfigError
from matinee.landing.dialect import TornError, folded
from matinee.landing.ledger import sync_folder
from matinee.landing.parquet_tables import id_texts
from matinee.landing.read import LandingFile, csv_fields, records_of
from matinee.privacy import LEAST_KEY_BYTES, Traces, pseudonym

USE = "tombstone"
KEY = "keys/privacy.key"

_NAMED = re.compile(rb'"member_id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9]+)')
_WORDS = re.compile(rb"[0-9A-Za-z_.:@+-]+")


@dataclass(frozen=True)
class Tombstones:
    """The keyed names of everyone who was forgotten."""

    key: bytes
    names: frozenset[str]

    def holds(self, member_id: str) -> bool:
        try:
            return pseudonym(self.key, member_id, use=USE) in self.names
        except UnicodeEncodeError:  # half a surrogate pair: nobody is called that
            return False

    def returning(self, file: LandingFile) -> Traces:
        """The forgotten members whom a landing file names. A torn file is left to be refused."""
        try:
            found = {one for one in set(_candidates(file)) if self.holds(one)}
        except (TornError, OSError, ValueError):
            found = set()
        return Traces.of(found)


def read(home: Path) -> Tombstones | None:
    """The tombstones of a home; None when nobody was ever forgotten."""
    path = _path(home)
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return Tombstones(key(home), frozenset(json.loads(line)[USE] for line in lines))


def newest(home: Path) -> str | None:
    """When somebody was last forgotten."""
    path = _path(home)
    if not path.exists():
        return None
    return max(
        str(json.loads(line)["at"]) for line in path.read_text(encoding="utf-8").splitlines()
    )


def add(home: Path, ids: frozenset[str], at: datetime) -> list[str]:
    """Remember, durably, that these were forgotten; return their keyed names."""
    there = read(home)
    named = {pseudonym(key(home), one, use=USE) for one in ids}
    new = sorted(named - (there.names if there else frozenset()))
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [json.dumps({USE: name, "at": at.isoformat()}) + "\n" for name in new]
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(before + "".join(lines))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)
    return sorted(named)


def key(home: Path) -> bytes:
    """The key of all pseudonyms of a home, made on first use. Lost, tombstones mean nothing."""
    path = home / KEY
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_name(f".privacy.{os.getpid()}.new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(LEAST_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)  # whoever is first wins, and everyone reads the same
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
        sync_folder(path.parent)
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"others can read the key of pseudonyms: chmod 600 {path}")
    found = path.read_bytes()
    if len(found) < LEAST_KEY_BYTES:
        raise ConfigError(f"{path} is cut: restore it; without it nobody forgotten is known")
    return found


def _path(home: Path) -> Path:
    return home / "privacy" / "tombstones.jsonl"


def _candidates(file: LandingFile) -> Iterator[str]:
    """Every id that a file may name; of broken lines every word."""
    if file.format == "parquet":
        for name in pq.read_schema(file.path).names:
            if folded(name) == folded(MEMBER_ID):
                column = pq.read_table(file.path, columns=[name]).column(0)
                yield from (one for one in id_texts(column).unique().to_pylist() if one)
        return
    if file.format == "csv":
        yield from _of_csv(file.path)
        return
    for records in records_of(file.path, is_quoted=False):
        for line in records.texts():
            named = _NAMED.findall(line)
            yield from (str(json.loads(one)) for one in named)
            if not named:
                yield from _words(line)


def _of_csv(path: Path) -> Iterator[str]:
    place: int | None = None
    is_first = True
    for records in records_of(path, is_quoted=True):
        for record in records.texts():
            fields = csv_fields(record.decode(errors="replace"))
            if is_first:
                names = [name.strip() for name in fields]
                place = names.index(MEMBER_ID) if MEMBER_ID in names else None
                is_first = False
                if place is None:  # no header, then: perhaps somebody's row
                    yield from _words(record)
            elif place is not None and place < len(fields):
                yield fields[place]
            else:
                yield from _words(record)


def _words(text: bytes) -> Iterator[str]:
    """UTF-16 has a NUL beside each letter."""
    yield from (word.decode() for word in _WORDS.findall(text.replace(b"\0", b"")))
