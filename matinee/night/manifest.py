"""Builds the manifest of a release from what each step of the night found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from matinee import landing, releases, report, transform, validation, warehouse
from matinee.columns import MEMBER_ID
from matinee.evaluation import gate
from matinee.evaluation.names import BEFORE_POLICY, OPERATOR_POLICY
from matinee.models.frame import Frame
from matinee.night import combine, evaluate, fit, score, validate
from matinee.night.features import Refreshed
from matinee.night.forward.decide import Plan
from matinee.night.frame import EVALUATED, PUBLISHED, SERVICE, Framed, HeldOut, read_frame
from matinee.night.insights.step import Insights
from matinee.night.night import SETTINGS, Night
from matinee.releases import build_info, digest
from matinee.rights import dp_counts
from matinee.slates import ai_labels


@dataclass(frozen=True)
class Evidence:
    """The result of each step of the night."""

    receipt: landing.Receipt
    expired: landing.Expired
    built: transform.Built
    validation: validation.Validation
    refreshed: Refreshed
    framed: Framed
    plan: Plan
    held_out: HeldOut | None
    """None on a forward night."""
    evaluation: evaluate.Evaluation
    scored: score.Scored
    insights: Insights

    @property
    def verdicts(self) -> list[gate.Verdict]:
        """The verdict of each rule of the gate: on the model, then on the slates."""
        return [*self.evaluation.verdicts, *self.scored.verdicts]

    def exposure(self) -> dict[str, Any]:
        """The exposure of titles, and the gaps between groups of members."""
        return self.scored.facts() | {
            "gaps": [*self.evaluation.groups],
            "price_of_raising": self.evaluation.policy_cost(BEFORE_POLICY),
            "lead_over_operator_policy": self.evaluation.policy_cost(OPERATOR_POLICY),
        }


def manifest(night: Night, evidence: Evidence) -> dict[str, Any]:
    """The manifest of a release, without the fields that the store adds."""
    settings = night.settings
    built, framed = evidence.built, evidence.framed
    frame = read_frame(night.work(PUBLISHED))
    inputs = _inputs(night)
    return {
        "created_at": night.started_at,
        "as_of": night.as_of,
        "reason": "scheduled",
        "code": build_info.code(settings.project),
        "environment": build_info.environment(),
        "determinism": {"seed": settings.seed, "threads_per_model": 1},
        "settings": {name: getattr(settings, name) for name in SETTINGS},
        "inputs": inputs,
        "stages": digests(night),
        "received": _counts(night, inputs),
        "set_aside": [
            {"file": entry.file, "reason": entry.reason} for entry in evidence.receipt.set_aside
        ],
        "dropped": [asdict(one) for one in evidence.expired.streams],
        "warnings": [*evidence.receipt.warnings, *evidence.expired.warnings, *framed.crowded],
        "dbt": {
            "manifest_sha256": built.manifest_sha256,
            "models": built.models,
            "tests_passed": built.tests_passed,
            "tests_warned": built.tests_warned,
        },
        "validation": evidence.validation.facts(),
        "features": {
            "service": SERVICE,
            "registry_sha256": evidence.refreshed.registered.sha256,
            "views": list(evidence.refreshed.registered.views),
            "online_values_compared": evidence.refreshed.compared,
            "online_skipped_because": evidence.refreshed.skipped_because,
        },
        "model": fit.facts(night, frame, combine.Chosen.read(night.work("")).calibration_weight),
        "evaluation": _evaluation(evidence),
        "forward_test": test.facts() if (test := evidence.plan.test) else None,
        "gate": {"rules": [verdict.facts() for verdict in evidence.verdicts], "overrides": []},
        "exposure": evidence.exposure(),
        "insights": evidence.insights.facts(),
        "privacy": _privacy(night),
        "authenticity": _authenticity(night),
        "samples": sample_members(night, frame),
        "history": {
            "releases": release_history(night),
            "validation": validate.history(night),
        },
    }


def _evaluation(evidence: Evidence) -> dict[str, Any]:
    """How models were evaluated: tonight, or on the last night of a full evaluation."""
    plan, held_out = evidence.plan, evidence.held_out
    metrics = metrics_table(evidence.evaluation).to_pylist()
    if plan.carried is not None:
        before = plan.carried.manifest["evaluation"]
        carried = {
            "is_full": False,
            "because": plan.because,
            "of_release": before["of_release"] or plan.carried.id,
            "previous": plan.carried.id,
            "metrics": metrics,
        }
        return {**before, **carried}
    return {
        **(asdict(held_out) if held_out else {}),
        "is_full": True,
        "because": plan.because,
        "of_release": None,
        "previous": None,
        "full": plan.tonight.facts(),
        "metrics": metrics,
    }


def metrics_table(evaluation: evaluate.Evaluation) -> pa.Table:
    """The evaluation with the column names of a release."""
    names = ["n" if name == "member_count" else name for name in evaluation.table.column_names]
    return evaluation.table.rename_columns(names)


def _inputs(night: Night) -> list[dict[str, Any]]:
    """Every landing file that the night may have read, by name.

    An event counts by when it was received, whatever the day of the folder that it lies in.
    """
    contract = landing.load(night.settings.project)
    events = " union ".join(
        f"select file from stg_{stream.source}__{stream.name} where received_at < $as_of"
        for stream in contract.streams.values()
        if stream.kind == "event"
    )
    early = warehouse.query(events, {"as_of": night.as_of.replace(tzinfo=None)}, home=night.home)[
        "file"
    ].to_pylist()
    heard = set(early)
    return [
        {
            "file": entry.file,
            "sha256": entry.sha256,
            "bytes": entry.bytes,
            "rows": entry.rows,
            "rejected": entry.rejected,
        }
        for entry in landing.read_ledger(night.home).received
        if entry.landed_on < night.as_of.date() or entry.stream == "consents" or entry.file in heard
    ]


def _counts(night: Night, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where the rows of each stream's input files went."""
    streams: dict[str, Counter[str]] = {}
    files = warehouse.file_counts(night.home)
    for file in (entry["file"] for entry in inputs if entry["file"] in files):
        counts = files[file]
        streams.setdefault(file.split("/")[0], Counter()).update(
            received=counts.received,
            kept=counts.staged,
            repeats=counts.exact_repeats,
            rejected=counts.rejected,
        )
    return [{"stream": stream, **rows} for stream, rows in sorted(streams.items())]


