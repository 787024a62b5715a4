"""What one receipt of landing files found, took and left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from matinee.errors import printable, printable_name
from matinee.landing.ledger import Entry

RULES_SHOWN = 3
LONGEST_LINE = 120


@dataclass(frozen=True)
class Totals:
    """Rows of one stream. `received` = `kept` + `rejected`, always."""

    received: int = 0
    kept: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Receipt:
    """What one call found, took and left."""

    batch: int | None
    """The new batch's number, or None when nothing was new."""
    files: tuple[Entry, ...]
    """Received now."""
    set_aside: tuple[Entry, ...]
    """Not received, each with its reason; the next call tries again."""
    unchanged: int
    """Files received by an earlier call, their bytes the same."""
    rules: Mapping[str, Mapping[str, int]]
    """Rejected rows of this batch by stream and rule."""
    warnings: tuple[str, ...]
    """What may be a mistake: names that the contract does not know, one id that has it all."""
    examples: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The first row that broke a rule, by stream and rule."""
    torn_lines: Mapping[str, str] = field(default_factory=dict)
    """A line of a file that was set aside, or its columns: shown once, and kept nowhere."""
    withdrawn: tuple[Entry, ...] = ()
    """Files that were taken back, as they had been received."""
    notes: tuple[str, ...] = ()
    """How something was read that can be read in more than one way."""

    def summary(self) -> str:
        """One line, and one more for each thing that somebody should look at."""
        rows = sum(total.received for total in self.totals.values())
        rejected = sum(total.rejected for total in self.totals.values())
        lines = [
            f"{len(self.files):,} new files with {rows:,} rows, {rejected:,} of them rejected; "
            f"{self.unchanged:,} files received before"
        ]
        lines += [
            f"took back {entry.file} with {entry.rows:,} rows, {entry.rejected:,} of them rejected"
            for entry in self.withdrawn
        ]
        for stream, rules in self.rules.items():
            for rule, count in sorted(rules.items(), key=lambda one: -one[1])[:RULES_SHOWN]:
                example = self.examples.get(stream, {}).get(rule)
                where = f", the first {example}" if example else ""
                lines.append(f"{stream}: {count:,} rows break {rule}{where}")
        for entry in self.set_aside:
            line = self.torn_lines.get(entry.file)
            shown = f"; the line is {printable_name(line[:LONGEST_LINE])!r}" if line else ""
            lines.append(f"quarantined {entry.file}: {entry.reason}{shown}")
        lines += [f"warning: {warning}" for warning in self.warnings]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(map(printable, lines))

    @property
    def totals(self) -> dict[str, Totals]:
        """This batch's rows by stream."""
        return count(self.files)


def count(entries: Iterable[Entry]) -> dict[str, Totals]:
    """Rows by stream."""
    totals: dict[str, Totals] = {}
    for entry in entries:
        so_far = totals.get(entry.stream, Totals())
        totals[entry.stream] = Totals(
            received=so_far.received + entry.rows,
            kept=so_far.kept + entry.kept,
            rejected=so_far.rejected + entry.rejected,
        )
    return totals
