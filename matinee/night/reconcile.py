"""Reconciles the warehouse with the ledger: no received row is lost, and few are rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from matinee import landing, transform, warehouse
from matinee.errors import IntegrityError, RefusedError
from matinee.landing import requests

EVERY_DAY = "all days"


def reconcile(home: Path) -> None:
    """Reconcile the warehouse with the ledger, file by file.

    Raises
    ------
    IntegrityError
        When rows received are not staged + rejected + exact repeats; names the stream and file.
    """
    entries = {entry.file: entry for entry in landing.read_ledger(home).received}
    counted = warehouse.file_counts(home)
    nothing = warehouse.Counts(0, 0, 0, 0)
    wrong = [
        file
        for file in sorted(entries.keys() | counted.keys())
        if (entries[file].rows if file in entries else 0) != _found(counted.get(file, nothing))
    ]
    if not wrong:
        return
    file, found = wrong[0], counted.get(wrong[0], nothing)
    received = entries[file].rows if file in entries else 0
    more = f" ({len(wrong) - 1:,} more files do not add up)" if len(wrong) > 1 else ""
    raise IntegrityError(
        f"{file.partition('/')[0]}: {received:,} rows of {file} were received, but"
        f" {found.staged:,} staged + {found.rejected:,} rejected + {found.exact_repeats:,} exact"
        f" repeats are {_found(found):,}{more}: run `matinee run --full-refresh`; if they still"
        f" differ, remove {home / 'received'} to receive every file again"
    )


def hold_to_budget(home: Path, project: Path, *, last_day: date, days: int) -> None:
    """Stop the night when too many rows of a stream are rejected.

    Checks each of the last `days` days by arrival, because a good history must not hide a bad
    night, and all days together.

    Raises
    ------
    RefusedError
        Names the worst stream, its ratio and the rule that most rows broke.
    """
    vars = transform.project_vars(project)
    ratios, least = vars["error_budget_ratio"], vars["error_budget_rows"]
    first = last_day - timedelta(days=days - 1)
    received: Counter[tuple[str, str]] = Counter()
    broken: dict[tuple[str, str], Counter[str]] = {}
    for entry in landing.read_ledger(home).received:
        if entry.landed_on <= last_day:
            for span in _spans(entry.landed_on, first):
                received[entry.stream, span] += entry.rows
    for row in _rejected_by_day(home, project):
        is_request = (row["stream"], row["rule"]) == (requests.STREAM, requests.UNKNOWN)
        # Whoever may ask must not stop nights by asking for nobody.
        if row["landed_on"] <= last_day and not is_request:
            for span in _spans(row["landed_on"], first):
                rules = broken.setdefault((row["stream"], span), Counter())
                rules[row["rule"]] += row["rows"]
    over = []
    for (stream, span), rules in broken.items():
        rejected = rules.total()
        ratio = rejected / max(received[stream, span], 1)
        budget = _of(ratios, stream)
        if ratio > budget and rejected > _of(least, stream):
            over.append((ratio, stream, span, budget, rules))
    if over:
        ratio, stream, span, budget, rules = max(over, key=lambda one: one[:3])
        ((rule, count),) = rules.most_common(1)
        raise RefusedError(
            f"{stream}: {rules.total():,} of {received[stream, span]:,} rows ({ratio:.1%}) of"
            f" {span} are rejected, the budget is {budget:.1%}; {count:,} break {rule}. See them"
            f" with `matinee rejected --stream {stream}`; {_remedy(home, stream, span, last_day)}"
        )


def _found(counts: warehouse.Counts) -> int:
    return counts.staged + counts.rejected + counts.exact_repeats


def _spans(day: date, first: date) -> list[str]:
    return [EVERY_DAY, day.isoformat()] if day >= first else [EVERY_DAY]


def _of(budgets: Mapping[str, float], stream: str) -> float:
    return budgets.get(stream, budgets["default"])


def _remedy(home: Path, stream: str, span: str, last_day: date) -> str:
    """What helps: the file with most rejected rows is withdrawn, or the contract is corrected."""
    worst = warehouse.query(
        f"select file, count(*) as n_rows from rejected_{stream}"
        " where landed_on <= $last_day and ($span = $every_day or landed_on::varchar = $span)"
        " group by file order by n_rows desc, file limit 1",
        {"last_day": last_day, "span": span, "every_day": EVERY_DAY},
        home=home,
    ).to_pylist()[0]
    return (
        f"most of them, {worst['n_rows']:,}, are in {worst['file']}: land it corrected, and take"
        f" it back with `matinee receive --withdraw {worst['file']}`; or correct the contract and"
        f" `matinee replay`; or raise error_budget_ratio for {stream} in dbt_project.yml"
    )


def _rejected_by_day(home: Path, project: Path) -> list[dict[str, Any]]:
    every = union_of_rejected("landed_on, rule", stream_names(project))
    sql = f"select *, count(*) as rows from ({every}) group by all order by all"
    rows: list[dict[str, Any]] = warehouse.query(sql, home=home).to_pylist()
    return rows


def union_of_rejected(columns: str, streams: list[str]) -> str:
    """SQL for the rejected rows of some streams, with the name of the stream."""
    # Stream names are the contract's, which allows nothing but letters, digits and underscores.
    return " union all ".join(
        f"select '{stream}' as stream, {columns} from rejected_{stream}" for stream in streams
    )


def stream_names(project: Path) -> list[str]:
    """The streams of the contract."""
    return list(landing.load(project).streams)
