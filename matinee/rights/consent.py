"""Consent by purpose: records choices, keeps the list of withdrawals, selects the slate to show.

A choice is written twice: as a row of `consents` in the landing zone, for later builds, and into
the list of withdrawals, which every read of a slate checks. The list contains keyed pseudonyms and
no member ids. It is authenticated with the same key, so that a removed entry is detected, and has a
version and a copy in `keys/`, so that an older list is.

Without the list nothing is personalised: only a night of a home without one, `restore` and `merge`
write a new one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable, features, landing, releases
from matinee.columns import EVENT_AT, MEMBER_ID
from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.privacy import pseudonym
from matinee.provenance import parse_json
from matinee.releases import non_profiled
from matinee.releases.release import SLATES
from matinee.rights.withdrawals import (
    COPY,
    FILE,
    MIRRORED,
    USE,
    Withdrawals,
    read_copy,
    read_list,
    text_of,
    verified,
    write,
)
from matinee.settings import Settings

PERSONALISATION, INSIGHTS = "personalisation", "insights"

PURPOSES = (PERSONALISATION, INSIGHTS, "marketing")


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


def read(settings: Settings) -> Withdrawals:
    """The list of withdrawals of a home.

    Raises
    ------
    IntegrityError
        If it is missing, was changed by hand or is an older one, or its key is missing: no slate
        is shown on the basis of a list that may lack members.
    """
    return read_list(settings.home.resolve())


def restore(settings: Settings) -> Withdrawals:
    """Write the list again, from its copy in `keys/` and all consents of this home.

    Raises
    ------
    IntegrityError
        If there is no copy and the home receives no logs: the list has to come from a mirror.
    """
    home = settings.home.resolve()
    with releases.lease(home, name="consent", wait_seconds=10):
        if not (home / COPY).exists() and not (home / "received").exists():
            raise IntegrityError(
                f"{home} has no copy of the list of withdrawals and has received no logs: fetch "
                f"the list with `matinee releases pull URL`, or restore {home / FILE} from a backup"
            )
        key = landing.tombstones.key(home)
        withdrawals = read_copy(home, key) or Withdrawals(key)
        path = home / FILE
        if path.exists() and (there := verified(path.read_bytes(), key)):
            withdrawals = max(withdrawals, there, key=lambda one: one.version)
        _apply(withdrawals, pa.concat_tables([_received_consents(home), _local_consents(home)]))
        return _save(settings, withdrawals)


def serialised(settings: Settings) -> bytes:
    """The list as bytes, for a serving machine with the same privacy key."""
    return text_of(read(settings))


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
        key = landing.tombstones.key(home)
        remote = verified(text, key)
        if remote is None:
            raise IntegrityError(
                f"{where} was not written with the privacy key of {home}: copy the key from the "
                f"home that pushed, or find out who changed it"
            )
        seen = read_copy(home, key, MIRRORED)
        if seen and remote.version < seen.version:
            raise IntegrityError(
                f"{where} is version {remote.version} of the list, and this home has seen version "
                f"{seen.version} there: it was rewound; `matinee releases push` from the home that "
                f"builds releases brings it up again"
            )
        _apply(remote, pa.concat_tables([_received_consents(home), _local_consents(home)]))
        try:
            before, is_current = read_list(home), True
        except IntegrityError:  # what is fetched takes its place
            before, is_current = read_copy(home, key) or Withdrawals(key), False
        if not is_current or remote.since != before.since:
            version = max(remote.version, before.version)
            _save(settings, Withdrawals(key, remote.since, version))
        if seen is None or seen.version < remote.version:
            write(home / MIRRORED, text)


def take_newer(settings: Settings, text: bytes) -> bool:
    """Take over a list if it is a valid one of a higher version; return whether it was."""
    found = verified(text, landing.tombstones.key(settings.home.resolve()))
    if found is None or found.version <= read(settings).version:
        return False
    merge(settings, text, "the mirror's list")
    return True


def record_choice(
    settings: Settings,
    member_id: str,
    purpose: str,
    *,
    granted: bool,
    is_known: bool = False,
    at: datetime | None = None,
) -> tuple[Path, str | None]:
    """Record a member's choice; return the landing file and the id of the live release, if any.

    Parameters
    ----------
    is_known : bool
        Whether there is such a member though the live release may have none: by an event since.

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
    if live and not is_known and not live.slate(member_id).num_rows:
        raise ConfigError(f"live release {live.id} has no member {member_id!r}: check the id")
    at = at or datetime.now(UTC)
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
        _save(settings, withdrawals)
    return path, live.id if live else None


