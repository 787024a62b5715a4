"""Erases members: removes all that names them from every file of a home, and writes a receipt.

The order makes a crash harmless. The members are written down first, then their tombstones, then
each store is cleaned. The work is done only when a search of every file finds nothing. The next
`receive` continues an interrupted erasure, and carries out the erase requests received.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee import durable, features, landing, provenance, recent_events, releases, warehouse
from matinee.errors import ConfigError, IntegrityError, printable_name
from matinee.privacy import Traces
from matinee.progress import Progress
from matinee.releases import fence
from matinee.releases.reissue import reissue_all
from matinee.rights import audit, consent, control, member_search
from matinee.rights.reissue import ERASURE, ReissueWithoutMembers
from matinee.rights.search_files import KEYED_BY_MEMBER, TEXT_SUFFIXES
from matinee.settings import Settings

UNFINISHED = "privacy/forgetting.json"
"""Members whose erasure is not finished; the last file that names them, removed at the end."""

STALE_MARKER = "warehouse/stale"
"""Tells the next build that more than `erased_days` still counts erased members: full refresh."""

DEV_WAREHOUSE = "warehouse/dev.duckdb"
"""What `dbt build --target dev` writes; it is built again by hand."""

STEPS = (
    "search",
    "logs and received rows",
    "warehouse",
    "features",
    "releases",
    "other files",
    "verify",
)


@dataclass(frozen=True)
class ErasureReceipt:
    """What was erased. Members appear as `tombstones`, which only the privacy key resolves."""

    tombstones: list[str]
    requested_at: str
    search: str
    """What it rests on: `full`, every file; or `index`, the files that may hold the members."""
    confirmed_at: str | None
    """When a full search found nothing of the members; null while an `index` is provisional."""
    found: dict[str, int]
    """Rows that named the members before the erasure, by store."""
    left: dict[str, int]
    """The same afterwards; must be empty."""
    mentions: dict[str, int]
    """Rows and lines that have an id as a token outside all member fields, by file. They stay."""
    files_searched: int
    control_planted: int
    control_found: int
    """How many of the planted files the search found; must be all of them."""
    landing_files: dict[str, list[str]]
    """Landing file -> its sha256 before and after."""
    landing_files_removed: list[str]
    received_files: int
    releases: list[dict[str, str | None]]
    """Each release that named them: its id before and after, null if it was removed."""

    def rows(self) -> list[dict[str, Any]]:
        """One row per store."""
        return [
            {"store": store, "rows_before": rows, "rows_after": self.left.get(store, 0)}
            for store, rows in self.found.items()
        ]

    def as_dict(self) -> dict[str, Any]:
        """The receipt as its JSON file holds it."""
        names = {"requested_at": "asked_at"}
        return {names.get(name, name): value for name, value in asdict(self).items()}


def erase_members(
    settings: Settings, members: Iterable[str], *, by: str, progress: Progress | None = None
) -> tuple[ErasureReceipt, Path]:
    """Erase members; return the receipt and its path. The caller holds the lease of the home.

    Raises
    ------
    ConfigError
        If no member is given, or an id is blank.
    IntegrityError
        If a file still names a member at the end, or the search misses a planted file.
    """
    ids = frozenset(members)
    if blank := [one for one in ids if not one.strip()]:
        raise ConfigError(f"{blank[0]!r} is not a member id")
    if not ids:
        raise ConfigError("name at least one member to erase")
    return _erase(settings, ids, by=by, progress=progress)


def erase_requested(
    settings: Settings,
    progress: Progress | None = None,
    *,
    unsettled: Collection[str] = (),
) -> ErasureReceipt | None:
    """Finish interrupted erasures, and erase the members of received erase requests.

    The caller holds the lease: this is a step of `receive`, which names the landing files that are
    `unsettled`: not received as they are. Searches open the files that may hold the members; the
    first, and one a week while receipts are provisional, opens all.
    """
    home = settings.home.resolve()
    ids = landing.requested(home) | _unfinished(home)
    is_due = audit.is_due(home, datetime.now(UTC))
    if not ids and not (is_due and audit.provisional(home)):
        return None
    if not ids:
        ids, reasons = audit.returned(home)
        if not ids:
            audit.confirm(home, datetime.now(UTC), reasons=reasons)
            return None
    needed = None if is_due else landing.member_index.needed(home, ids, unsettled=unsettled)
    return _erase(settings, ids, by="privacy_requests", progress=progress, needed=needed)[0]


def _erase(
    settings: Settings,
    ids: frozenset[str],
    *,
    by: str,
    progress: Progress | None,
    needed: Callable[[str], bool] | None = None,
) -> tuple[ErasureReceipt, Path]:
    """Erase; with `needed`, by a search of those files.

    A full search while receipts are provisional looks for everybody who was erased before, too.
    """
    home = settings.home.resolve()
    at = datetime.now(UTC)
    report = progress or (lambda done, total, what: None)

    def step(number: int) -> None:
        fence(home)
        report(number, len(STEPS), STEPS[number])

    durable.sweep_drafts(home)
    control.sweep(home)
    exclude = frozenset({UNFINISHED})
    ids = ids | _unfinished(home)
    step(0)
    is_audit = needed is None and bool(audit.provisional(home))
    returned = audit.returned(home, exclude=exclude)[0] if is_audit else frozenset()
    ids |= returned
    traces = Traces(ids)
    _write(home / UNFINISHED, {"members": sorted(ids)})
    tombstones = landing.tombstones.add(home, ids, at)
    before = member_search.examine(home, traces, exclude=exclude, is_needed=needed)
    step(1)
    erased = landing.erase(home, landing.load(settings.project), traces, before.rows)
    landing.member_index.forget(home, ids)
    step(2)
    _erase_from_warehouse(home, traces)
    step(3)
    features.erase(home=home, project=settings.project, traces=traces)
    recent_events.erase(home, ids)
    # The next night writes these again. dbt's target repeats text of the project, and an id that
    # is a word of that text would be found there after every erasure.
    for temporary in ("work", "insights", "warehouse/dbt/target"):
        shutil.rmtree(home / temporary, ignore_errors=True)
    (home / DEV_WAREHOUSE).unlink(missing_ok=True)
    step(4)
    reissued = _reissue(settings, traces, before.rows, at, by)
    step(5)
    with durable.drafts(home) as drafts:
        for name in before.rows:
            _clean(home, name, traces, drafts)
    step(6)
    with control.planted(home, min(ids), is_full=needed is None) as planted:
        after = member_search.examine(home, traces, exclude=exclude, is_needed=needed)
    detected = [name for name in planted if after.found.pop(name, None)]
    _require_complete(after, planted, detected)
    receipt = ErasureReceipt(
        tombstones=tombstones,
        requested_at=at.isoformat(),
        search="full" if needed is None else "index",
        confirmed_at=at.isoformat() if needed is None else None,
        found=member_search.by_store(before.rows),
        left=member_search.by_store(after.rows),
        mentions=_by_name(after.mentions.items(), traces),
        files_searched=after.files - len(planted),
        control_planted=len(planted),
        control_found=len(detected),
        releases=reissued,
        **_landing_facts(erased, traces),
    )
    path = home / audit.RECEIPTS / f"{at:%Y%m%dT%H%M%S.%fZ}-{tombstones[0][:12]}.json"
    _write(path, receipt.as_dict())
    if needed is None:
        audit.confirm(home, at, returned)
    durable.remove(home / UNFINISHED)
    return receipt, path


def _erase_from_warehouse(home: Path, traces: Traces) -> None:
    """Erase there, and leave the mark of a full refresh while one is needed."""
    if not warehouse.path(home).is_file():
        return
    was_stale = (home / STALE_MARKER).exists()
    durable.replace(home / STALE_MARKER, b"")  # until it is known what has to be summed again
    if not warehouse.erase(home, traces) and not was_stale:
        durable.remove(home / STALE_MARKER)


def _landing_facts(erased: landing.Erased, traces: Traces) -> dict[str, Any]:
    """What a receipt says of landing and received files."""
    return {
        "landing_files": {
            member_search.without_names(name, traces): list(pair)
            for name, pair in erased.rewritten.items()
        },
        "landing_files_removed": [
            member_search.without_names(one, traces) for one in erased.removed
        ],
        "received_files": len(erased.received),
    }


def _by_name(mentions: Iterable[tuple[str, int]], traces: Traces) -> dict[str, int]:
    """Counts by a path that names no member, for files may be called by an id."""
    counts: Counter[str] = Counter()
    for name, count in mentions:
        counts[member_search.without_names(name, traces)] += count
    return dict(counts)


def _require_complete(
    after: member_search.Searched, planted: list[str], detected: list[str]
) -> None:
    if missed := sorted(set(planted) - set(detected)):
        raise IntegrityError(f"the search did not find the planted file {missed[0]}: do not trust")
    for name, reason in after.reasons.items():
        more = f" ({len(after.rows)} files in all)" if len(after.rows) > 1 else ""
        raise IntegrityError(
            f"{printable_name(name)} cannot be searched, for {reason}{more}: remove it, or what"
            " wrote it, then run `matinee forget` again"
        )
    for name, rows in after.rows.items():
        raise IntegrityError(
            f"{printable_name(name)} still names a member in {rows} rows ({len(after.rows)} files"
            " in all): remove it, or what wrote it, then run `matinee forget` again"
        )


def _reissue(
    settings: Settings, traces: Traces, rows_by_file: dict[str, int], at: datetime, by: str
) -> list[dict[str, str | None]]:
    store = releases.Store.of(settings.home)
    release_ids = {name.split("/")[1] for name in rows_by_file if name.startswith("releases/")}
    if not release_ids:
        return []
    refused = consent.read(settings)
    fill = ReissueWithoutMembers(
        traces, lambda one: not refused.includes(one, consent.PERSONALISATION)
    )
    done = reissue_all(store, release_ids, fill, at=at, by=by, why=ERASURE)
    return [{"before": one.before, "after": one.after} for one in done]


def _clean(home: Path, name: str, traces: Traces, drafts: durable.Drafts) -> None:
    """Clean what no store owns, by fields of member ids: logs, reports, planted truths."""
    path = home / name
    if path.suffix not in TEXT_SUFFIXES:
        return
    *above, last = name.split("/")
    try:
        # A backup may share the files of a home by hard links; logs that it shares are refused.
        text = durable.read_plain(home, [*above, last], one_name=above[:1] == ["landing"])
    except (durable.NotPlainError, FileNotFoundError):
        return  # if it still names them, the last search says so
    cleaned = _without(text, name, traces) if path.suffix == ".json" else None
    if cleaned is None:
        is_theirs = above[:1] == ["landing"] and landing.has_members(home, name.split("/")[1])
        cleaned = landing.text_without(text, traces, path.suffix, has_members=is_theirs)
    if cleaned == text:
        return
    draft = drafts.new()
    draft.write_bytes(cleaned)
    with durable.folder(home, above) as folder:
        durable.put(draft, path, folder=folder)


def _without(text: bytes, name: str, wanted: Traces) -> bytes | None:
    """A JSON document without the members; None for a text that is none, which goes by lines."""
    is_keyed = name == KEYED_BY_MEMBER
    try:
        if not wanted.in_json(text, is_document=True, is_keyed=is_keyed):
            return None
        kept = wanted.without(provenance.parse_json(text), is_keyed=is_keyed)
        return json.dumps(kept, ensure_ascii=False, indent=1).encode() + b"\n"
    except (ValueError, RecursionError):
        return None


def _unfinished(home: Path) -> frozenset[str]:
    path = home / UNFINISHED
    if not path.exists():
        return frozenset()
    cure = "restore it, or remove it and forget the same members again"
    unfinished = provenance.document(path.read_bytes(), path, cure)
    try:
        return frozenset(unfinished["members"])
    except (KeyError, TypeError):
        raise IntegrityError(f"{path} names no members: {cure}") from None


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    # Half a surrogate pair, as of a name that is not UTF-8, stays the escape that JSON has for it.
    durable.replace(path, text.encode(errors="backslashreplace"), mode=0o600)
