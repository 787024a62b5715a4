"""The full search that confirms receipts which rest on the index of landing files.

The ids of erased members are gone by then. It tells them by the pseudonyms of their tombstones:
each token and each value of a member column is hashed once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from matinee import durable, landing, provenance
from matinee.errors import printable_name
from matinee.privacy import Forgotten
from matinee.rights import member_search

RECEIPTS = "reports/erasures"
LAST = "privacy/full_search.json"
"""When every file was searched last."""
EVERY = timedelta(days=7)


def is_due(home: Path, at: datetime) -> bool:
    """Whether no full search ended within a week before `at`, or ever."""
    path = home / LAST
    try:
        last = datetime.fromisoformat(provenance.parse_json(path.read_bytes())["at"])
        return not timedelta(0) <= at - last < EVERY
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return True


def provisional(home: Path) -> list[Path]:
    """The receipts that no full search has confirmed."""
    return [path for path in sorted((home / RECEIPTS).glob("*.json")) if _is_provisional(path)]


def returned(
    home: Path, *, exclude: frozenset[str] = frozenset()
) -> tuple[frozenset[str], dict[str, str]]:
    """The members erased before of whom a file has a row, by a search of every file.

    With them, the files that cannot be searched and the reasons: such a search confirms nothing.
    """
    tombstones = landing.tombstones.read(home)
    if tombstones is None:
        return frozenset(), {}
    forgotten = Forgotten(tombstones.holds)
    searched = member_search.examine(home, forgotten, exclude=exclude)
    has_rows = any(one.rows for one in searched.found.values())
    return frozenset(forgotten.found if has_rows else ()), searched.reasons


def confirm(
    home: Path,
    at: datetime,
    members: frozenset[str] = frozenset(),
    reasons: Mapping[str, str] | None = None,
) -> None:
    """Write down that a full search ended, and confirm the provisional receipts.

    Parameters
    ----------
    members : whom it found, and who were erased again since
    reasons : the files that could not be searched; with any, receipts stay provisional and say so
    """
    names = set(landing.tombstones.names(home, members))
    for path in provisional(home):
        receipt = _receipt(path)
        if reasons:
            name, reason = min(reasons.items())
            receipt["not_confirmed"] = f"{printable_name(name)} cannot be searched, for {reason}"
        else:
            receipt.pop("not_confirmed", None)
            receipt["confirmed_at"] = at.isoformat()
            receipt["found_again"] = sorted(names.intersection(receipt["tombstones"]))
        durable.replace(path, _text(receipt), mode=0o600)
    (home / LAST).parent.mkdir(parents=True, exist_ok=True)
    durable.replace(home / LAST, _text({"at": at.isoformat()}))


def _is_provisional(path: Path) -> bool:
    receipt = _receipt(path)
    return receipt.get("search") == "index" and receipt.get("confirmed_at") is None


def _receipt(path: Path) -> dict[str, Any]:
    return provenance.document(path.read_bytes(), path, "restore it from a backup, or remove it")


def _text(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace")
