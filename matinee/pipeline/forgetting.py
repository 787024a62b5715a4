"""Forgets members: everything that names them under a home goes, and a receipt proves it.

The order makes a crash harmless. Who is being forgotten is written down first, then the tombstone,
then each store is cleaned; only when a search of every file finds nothing is the work done. The
next `receive` takes up what a crash left, and takes in the erase requests that were received.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee import durable, features, landing, provenance, warehouse
from matinee.errors import ConfigError, IntegrityError
from matinee.pipeline import consenting, leasing, reading, traces
from matinee.pipeline.reissuing import ERASURE, Without
from matinee.privacy import ERASED, Traces
from matinee.releases import fence
from matinee.releases.reissue import reissue_all
from matinee.settings import Settings

Progress = Callable[[int, int, str], None]

UNFINISHED = "privacy/forgetting.json"
"""Whom we are forgetting; the one file that may still name them, and it goes last."""

STALE = "warehouse/stale"
"""A mark for the next build: sums in the warehouse still count someone; build it all again."""

STEPS = ("look", "logs and received rows", "warehouse", "features", "releases", "the rest", "prove")


@dataclass(frozen=True)
class Receipt:
    """What was done, without saying for whom: `tombstones` tell the key's holder."""

    tombstones: list[str]
    asked_at: str
    found: dict[str, int]
    """Rows that named the members, by store, before."""
    left: dict[str, int]
    """The same afterwards: empty, or the receipt is not one."""
    files_searched: int
    control_planted: int
    control_found: int
    """Of the planted files, how many the search saw; all, or it proves nothing."""
    landing_files: dict[str, list[str]]
    """Landing file -> its sha256 before and after."""
    landing_files_removed: list[str]
    received_files: int
    releases: list[dict[str, str | None]]
    """Each release that named them: its id before, and after, null where it was removed."""

    def rows(self) -> list[dict[str, Any]]:
        """A line a store."""
        return [
            {"store": store, "rows_before": rows, "rows_after": self.left.get(store, 0)}
            for store, rows in self.found.items()
        ]


def forget(
    settings: Settings, members: Iterable[str], *, by: str, progress: Progress | None = None
) -> tuple[Receipt, Path]:
    """Forget members, under the lease of the home, and return the receipt and where it is.

    Raises
    ------
    IntegrityError
        If something still names them at the end, or the search does not see what is planted.
    StorageError
        If the disk is full; what is left is done by the next call.
    """
    ids = frozenset(members)
    if blank := [one for one in ids if not one.strip()]:
        raise ConfigError(f"{blank[0]!r} is no member id")
    if not ids:
        raise ConfigError("name at least one member to forget")
    with leasing.lease(settings, "forget"):
        return _forget(settings, ids, by=by, progress=progress)


def take_requests(settings: Settings, progress: Progress | None = None) -> Receipt | None:
    """Forget whom a crash left half forgotten, and who asked for it in a received log.

    The caller holds the lease: this is a part of receiving.
    """
    home = settings.home.resolve()
    ids = landing.requested(home) | _unfinished(home)
    if not ids:
        return None
    return _forget(settings, ids, by="privacy_requests", progress=progress)[0]