def refresh(settings: Settings) -> Withdrawals:
    """Apply all received consents to the list; choices of this home not yet received are kept.

    In a home that never had a list, this writes the first one.
    """
    home = settings.home.resolve()
    with releases.lease(home, name="consent", wait_seconds=10):
        is_first = not (home / FILE).exists() and not (home / COPY).exists()
        withdrawals = Withdrawals(landing.tombstones.key(home)) if is_first else read_list(home)
        before = json.dumps(withdrawals.since, sort_keys=True)
        _apply(withdrawals, _received_consents(home))
        if is_first:
            _apply(withdrawals, _local_consents(home))
        is_changed = json.dumps(withdrawals.since, sort_keys=True) != before
        if is_changed or not (home / COPY).exists():
            withdrawals = _save(settings, withdrawals)
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
    """Apply rows of `consents`: what each member decided last for each purpose, by receipt.

    A grant undoes the refusals that were received before it, if it was also made after them. No
    choice was made after it was received: `int_consents__decided` decides in the same way.
    """
    choices: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows.to_pylist():
        choices.setdefault((row[MEMBER_ID], row["purpose"]), []).append(row)
    for (member_id, purpose), made in sorted(choices.items()):
        granted, at = _decided(made)
        name = pseudonym(withdrawals.key, member_id, use=USE)
        withdrawals.record(name, purpose, granted=granted, at=f"{at:%Y-%m-%dT%H:%M:%S.%fZ}")


def _decided(rows: list[dict[str, Any]]) -> tuple[bool, datetime]:
    """Whether a member grants a purpose, and since when, from all rows about it."""
    times = [(row["granted"], *_times(row)) for row in rows]
    refused = [(made, received) for granted, made, received in times if not granted]
    if not refused:
        return True, max(made for _, made, _ in times)
    last_made, last_received = (max(column) for column in zip(*refused, strict=True))
    later = [
        made
        for granted, made, received in times
        if granted and made > last_made and received >= last_received
    ]
    return (True, max(later)) if later else (False, last_made)


def _times(row: dict[str, Any]) -> tuple[datetime, datetime]:
    """When a choice was made and when it was received, neither after the day it landed on."""
    landed_on = next(part for part in row["file"].split("/") if part.startswith("dt="))
    end = datetime.combine(datetime.fromisoformat(landed_on[3:]), time.min) + timedelta(days=1)
    received: datetime = min(row["received_at"], end)
    return min(row[EVENT_AT], received), received


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


def _save(settings: Settings, withdrawals: Withdrawals) -> Withdrawals:
    """Write the list as the next version, then its copy; then nothing of them is online."""
    home = settings.home.resolve()
    new = Withdrawals(withdrawals.key, withdrawals.since, withdrawals.version + 1)
    for name in (FILE, COPY):
        write(home / name, text_of(new))
    remove_online(settings, new)
    return new


def remove_online(settings: Settings, withdrawals: Withdrawals) -> int:
    """Remove who refused personalisation from Feast's online store; return how many rows."""
    refused = withdrawals.since.get(PERSONALISATION, {})

    def is_refused(member_id: str) -> bool:
        return pseudonym(withdrawals.key, member_id, use=USE) in refused

    if not refused:
        return 0
    return features.remove_online(settings.home, settings.project, is_refused)
