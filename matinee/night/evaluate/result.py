"""What an evaluation found: the evidence of a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from matinee.columns import PLACES
from matinee.evaluation import gate
from matinee.evaluation.names import EVERYONE
from matinee.slates import exposure


@dataclass(frozen=True)
class Evaluation:
    """Metrics and gate verdicts: the evidence of a release."""

    table: pa.Table
    """In the schema of `comparison.EVALUATION`."""

    verdicts: tuple[gate.Verdict, ...]
    groups: tuple[exposure.Row, ...] = ()
    """NDCG of the published lists by group of members: an audit of fairness."""

    def rows(self) -> list[dict[str, Any]]:
        """The gate table: a line per cohort and metric, a column per model."""
        table: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self.table.to_pylist():
            line = table.setdefault(
                (row["metric"], row["cohort"]),
                {
                    "cohort": row["cohort"],
                    "metric": row["metric"],
                    "members": row["member_count"],
                },
            )
            line[row["model"]] = round(row["mean"], 4)
        return list(table.values())

    def policy_cost(self, model: str) -> dict[str, float] | None:
        """The lead of the published lists over those of another policy, with its interval.

        `model` is `BEFORE_POLICY` or `OPERATOR_POLICY`; None where there is no such policy.
        """
        key = (model, EVERYONE, f"ndcg@{PLACES}")
        for row in self.table.to_pylist():
            if (row["model"], row["cohort"], row["metric"]) == key:
                return {name: row[name] for name in ("lead", "lead_low", "lead_high")}
        return None

    def refusals(self) -> list[gate.Verdict]:
        """The verdicts of the rules that failed."""
        return [verdict for verdict in self.verdicts if not verdict.passed]
