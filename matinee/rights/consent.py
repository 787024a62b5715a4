"""What members said about each purpose, honoured at the next read.

A choice goes two ways at once: as a row of `consents` into the landing zone, for every build to
come, and into the list of withdrawals, which every read looks at. The list names nobody: it holds
keyed pseudonyms, and a seal by the same key, so that nobody can strike a member off it unseen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import landing, releases
from matinee.columns import EVENT_AT, MEMBER_ID
from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.privacy import pseudonym
from matinee.provenance import canonical_json, readable_json
from matinee.releases import non_profiled
from matinee.releases.release import SLATES
from matinee.settings import Settings

PERSONALISATION, INSIGHTS = "personalisation", "insights"

PURPOSES = (PERSONALISATION, INSIGHTS, "marketing")

FILE = "privacy/withdrawals.json"

USE = "withdrawal"

_SAID = pa.schema(
    {
        "event_id": pa.string(),
        MEMBER_ID: pa.string(),
        "purpose": pa.string(),
        "granted": pa.bool_(),
        EVENT_AT: pa.timestamp("us"),
        "received_at": pa.timestamp("us"),
        "file": pa.string(),
    }
)

_IN_ORDER = [(name, "ascending") for name in (EVENT_AT, "received_at", "event_id")]


@dataclass(frozen=True)
class Withdrawals:
    """By purpose, the pseudonyms of those who refused it, and since when."""

    key: bytes
    since: dict[str, dict[str, str]]

    def holds(self, member_id: str, purpose: str) -> bool:
        """Whether a member has refused a purpose."""
        return pseudonym(self.key, member_id, use=USE) in self.since.get(purpose, {})

    def said(self, name: str, purpose: str, *, granted: bool, at: str) -> None:
        """Take in one choice, unless a later one is known."""
        there = self.since.setdefault(purpose, {})
        if there.get(name, "") > at:
            return
        if granted:
            there.pop(name, None)
        else:
            there[name] = at


def read(settings: Settings) -> Withdrawals:
    """The list of a home.

    Raises
    ------
    IntegrityError
        If somebody changed it: better no list is shown than one that a member refused.
    """
    home = settings.home.resolve()
    path = home / FILE
    key = landing.tombstones.key(home)
    if not path.exists():
        return Withdrawals(key, {})
    if (found := _opened(path.read_bytes(), key)) is None:
        raise IntegrityError(
            f"{path} is not what was written: restore it, or remove it and run `matinee run`, "
            f"which writes it again from all consents received"
        )
    return found


def sealed(settings: Settings) -> bytes:
    """The list of a home as it is kept, for a machine that serves and holds the same key."""
    return _text(read(settings))


def adopt(settings: Settings, text: bytes, where: str) -> None:
    """Take over the list of another home; what was said here stays said.

    Raises
    ------
    ConfigError
        If the key is not here: without it nobody on the list is known.
    IntegrityError
        If it was not sealed with the key that is here.
    """
    home = settings.home.resolve()
    if not (home / landing.tombstones.KEY).exists():
        raise ConfigError(
            f"{where} says who refused, in names that only the privacy key tells: copy "
            f"{landing.tombstones.KEY} from the home that pushed, mode 600, then pull again"
        )
    with releases.lease(home, name="consent", wait_seconds=10):
        theirs = _opened(text, landing.tombstones.key(home))
        if theirs is None:
            raise IntegrityError(
                f"{where} was not sealed with the privacy key of {home}: copy the key from the "
                f"home that pushed, or find out who changed it"
            )
        _replay(theirs, pa.concat_tables([_received(home), _said_here(home)]))
        if theirs != read(settings):
            _save(home, theirs)


def choose(
    settings: Settings, member_id: str, purpose: str, *, granted: bool
) -> tuple[Path, str | None]:
    """Write down a member's choice; return the landing file, and the live release if there is one.

    Raises
    ------
    ConfigError
        If there is no such purpose, or the live release knows no such member.
    """
    if purpose not in PURPOSES:
        raise ConfigError(f"no purpose {purpose!r}; there are {', '.join(PURPOSES)}")
    home = settings.home.resolve()
    store = releases.Store.of(home)
    live = store.live()
    if live and not live.slate(member_id).num_rows:
        raise ConfigError(f"live release {live.id} knows no member {member_id!r}: check the id")
    at = datetime.now(UTC)
    said = f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
    named = hashlib.sha256(f"{member_id}\0{purpose}\0{said}".encode()).hexdigest()[:16]
    row = {
        "event_id": f"said-{named}",
        "event_at": said,
        "received_at": said,
        "member_id": member_id,
        "purpose": purpose,
        "granted": granted,
    }
    line = json.dumps(row, ensure_ascii=False) + "\n"
    path = landing.place(
        home,
        "consents",
        at.date(),
        f"said-{named}.jsonl",
        lambda draft: _write(draft, line.encode()),
    )
    with releases.lease(home, name="consent", wait_seconds=10):
        withdrawals = read(settings)
        name = pseudonym(withdrawals.key, member_id, use=USE)
        withdrawals.said(name, purpose, granted=granted, at=said)
        _save(home, withdrawals)
    return path, live.id if live else None


def refresh(settings: Settings) -> Withdrawals:
    """Bring the list up to all consents received; what was said here and is not received stays."""
    home = settings.home.resolve()
    with releases.lease(home, name="consent", wait_seconds=10):
        withdrawals = read(settings)
        before = json.dumps(withdrawals.since, sort_keys=True)
        _replay(withdrawals, _received(home))
        if json.dumps(withdrawals.since, sort_keys=True) != before:
            _save(home, withdrawals)
    return withdrawals


def may_personalise(settings: Settings, member_id: str) -> bool:
    """Whether a member's own data may decide what is shown: what every reader asks first."""
    return not read(settings).holds(member_id, PERSONALISATION)