def _privacy(night: Night) -> dict[str, Any]:
    sql = """
        select
            count(*) as members,
            count(*) filter (not may_personalise) as without_personalisation,
            count(*) filter (not may_use_for_insights) as without_insights,
            count(*) filter (not may_market) as without_marketing
        from members
    """
    row = query(sql, night).to_pylist()[0]
    return {
        "members_in": row["members"] - row["without_personalisation"],
        "excluded_by_purpose": {
            "personalisation": row["without_personalisation"],
            "insights": row["without_insights"],
            "marketing": row["without_marketing"],
        },
        "consent_without_record": night.settings.consent_without_record,
        "erased_through": landing.tombstones.newest(night.home),
        "budget": dp_counts.witness(night.settings),
    }


def _authenticity(night: Night) -> dict[str, Any]:
    sql = """
        select coalesce(digital_source_type, 'unknown') as source_type, count(*) as asset_count
        from assets
        group by all
        order by all
    """
    titles = "select count(*) as n from titles where coalesce(ai_use, 'none') != 'none'"
    return {
        "assets_by_digital_source_type": {
            row["source_type"]: row["asset_count"] for row in query(sql, night).to_pylist()
        },
        "titles_made_with_ai": query(titles, night).to_pylist()[0]["n"],
        "artwork_refused": len(ai_labels.unlabelled_assets(query(evaluate.ARTWORK, night))),
    }


def query(sql: str, night: Night) -> pa.Table:
    return warehouse.query(sql, home=night.home)


def sample_members(night: Night, frame: Frame) -> list[str]:
    """Members whose lists are shown as examples; see `typical`."""
    active = warehouse.query(
        "select member_id, count(*) as act_count from member_title_signals where observed_at <= ? "
        "group by member_id order by act_count desc, member_id",
        [night.as_of.replace(tzinfo=None)],
        home=night.home,
    )[MEMBER_ID].to_pylist()
    closed = set(_closed(night))
    active = [member for member in active if member not in closed]
    inactive = sorted(set(frame.members.ids.to_pylist()) - {*active, *closed})
    return typical(active, inactive)


def typical(active: Sequence[str], inactive: Sequence[str]) -> list[str]:
    """Up to three typical members: the median, the upper quartile, and one without a history.

    The most active member is no example: few have a list like that.

    Parameters
    ----------
    active : members with a history, the most active first
    inactive : members without one; where there are none, the lower quartile stands in

    >>> typical(["a", "b", "c", "d", "e"], ["y", "z"]), typical(["a", "b", "c", "d", "e"], [])
    (['c', 'b', 'z'], ['c', 'b', 'd'])
    """
    n = len(active)
    middle = [active[place] for place in (n // 2, n // 4) if n]
    return list(dict.fromkeys([*middle, *(inactive or active[3 * n // 4 :][:1])[-1:]]))


def _closed(night: Night) -> list[str]:
    sql = "select member_id from members where is_closed"
    closed: list[str] = warehouse.query(sql, home=night.home)[MEMBER_ID].to_pylist()
    return closed


def release_history(night: Night) -> list[Mapping[str, Any]]:
    """The numbers of the releases of earlier data, oldest first; of one day the newest release."""
    days = {
        release.manifest["as_of"]: release.manifest
        for release in reversed(releases.Store.of(night.settings.home).list())
    }
    earlier = [days[day] for day in sorted(days) if datetime.fromisoformat(day) < night.as_of]
    return [report.numbers(manifest) for manifest in earlier[1 - report.HISTORY :]]


def digests(night: Night) -> dict[str, dict[str, str | None]]:
    """The hashes of what a release is made from and does not hold itself, for its manifest."""
    tables = sorted((night.home / "features").glob("*.parquet"))
    frames = {
        f"{frame}/{record.file}": record.content_sha256
        for frame in (EVALUATED, PUBLISHED)
        if night.work(frame).is_dir()
        for record in digest.describe(night.work(frame))
    }
    return {
        "features": {path.stem: digest.table_sha256(path)[0] for path in tables},
        "frames": frames,
    }
