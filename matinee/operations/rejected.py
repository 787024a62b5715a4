"""Shows the rows that broke the contract, and checks them once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee import landing, releases, warehouse
from matinee.errors import ConfigError
from matinee.night.reconcile import stream_names, union_of_rejected
from matinee.settings import Settings

CROSS_ROW_RULES = ("unknown_member", "unknown_title", "duplicate_event_id", "duplicate_key")
"""Rules of dbt (`judged_deliveries`): a row breaks them by what other rows say."""


@dataclass(frozen=True)
class RejectedRows:
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


def rejected(
    settings: Settings, *, stream: str | None, rule: str | None, limit: int
) -> RejectedRows:
    """Rejected rows, newest first; `rule` may leave out the column, as in `missing_field`.

    Raises
    ------
    ConfigError
        If there is no such stream, or no such rule and no row that ever broke it.
    """
    streams = [_known(stream, settings.project)] if stream else stream_names(settings.project)
    found = union_of_rejected("file, line, landed_on as first_seen_on, rule, raw_text", streams)
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
    return RejectedRows(rows=rows.to_pylist(), rules=counts[True], others=counts[False])


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


def _require_rule(rule: str, project: Path, streams: list[str]) -> None:
    contract = landing.load(project)
    whole = {
        *CROSS_ROW_RULES,
        *(one for name in streams for one in landing.rules(contract.streams[name])),
    }
    families = {one.partition(":")[0] for one in whole}
    if rule not in whole | families:
        raise ConfigError(f"no rule {rule}; there are: {', '.join(sorted(families))}")


def _known(stream: str, project: Path) -> str:
    names = stream_names(project)
    if stream not in names:
        raise ConfigError(f"no stream {stream}; there are: {', '.join(names)}")
    return stream
