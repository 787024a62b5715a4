"""Lists the rejected rows, and validates them again."""

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
"""Rules of dbt (`classified_deliveries`) that depend on other rows."""


@dataclass(frozen=True)
class RejectedRows:
    """The first of the selected rejected rows, and the number of all of them."""

    rows: list[dict[str, Any]]
    rules: dict[tuple[str, str], int]
    """(stream, rule) -> rows, most first; all that match, listed or not."""
    others: dict[tuple[str, str], int]
    """The same for rows that do not match."""

    def summary(self) -> str:
        """The number of rows by stream and rule, in one sentence."""
        total = sum(self.rules.values())
        if total:
            return f"{len(self.rows):,} of {total:,} rejected rows: {_format_counts(self.rules)}"
        if self.others:
            return f"no rejected rows for this rule; other rules: {_format_counts(self.others)}"
        return "no rejected rows"


def unreceived(settings: Settings) -> list[dict[str, Any]]:
    """Every landing file without a received row: the reason, and the path that would be right."""
    found = landing.unreceived(settings.home.resolve(), landing.load(settings.project))
    return [{"file": one.name, "why": one.reason, "right_path": one.right} for one in found]


def rejected(
    settings: Settings, *, stream: str | None, rule: str | None, limit: int
) -> RejectedRows:
    """Rejected rows, newest first; `rule` may omit the column, as in `missing_field`.

    Raises
    ------
    ConfigError
        If the stream is unknown, or the rule is unknown and no rejected row has it.
    """
    streams = (
        [_check_stream(stream, settings.project)] if stream else stream_names(settings.project)
    )
    source = union_of_rejected("file, line, landed_on as first_seen_on, rule, raw_text", streams)
    matches = "($rule is null or rule = $rule or starts_with(rule, $rule || ':'))"
    home, parameters = settings.home.resolve(), {"rule": rule}
    rows = warehouse.query(
        f"select * from ({source}) where {matches}"
        f" order by first_seen_on desc, file, line, rule limit {limit:d}",
        parameters,
        home=home,
    )
    counts: dict[bool, dict[tuple[str, str], int]] = {True: {}, False: {}}
    for row in warehouse.query(
        f"select {matches} as is_match, stream, rule, count(*) as rows from ({source})"
        " group by all order by rows desc, stream, rule",
        parameters,
        home=home,
    ).to_pylist():
        counts[row["is_match"]][row["stream"], row["rule"]] = row["rows"]
    if rule and not counts[True]:
        _require_rule(rule, settings.project, streams)
    return RejectedRows(rows=rows.to_pylist(), rules=counts[True], others=counts[False])


def replay(settings: Settings, *, stream: str | None) -> landing.Replayed:
    """Validate the rows that `receive` rejected again, against the current contract."""
    contract, home = landing.load(settings.project), settings.home.resolve()
    with releases.lease(home):
        return landing.replay(
            home=home,
            contract=contract,
            streams=[_check_stream(stream, settings.project)] if stream else list(contract.streams),
            threads=settings.threads,
            memory_limit=settings.memory_limit,
        )


def _format_counts(rules: Mapping[tuple[str, str], int]) -> str:
    return ", ".join(f"{n:,} {stream} {rule}" for (stream, rule), n in rules.items())


def _require_rule(rule: str, project: Path, streams: list[str]) -> None:
    contract = landing.load(project)
    known = {
        *CROSS_ROW_RULES,
        *(one for name in streams for one in landing.rules(contract.streams[name])),
    }
    families = {one.partition(":")[0] for one in known}
    if rule not in known | families:
        raise ConfigError(f"unknown rule {rule}; known rules: {', '.join(sorted(families))}")


def _check_stream(stream: str, project: Path) -> str:
    names = stream_names(project)
    if stream not in names:
        raise ConfigError(f"unknown stream {stream}; known streams: {', '.join(names)}")
    return stream