def refused_since(settings: Settings, known: Collection[str]) -> set[tuple[str, str]]:
    """Who refuses which purpose by a landing file that is not among the `known`."""
    home = settings.home.resolve()
    withdrawals = read(settings)
    said = pa.concat_tables([_received(home), _said_here(home)])
    news = said.filter(pc.invert(pc.is_in(said["file"], value_set=pa.array(known, pa.string()))))
    pairs = {(row[MEMBER_ID], row["purpose"]) for row in news.to_pylist()}
    return {pair for pair in pairs if withdrawals.holds(*pair)}


def slate(
    settings: Settings, release: releases.Release, member_id: str, *, folder: str = SLATES
) -> pa.Table:
    """What a release shows a member now: the list for all, once they have refused their own.

    `folder` is as for `Release.slate`.

    Raises
    ------
    RefusedError
        If they refused and the release is so old that it holds no list for all.
    """
    if may_personalise(settings, member_id):
        return release.slate(member_id, folder=folder)
    shown = non_profiled.read(release, member_id)
    if shown is None:
        raise RefusedError(
            f"member {member_id} refused personalisation and release {release.id} holds no list "
            f"for all: publish a new one with `matinee run`"
        )
    return shown


def _replay(withdrawals: Withdrawals, rows: pa.Table) -> None:
    names = {one: pseudonym(withdrawals.key, one, use=USE) for one in _unique(rows, MEMBER_ID)}
    for row in rows.sort_by(_IN_ORDER).to_pylist():
        at = f"{row[EVENT_AT]:%Y-%m-%dT%H:%M:%S.%fZ}"
        name = names[row[MEMBER_ID]]
        withdrawals.said(name, row["purpose"], granted=row["granted"], at=at)


def _received(home: Path) -> pa.Table:
    """What members said about each purpose, as the warehouse takes it."""
    paths = sorted((home / "received" / "consents").glob("batch=*/*.parquet"))
    tables = [pq.read_table(path, columns=_SAID.names).cast(_SAID) for path in paths]
    return pa.concat_tables([_SAID.empty_table(), *tables])


def _said_here(home: Path) -> pa.Table:
    """What `choose` landed: it may wait for a night that this home never has."""
    landing_zone = home / "landing"
    rows = [
        json.loads(line) | {"file": path.relative_to(landing_zone).as_posix()}
        for path in sorted((landing_zone / "consents").glob("dt=*/said-*.jsonl"))
        for line in path.read_bytes().splitlines()
        if line.strip()  # blank where a member was erased
    ]
    times = (EVENT_AT, "received_at")
    told = [
        {**row, **{name: datetime.fromisoformat(row[name]).replace(tzinfo=None) for name in times}}
        for row in rows
    ]
    return pa.Table.from_pylist(told, schema=_SAID)


def _unique(rows: pa.Table, column: str) -> list[str]:
    names: list[str] = pc.unique(rows[column]).to_pylist()
    return names


def _seal(key: bytes, since: dict[str, Any]) -> str:
    return hmac.new(key, b"withdrawals\0" + canonical_json(since), hashlib.sha256).hexdigest()


def _text(withdrawals: Withdrawals) -> bytes:
    seal = _seal(withdrawals.key, withdrawals.since)
    return readable_json({"since": withdrawals.since, "seal": seal})


def _opened(text: bytes, key: bytes) -> Withdrawals | None:
    """The list in a text, or None if it was not sealed with the key."""
    try:
        document = json.loads(text)
        since: dict[str, dict[str, str]] = document["since"]
        is_sealed = hmac.compare_digest(document["seal"], _seal(key, since))
    except (ValueError, KeyError, TypeError):
        return None
    return Withdrawals(key, since) if is_sealed else None


def _save(home: Path, withdrawals: Withdrawals) -> None:
    path = home / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    _write(draft, _text(withdrawals))
    os.replace(draft, path)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
