"""Who was forgotten, so that old logs do not bring them back. Only the key's holder can tell."""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import durable
from matinee.columns import MEMBER_ID
from matinee.errors import ConfigError, IntegrityError
from matinee.landing import files
from matinee.landing.contract import Contract
from matinee.landing.discover import discover
from matinee.landing.files import Source, TornError
from matinee.landing.formats.dialect import is_column
from matinee.landing.formats.parquet_tables import texts
from matinee.landing.read import csv_fields, records_of
from matinee.privacy import LEAST_KEY_BYTES, Traces, pseudonym
from matinee.provenance import document, parse_json

USE = "tombstone"
KEY = "keys/privacy.key"
KEYED = (
    "privacy/withdrawals.json",
    "privacy/tombstones.jsonl",
    "privacy/pseudonymous",
    "keys/withdrawals.json",
    "keys/withdrawals_mirrored.json",
)
"""Files of a home that mean nothing without its key."""

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

    def returning(self, source: Source) -> Traces:
        """The forgotten members whom a landing file names. A torn file is left to be refused."""
        try:
            found = {one for one in set(_candidates(source)) if self.holds(one)}
        except (TornError, OSError, ValueError, RecursionError, pa.ArrowException):
            found = set()
        return Traces.of(found)


def read(home: Path) -> Tombstones | None:
    """The tombstones of a home; None when nobody was ever forgotten."""
    path = _path(home)
    if not path.exists():
        return None
    return Tombstones(key(home), frozenset(str(one[USE]) for one in _lines(path)))


def newest(home: Path) -> str | None:
    """When somebody was last forgotten."""
    path = _path(home)
    if not path.exists():
        return None
    return max(str(one["at"]) for one in _lines(path))


def is_named(home: Path, contract: Contract, member_id: str) -> bool:
    """Whether a landing file names a member, received or not."""
    for file in discover(home / "landing", contract)[0]:
        try:
            with files.opened(file) as source:
                if any(one == member_id for one in _candidates(source)):
                    return True
        except (TornError, OSError, ValueError, RecursionError, pa.ArrowException):
            continue  # it is quarantined when it is received
    return False


def add(home: Path, ids: frozenset[str], at: datetime) -> list[str]:
    """Remember, durably, that these were forgotten; return their keyed names."""
    there = read(home)
    named = {pseudonym(key(home), one, use=USE) for one in ids}
    new = sorted(named - (there.names if there else frozenset()))
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [json.dumps({USE: name, "at": at.isoformat()}) + "\n" for name in new]
    durable.replace(path, (before + "".join(lines)).encode())
    return sorted(named)


def key(home: Path) -> bytes:
    """The key of all pseudonyms of a home, made on first use.

    Raises
    ------
    IntegrityError
        When the key is gone and something was written with it: a new one would not know anybody.
    ConfigError
        When others can read it, or it is cut.
    """
    path = home / KEY
    if not path.exists():
        if keyed := [name for name in KEYED if (home / name).exists()]:
            raise IntegrityError(
                f"{path} is missing, and {keyed[0]} was written with it: restore it from a backup, "
                f"or copy it from another machine with the same list, mode 600; a new key would "
                f"know no member"
            )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whoever is first wins, and everyone reads the same.
        durable.create_once(path, secrets.token_bytes(LEAST_KEY_BYTES), mode=0o600)
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"others can read the key of pseudonyms: chmod 600 {path}")
    found = path.read_bytes()
    if len(found) < LEAST_KEY_BYTES:
        raise ConfigError(f"{path} is cut: restore it; without it nobody forgotten is known")
    return found


def _path(home: Path) -> Path:
    return home / "privacy" / "tombstones.jsonl"


def _lines(path: Path) -> list[dict[str, str]]:
    """The tombstones of a file.

    Raises
    ------
    IntegrityError
        When a line is none: without it somebody forgotten would come back.
    """
    lines = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        cure = "restore it; without it whoever was forgotten comes back"
        one = document(line, f"{path} line {number}", cure)
        if not {USE, "at"} <= one.keys():
            raise IntegrityError(f"{path} line {number} is no tombstone: {cure}")
        lines.append(one)
    return lines


def _candidates(source: Source) -> Iterator[str]:
    """Every id that a file may name; of broken lines every word."""
    if source.file.format == "parquet":
        schema = pq.read_schema(source.seekable())
        for name in (one for one in schema.names if is_column(one, MEMBER_ID)):
            column = texts(pq.read_table(source.seekable(), columns=[name]).column(0)).unique()
            yield from (str(one) for one in column.to_pylist() if one is not None)
        return
    if source.file.format == "csv":
        yield from _of_csv(source)
        return
    for records in records_of(source, is_quoted=False):
        for line in records.texts():
            named = _NAMED.findall(line)
            yield from (str(parse_json(one)) for one in named)
            if not named:
                yield from _words(line)


def _of_csv(source: Source) -> Iterator[str]:
    place: int | None = None
    is_first = True
    for records in records_of(source, is_quoted=True):
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
