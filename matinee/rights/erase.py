"""Forgets members: everything that names them under a home goes, and a receipt proves it.

The order makes a crash harmless. Who is being forgotten is written down first, then the tombstone,
then each store is cleaned; only when a search of every file finds nothing is the work done. The
next `receive` takes up what a crash left, and takes in the erase requests that were received.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee import features, landing, releases, warehouse
from matinee.errors import ConfigError, IntegrityError
from matinee.privacy import ERASED, Traces
from matinee.progress import Progress
from matinee.releases import lease
from matinee.releases.reissue import reissue_all
from matinee.rights import consent, member_search
from matinee.rights.reissue import ERASURE, ReissueWithoutMembers
from matinee.settings import Settings

UNFINISHED = "privacy/forgetting.json"
"""Whom we are forgetting; the one file that may still name them, and it goes last."""

STALE_MARKER = "warehouse/stale"
"""A mark for the next build: sums in the warehouse still count someone; build it all again."""

STEPS = ("look", "logs and received rows", "warehouse", "features", "releases", "the rest", "prove")


@dataclass(frozen=True)
class ErasureReceipt:
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


def erase_members(
    settings: Settings, members: Iterable[str], *, by: str, progress: Progress | None = None
) -> tuple[ErasureReceipt, Path]:
    """Forget members, under the lease of the home, and return the receipt and where it is.

    Raises
    ------
    IntegrityError
        If something still names them at the end, or the search does not see what is planted.
    """
    ids = frozenset(members)
    if blank := [one for one in ids if not one.strip()]:
        raise ConfigError(f"{blank[0]!r} is no member id")
    if not ids:
        raise ConfigError("name at least one member to forget")
    with lease(settings.home.resolve()):
        return _erase(settings, ids, by=by, progress=progress)


def erase_requested(settings: Settings, progress: Progress | None = None) -> ErasureReceipt | None:
    """Forget whom a crash left half forgotten, and who asked for it in a received log.

    The caller holds the lease: this is a part of receiving.
    """
    home = settings.home.resolve()
    ids = landing.requested(home) | _unfinished(home)
    if not ids:
        return None
    return _erase(settings, ids, by="privacy_requests", progress=progress)[0]


def _erase(
    settings: Settings, ids: frozenset[str], *, by: str, progress: Progress | None
) -> tuple[ErasureReceipt, Path]:
    home = settings.home.resolve()
    at = datetime.now(UTC)
    ids = ids | _unfinished(home)
    wanted = Traces(ids)
    tell = progress or (lambda done, total, what: None)

    def step(number: int) -> None:
        tell(number, len(STEPS), STEPS[number])

    _write(home / UNFINISHED, {"members": sorted(ids)})
    tombstones = landing.tombstones.add(home, ids, at)
    step(0)
    found = member_search.search(home, wanted, exclude=frozenset({UNFINISHED}))
    step(1)
    erased = landing.erase(home, landing.load(settings.project), wanted, found)
    step(2)
    if warehouse.path(home).is_file():
        (home / STALE_MARKER).touch()
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
    for name in found:
        _clean(home / name, wanted)
    step(6)
    with member_search.planted_control(home, min(ids)) as planted:
        after = member_search.search(home, wanted, exclude=frozenset({UNFINISHED}))
    seen = [name for name in planted if after.pop(name, 0)]
    receipt = ErasureReceipt(
        tombstones=tombstones,
        asked_at=at.isoformat(),
        found=member_search.by_store(found),
        left=member_search.by_store(after),
        files_searched=sum(path.is_file() for path in home.rglob("*")),
        control_planted=len(planted),
        control_found=len(seen),
        landing_files={name: list(pair) for name, pair in erased.rewritten.items()},
        landing_files_removed=erased.removed,
        received_files=len(erased.received),
        releases=moved,
    )
    _require_complete(receipt, after, planted, seen)
    path = home / "reports" / "erasures" / f"{at:%Y%m%dT%H%M%SZ}-{tombstones[0][:12]}.json"
    _write(path, asdict(receipt))
    (home / UNFINISHED).unlink()
    return receipt, path


def _require_complete(
    receipt: ErasureReceipt, after: dict[str, int], planted: list[str], seen: list[str]
) -> None:
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
    store = releases.Store.of(settings.home)
    named = {name.split("/")[1] for name in found if name.startswith("releases/")}
    refused = consent.read(settings)
    fill = ReissueWithoutMembers(
        store, wanted, lambda one: not refused.includes(one, consent.PERSONALISATION)
    )
    done = reissue_all(store, named, fill, at=at, by=by, why=ERASURE)
    return [{"before": one.before, "after": one.after} for one in done]


def _clean(path: Path, wanted: Traces) -> None:
    """Clean what no store owns: logs, reports, planted truths."""
    if not path.is_file() or path.suffix not in member_search.TEXT_SUFFIXES:
        return
    text = path.read_bytes()
    if not wanted.in_text(text):
        return
    if path.suffix == ".json":
        document = wanted.without(json.loads(text))
        cleaned = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
    elif path.suffix in (".html", ".md"):
        cleaned = text
        for one in wanted.distinctive:
            cleaned = cleaned.replace(one.encode(), ERASED.encode())
    else:
        lines = text.splitlines(keepends=True)
        cleaned = b"".join(line for line in lines if not wanted.in_text(line))
    draft = path.with_name(f".{path.name}.erasing")
    draft.write_bytes(cleaned)
    os.replace(draft, path)


def _unfinished(home: Path) -> frozenset[str]:
    path = home / UNFINISHED
    if not path.exists():
        return frozenset()
    return frozenset(json.loads(path.read_text(encoding="utf-8"))["members"])


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
