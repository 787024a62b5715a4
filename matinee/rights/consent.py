"""Consent by purpose: records choices, keeps the list of withdrawals, selects the slate to show.

A choice is written twice: as a row of `consents` in the landing zone, for later builds, and into
the list of withdrawals, which every read of a slate checks. The list contains keyed pseudonyms and
no member ids. It is authenticated with the same key, so that a removed entry is detected.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable, landing, releases
from matinee.columns import EVENT_AT, MEMBER_ID
from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.privacy import pseudonym
from matinee.provenance import canonical_json, parse_json, readable_json
from matinee.releases import non_profiled
from matinee.releases.release import SLATES
from matinee.settings import Settings

PERSONALISATION, INSIGHTS = "personalisation", "insights"

PURPOSES = (PERSONALISATION, INSIGHTS, "marketing")

FILE = "privacy/withdrawals.json"

USE = "withdrawal"

MOST_BYTES = 256 << 20
"""A longer list is not read from a mirror; 1,000 refusals have 70 kB."""

_SCHEMA = pa.schema(
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

_ORDER = [(name, "ascending") for name in (EVENT_AT, "received_at", "event_id")]


@dataclass(frozen=True)
class Withdrawals:
    """Purpose -> pseudonym of a member who refused it -> time of the refusal."""

    key: bytes
    since: dict[str, dict[str, str]]

    def includes(self, member_id: str, purpose: str) -> bool:
        """Whether a member has refused a purpose."""
        return pseudonym(self.key, member_id, use=USE) in self.since.get(purpose, {})

    def record(self, name: str, purpose: str, *, granted: bool, at: str) -> None:
        """Apply one choice, unless a later one is known."""
        refused = self.since.setdefault(purpose, {})
        if refused.get(name, "") > at:
            return
        if granted:
            refused.pop(name, None)
        else:
            refused[name] = at


def read(settings: Settings) -> Withdrawals:
    """The list of withdrawals of a home.

    Raises
    ------
    IntegrityError
        If it was changed by hand: no slate is shown on the basis of a list that may lack members.
    """
    home = settings.home.resolve()
    path = home / FILE
    key = landing.tombstones.key(home)
    if not path.exists():
        return Withdrawals(key, {})
    if (withdrawals := _verified(path.read_bytes(), key)) is None:
        raise IntegrityError(
            f"{path} was changed by hand: restore it, or remove it and run `matinee run`, which "
            f"writes it again from all received consents"
        )
    return withdrawals


def serialised(settings: Settings) -> bytes:
    """The list as bytes, for a serving machine with the same privacy key."""
    return _text(read(settings))


def merge(settings: Settings, text: bytes, where: str) -> None:
    """Take over the list of another home; choices recorded in this home are kept.

    Raises
    ------
    ConfigError
        If this home has no privacy key: the pseudonyms of the list cannot be resolved without it.
    IntegrityError
        If the list was not authenticated with the key of this home.
    """
    home = settings.home.resolve()
    if not (home / landing.tombstones.KEY).exists():
        raise ConfigError(
            f"{where} lists withdrawals by pseudonyms of the privacy key, which is not here: copy "
            f"{landing.tombstones.KEY} from the home that pushed, mode 600, then pull again"
        )
    with releases.lease(home, name="consent", wait_seconds=10):
        remote = _verified(text, landing.tombstones.key(home))
        if remote is None:
            raise IntegrityError(
                f"{where} was not written with the privacy key of {home}: copy the key from the "
                f"home that pushed, or find out who changed it"
            )
        _apply(remote, pa.concat_tables([_received_consents(home), _local_consents(home)]))
        if remote != read(settings):
            _save(home, remote)


def record_choice(
    settings: Settings, member_id: str, purpose: str, *, granted: bool
) -> tuple[Path, str | None]:
    """Record a member's choice; return the landing file and the id of the live release, if any.

    Raises
    ------
    ConfigError
        If the purpose is unknown, or the live release has no such member.
    """
    if purpose not in PURPOSES:
        raise ConfigError(f"no purpose {purpose!r}; known purposes: {', '.join(PURPOSES)}")
    home = settings.home.resolve()
    store = releases.Store.of(home)
    live = store.live()
    if live and not live.slate(member_id).num_rows:
        raise ConfigError(f"live release {live.id} has no member {member_id!r}: check the id")
    at = datetime.now(UTC)
    event_at = f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
    digest = hashlib.sha256(f"{member_id}\0{purpose}\0{event_at}".encode()).hexdigest()[:16]
    row = {
        "event_id": f"said-{digest}",
        "event_at": event_at,
        "received_at": event_at,
        "member_id": member_id,
        "purpose": purpose,
        "granted": granted,
    }
    line = json.dumps(row, ensure_ascii=False) + "\n"
    path = landing.place(
        home,
        "consents",
        at.date(),
        f"said-{digest}.jsonl",
        lambda draft: draft.write_bytes(line.encode()),
    )
    with releases.lease(home, name="consent", wait_seconds=10):
        withdrawals = read(settings)
        name = pseudonym(withdrawals.key, member_id, use=USE)
        withdrawals.record(name, purpose, granted=granted, at=event_at)
        _save(home, withdrawals)
    return path, live.id if live else None


def refresh(settings: Settings) -> Withdrawals:
    """Apply all received consents to the list; choices of this home not yet received are kept."""
    home = settings.home.resolve()
    with releases.lease(home, name="consent", wait_seconds=10):
        withdrawals = read(settings)
        before = json.dumps(withdrawals.since, sort_keys=True)
        _apply(withdrawals, _received_consents(home))
        if json.dumps(withdrawals.since, sort_keys=True) != before:
            _save(home, withdrawals)
    return withdrawals


def may_personalise(settings: Settings, member_id: str) -> bool:
    """Whether a member allows personalisation; every command that shows a slate checks this."""
    return not read(settings).includes(member_id, PERSONALISATION)


def refused_since(settings: Settings, known: Collection[str]) -> set[tuple[str, str]]:
    """(member, purpose) pairs refused in a landing file that is not among the `known`."""
    home = settings.home.resolve()
    withdrawals = read(settings)
    choices = pa.concat_tables([_received_consents(home), _local_consents(home)])
    later = choices.filter(
        pc.invert(pc.is_in(choices["file"], value_set=pa.array(known, pa.string())))
    )
    pairs = {(row[MEMBER_ID], row["purpose"]) for row in later.to_pylist()}
    return {pair for pair in pairs if withdrawals.includes(*pair)}


def slate(
    settings: Settings, release: releases.Release, member_id: str, *, folder: str = SLATES
) -> pa.Table:
    """The list a release shows a member: non-profiled once personalisation is refused.

    `folder` is as for `Release.slate`.

    Raises
    ------
    RefusedError
        If they refused and the release is too old to have non-profiled lists.
    """
    if may_personalise(settings, member_id):
        return release.slate(member_id, folder=folder)
    shown = non_profiled.read(release, member_id)
    if shown is None:
        raise RefusedError(
            f"member {member_id} refused personalisation and release {release.id} has no "
            f"non-profiled list: publish a new one with `matinee run`"
        )
    return shown


def _apply(withdrawals: Withdrawals, rows: pa.Table) -> None:
    names = {one: pseudonym(withdrawals.key, one, use=USE) for one in _unique(rows, MEMBER_ID)}
    for row in rows.sort_by(_ORDER).to_pylist():
        at = f"{row[EVENT_AT]:%Y-%m-%dT%H:%M:%S.%fZ}"
        name = names[row[MEMBER_ID]]
        withdrawals.record(name, row["purpose"], granted=row["granted"], at=at)


def _received_consents(home: Path) -> pa.Table:
    """The received rows of `consents`, as the warehouse reads them."""
    paths = sorted((home / "received" / "consents").glob("batch=*/*.parquet"))
    tables = [pq.read_table(path, columns=_SCHEMA.names).cast(_SCHEMA) for path in paths]
    return pa.concat_tables([_SCHEMA.empty_table(), *tables])


def _local_consents(home: Path) -> pa.Table:
    """Choices landed by `record_choice` that may not be received: a serving home has no nights."""
    landing_zone = home / "landing"
    rows = []
    for path in sorted((landing_zone / "consents").glob("dt=*/said-*.jsonl")):
        name = path.relative_to(landing_zone).as_posix()
        try:
            lines = durable.read_plain(landing_zone, name.split("/")).splitlines()
            # A line is blank where a member was erased.
            rows += [_choice(line) | {"file": name} for line in lines if line.strip()]
        except (durable.NotPlainError, ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"{path} is not as `matinee consent` wrote it ({error}): restore it, or remove it "
                f"if it is none of its files"
            ) from None
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _choice(line: bytes) -> dict[str, Any]:
    row = parse_json(line)
    times = {name: datetime.fromisoformat(row[name]) for name in (EVENT_AT, "received_at")}
    choice = {name: row[name] for name in ("event_id", MEMBER_ID, "purpose", "granted")}
    if [type(one) for one in choice.values()] != [str, str, str, bool]:
        raise ValueError("its values have other types")
    return choice | {name: at.replace(tzinfo=None) for name, at in times.items()}


def _unique(rows: pa.Table, column: str) -> list[str]:
    names: list[str] = pc.unique(rows[column]).to_pylist()
    return names


def _seal(key: bytes, since: dict[str, Any]) -> str:
    return hmac.new(key, b"withdrawals\0" + canonical_json(since), hashlib.sha256).hexdigest()


def _text(withdrawals: Withdrawals) -> bytes:
    seal = _seal(withdrawals.key, withdrawals.since)
    return readable_json({"since": withdrawals.since, "seal": seal})


def _verified(text: bytes, key: bytes) -> Withdrawals | None:
    """The list in a text, or None if its MAC does not match the key."""
    try:
        document = parse_json(text)
        since: dict[str, dict[str, str]] = document["since"]
        is_sealed = hmac.compare_digest(document["seal"], _seal(key, since))
    except (ValueError, KeyError, TypeError):
        return None
    return Withdrawals(key, since) if is_sealed else None


def _save(home: Path, withdrawals: Withdrawals) -> None:
    path = home / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    releases.fence(path)
    durable.replace(path, _text(withdrawals))
