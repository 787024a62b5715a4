"""Who was forgotten, so that old logs do not bring them back. Only the key's holder can tell."""

import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import durable
from matinee.columns import MEMBER_ID
from matinee.errors import ConfigError, IntegrityError
from matinee.id_tokens import tokens
from matinee.landing import files
from matinee.landing.contract import Contract
from matinee.landing.discover import discover
from matinee.landing.files import Source, TornError
from matinee.landing.formats.dialect import detect
from matinee.landing.formats.dialect import fields as split_fields
from matinee.landing.formats.parquet_tables import texts
from matinee.landing.read import csv_fields, records_of
from matinee.privacy import LEAST_KEY_BYTES, Traces, is_member_field, pseudonym
from matinee.provenance import document, parse_as_written

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
            found = {one for one in candidates(source) if self.holds(one)}
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
                if member_id in candidates(source):
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


def names(home: Path, ids: Iterable[str]) -> list[str]:
    """The pseudonyms of members in tombstones, sorted."""
    found = list(ids)
    return sorted(pseudonym(key(home), one, use=USE) for one in found) if found else []


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


def candidates(source: Source) -> set[str]:
    """Every id that a file may name; of broken lines every word and field."""
    found: set[str] = set()
    if source.file.format == "parquet":
        schema = pq.read_schema(source.seekable())
        for name in (one for one in schema.names if is_member_field(one)):
            column = texts(pq.read_table(source.seekable(), columns=[name]).column(0)).unique()
            found.update(str(one) for one in column.to_pylist() if one is not None)
        return found
    dialect = detect(source.head(), (MEMBER_ID,)) if source.file.format == "csv" else None
    delimiter = dialect.delimiter if dialect else b","
    places: list[int] | None = None
    before = dialect.lines_before_header if dialect else 0
    for records in records_of(source, is_quoted=dialect is not None, delimiter=delimiter):
        for record in records.texts():
            if dialect is None:
                found.update(_of_json(record))
                continue
            fields = csv_fields(record.decode(errors="replace"), dialect, is_strict=False)
            if places is None:
                if before or not record.strip():
                    before = max(before - 1, 0)
                    continue
                places = [n for n, name in enumerate(fields) if is_member_field(name.strip())]
                if places:
                    continue
            if places and max(places) < len(fields):
                found.update(fields[place] for place in places)
            else:  # no header, then, or a broken record: perhaps somebody's row
                found.update(words(record))
    return found


def _of_json(line: bytes) -> Iterator[str]:
    if (named := _NAMED.findall(line)) and b"\\" not in line:
        yield from (one.decode(errors="replace").strip('"') for one in named)
        return
    try:
        fields = parse_as_written(line)
        yield from (str(value) for name, value in fields if is_member_field(name))
    except (ValueError, TypeError):
        yield from words(line)


def ids_in(record: bytes) -> set[str]:
    """Every id that a rejected record may name, as JSON or as CSV of any dialect."""
    return {*_of_json(record), *words(record)}


def words(text: bytes) -> Iterator[str]:
    """What may be an id in a record that cannot be taken apart: its words and its fields."""
    plain = text.replace(b"\0", b"").decode(errors="replace")
    yield from (one.decode(errors="replace") for one in tokens(plain.encode()))
    for delimiter in ",;\t|":
        yield from split_fields(plain, delimiter)
