"""The account of the raw logs: every row received is somewhere, and few of them are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from matinee import landing, releases, transform, warehouse
from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.settings import Settings

EVERY_DAY = "all days"

IN_CONTEXT = ("unknown_member", "unknown_title", "duplicate_event_id", "duplicate_key")
"""Rules of dbt (`judged_deliveries`): a row breaks them by what other rows say."""


@dataclass(frozen=True)
class Refused:
    """The rejected rows that were asked for: the first of them, and how many there are."""

    rows: list[dict[str, Any]]
    rules: dict[tuple[str, str], int]
    """(stream, rule) -> rows, most first; of all that match, shown or not."""
    others: dict[tuple[str, str], int]
    """The same of those that do not match."""

    def summary(self) -> str:
        """How many, and which rules they broke."""
        total = sum(self.rules.values())
        if total:
            return f"{len(self.rows):,} of {total:,} rejected rows: {_counted(self.rules)}"
        if self.others:
            return f"no rejected rows break that rule; there are {_counted(self.others)}"
        return "no rejected rows"


def reconcile(home: Path) -> None:
    """Hold the warehouse to the ledger, file by file.

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

    Asked of each of the last `days` days by arrival, so that a good history does not excuse a bad
    night, and of all days together.

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
        if row["landed_on"] <= last_day:
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


def _remedy(home: Path, stream: str, span: str, last_day: date) -> str:
    """What helps: the file with most rejected rows is taken back, or the contract is mended."""
    worst = warehouse.query(
        f"select file, count(*) as n_rows from rejected_{stream}"
        " where landed_on <= $last_day and ($span = $every_day or landed_on::varchar = $span)"
        " group by file order by n_rows desc, file limit 1",
        {"last_day": last_day, "span": span, "every_day": EVERY_DAY},
        home=home,
    ).to_pylist()[0]
    return (
        f"most of them, {worst['n_rows']:,}, are in {worst['file']}: land it corrected, and take"
        f" it back with `matinee receive --withdraw {worst['file']}`; or mend the contract and"
        f" `matinee replay`; or raise error_budget_ratio for {stream} in dbt_project.yml"
    )


def unreceived(settings: Settings) -> list[dict[str, Any]]:
    """Every landing file of which no row counts: why, and the path that would be right."""
    found = landing.unreceived(settings.home.resolve(), landing.load(settings.project))
    return [{"file": one.name, "why": one.reason, "right_path": one.right} for one in found]


def rejected(settings: Settings, *, stream: str | None, rule: str | None, limit: int) -> Refused:
    """Rejected rows, newest first; `rule` may leave out the column, as in `missing_field`.

    Raises
    ------
    ConfigError
        If there is no such stream, or no such rule and no row that ever broke it.
    """
    streams = [_known(stream, settings.project)] if stream else _streams(settings.project)
    found = _union("file, line, landed_on as first_seen_on, rule, raw_text", streams)
    matches = "($rule is null or rule = $rule or starts_with(rule, $rule || ':'))"
    home, asked = settings.home.resolve(), {"rule": rule}
    rows = warehouse.query(
        f"select * from ({found}) where {matches}"
        f" order by first_seen_on desc, file, line, rule limit {limit:d}",
        asked,
        home=home,
    )
    counts: dict[bool, dict[tuple[str, str], int]] = {True: {}, False: {}}
    for row in warehouse.query(
        f"select {matches} as is_asked, stream, rule, count(*) as rows from ({found})"
        " group by all order by rows desc, stream, rule",
        asked,
        home=home,
    ).to_pylist():
        counts[row["is_asked"]][row["stream"], row["rule"]] = row["rows"]
    if rule and not counts[True]:
        _require_rule(rule, settings.project, streams)
    return Refused(rows=rows.to_pylist(), rules=counts[True], others=counts[False])


def replay(settings: Settings, *, stream: str | None) -> landing.Replayed:
    """Check the rows that receiving rejected once more, against the contract as it is now."""
    contract, home = landing.load(settings.project), settings.home.resolve()
    with releases.lease(home):
        return landing.replay(
            home=home,
            contract=contract,
            streams=[_known(stream, settings.project)] if stream else list(contract.streams),
            threads=settings.threads,
            memory_limit=settings.memory_limit,
        )


def _counted(rules: Mapping[tuple[str, str], int]) -> str:
    return ", ".join(f"{n:,} {stream} {rule}" for (stream, rule), n in rules.items())


def _found(counts: warehouse.Counts) -> int:
    return counts.staged + counts.rejected + counts.exact_repeats


def _spans(day: date, first: date) -> list[str]:
    return [EVERY_DAY, day.isoformat()] if day >= first else [EVERY_DAY]


def _of(budgets: Mapping[str, float], stream: str) -> float:
    return budgets.get(stream, budgets["default"])


def _rejected_by_day(home: Path, project: Path) -> list[dict[str, Any]]:
    every = _union("landed_on, rule", _streams(project))
    sql = f"select *, count(*) as rows from ({every}) group by all order by all"
    rows: list[dict[str, Any]] = warehouse.query(sql, home=home).to_pylist()
    return rows


def _union(columns: str, streams: list[str]) -> str:
    # Stream names are the contract's, which allows nothing but letters, digits and underscores.
    return " union all ".join(
        f"select '{stream}' as stream, {columns} from rejected_{stream}" for stream in streams
    )


def _streams(project: Path) -> list[str]:
    return list(landing.load(project).streams)


def _require_rule(rule: str, project: Path, streams: list[str]) -> None:
    contract = landing.load(project)
    whole = {
        *IN_CONTEXT,
        *(one for name in streams for one in landing.rules(contract.streams[name])),
    }
    families = {one.partition(":")[0] for one in whole}
    if rule not in whole | families:
        raise ConfigError(f"no rule {rule}; there are: {', '.join(sorted(families))}")


def _known(stream: str, project: Path) -> str:
    names = _streams(project)
    if stream not in names:
        raise ConfigError(f"no stream {stream}; there are: {', '.join(names)}")
    return stream