def _forget(
    settings: Settings, ids: frozenset[str], *, by: str, progress: Progress | None
) -> tuple[Receipt, Path]:
    home = settings.home.resolve()
    at = datetime.now(UTC)
    ids = ids | _unfinished(home)
    wanted = Traces(ids)
    tell = progress or (lambda done, total, what: None)

    def step(number: int) -> None:
        fence(home)
        tell(number, len(STEPS), STEPS[number])

    durable.sweep_drafts(home)
    _write(home / UNFINISHED, {"members": sorted(ids)})
    tombstones = landing.tombstones.add(home, ids, at)
    step(0)
    found = traces.search(home, wanted, but=frozenset({UNFINISHED}))
    step(1)
    erased = landing.erase(home, landing.load(settings.project), wanted, found)
    step(2)
    if warehouse.path(home).is_file():
        durable.replace(home / STALE, b"")
        warehouse.erase(home, wanted)
    step(3)
    features.erase(home=home, project=settings.project, traces=wanted)
    # Made anew by the next night. dbt's target repeats the project's own words, and an id can be
    # one of them: it would be found there for ever.
    for made_anew in ("work", "warehouse/dbt/target"):
        shutil.rmtree(home / made_anew, ignore_errors=True)
    step(4)
    moved = _reissue(settings, wanted, found, at, by)
    step(5)
    with durable.drafts(home) as drafts:
        for name in found:
            _clean(home, name, wanted, drafts)
    step(6)
    with traces.control(home, min(ids)) as planted:
        after = traces.search(home, wanted, but=frozenset({UNFINISHED}))
    seen = [name for name in planted if after.pop(name, 0)]
    receipt = Receipt(
        tombstones=tombstones,
        asked_at=at.isoformat(),
        found=traces.by_store(found),
        left=traces.by_store(after),
        files_searched=sum(path.is_file() for path in home.rglob("*")),
        control_planted=len(planted),
        control_found=len(seen),
        landing_files={name: list(pair) for name, pair in erased.rewritten.items()},
        landing_files_removed=erased.removed,
        received_files=len(erased.received),
        releases=moved,
    )
    _hold(receipt, after, planted, seen)
    path = home / "reports" / "erasures" / f"{at:%Y%m%dT%H%M%SZ}-{tombstones[0][:12]}.json"
    _write(path, asdict(receipt))
    durable.remove(home / UNFINISHED)
    return receipt, path


def _hold(receipt: Receipt, after: dict[str, int], planted: list[str], seen: list[str]) -> None:
    if blind := sorted(set(planted) - set(seen)):
        raise IntegrityError(f"the search did not see {blind[0]}, which was planted: do not trust")
    if receipt.left:
        name, rows = next(iter(after.items()))
        raise IntegrityError(
            f"{name} still names a member in {rows} rows, or cannot be looked into ({len(after)} "
            f"files in all): remove it, or what wrote it, then forget again"
        )


def _reissue(
    settings: Settings, wanted: Traces, found: dict[str, int], at: datetime, by: str
) -> list[dict[str, str | None]]:
    store = reading.store(settings)
    named = {name.split("/")[1] for name in found if name.startswith("releases/")}
    refused = consenting.read(settings)
    fill = Without(store, wanted, lambda one: not refused.holds(one, consenting.PERSONALISATION))
    done = reissue_all(store, named, fill, at=at, by=by, why=ERASURE)
    return [{"before": one.before, "after": one.after} for one in done]


def _clean(home: Path, name: str, wanted: Traces, drafts: durable.Drafts) -> None:
    """Clean what no store owns: logs, reports, planted truths."""
    path = home / name
    if path.suffix not in traces.TEXTS:
        return
    *above, last = name.split("/")
    try:
        # A backup may share the files of a home by hard links; logs that it shares are refused.
        text = durable.read_plain(home, [*above, last], one_name=above[:1] == ["landing"])
    except (durable.NotPlainError, FileNotFoundError):
        return  # if it still names them, the last search says so
    if not wanted.in_text(text):
        return
    if path.suffix == ".json" and (document := _without(text, wanted)) is not None:
        cleaned = document
    elif path.suffix in (".html", ".md"):
        cleaned = text
        for one in wanted.distinctive:
            cleaned = cleaned.replace(one.encode(), ERASED.encode())
    else:
        lines = text.splitlines(keepends=True)
        cleaned = b"".join(line for line in lines if not wanted.in_text(line))
    draft = drafts.new()
    draft.write_bytes(cleaned)
    with durable.folder(home, above) as folder:
        durable.put(draft, path, folder=folder)


def _without(text: bytes, wanted: Traces) -> bytes | None:
    """A JSON document without the members; None for a text that is none, which goes by lines."""
    try:
        kept = wanted.without(provenance.parse_json(text))
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
