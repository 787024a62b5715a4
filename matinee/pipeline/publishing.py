"""Puts a release together from what the steps left, publishes it, and names it live or not."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import (
    authenticity,
    judging,
    landing,
    releases,
    report,
    transform,
    validation,
    warehouse,
)
from matinee.columns import MEMBER_ID
from matinee.errors import GateError
from matinee.pipeline import (
    evaluation,
    frames,
    origin,
    reading,
    samples,
    scoring,
    stages,
    training,
    validating,
)
from matinee.pipeline.frames import PUBLISHED, Frame
from matinee.pipeline.night import Night, Refreshed

MARTS = {
    "artwork": ("asset_performance_daily",),
    "insights": ("daypart_trends_daily", "genre_trends_daily", "search_gaps_daily"),
    "retention": ("churn_daily",),
}
"""Aggregates that leave the warehouse; each cell is of `minimum_cell_members` or more."""

SETTINGS = ("lateness_days", "slate_size", "calibration_weight", "consent_without_record")
"""What an operator may set that changes the content; the seed is under `determinism`."""

TITLES = """
    select
        title_id, name, title_kind, released_on, language, countries, genres, themes, directors,
        actors, minimum_age, ai_use, ai_disclosure, is_retired
    from titles
    order by title_id
"""


@dataclass(frozen=True)
class Evidence:
    """What each step of the night found."""

    receipt: landing.Receipt
    expired: landing.Expired
    built: transform.Built
    validation: validation.Validation
    refreshed: Refreshed
    framed: frames.Framed
    judged: evaluation.Judged
    scored: scoring.Scored

    @property
    def verdicts(self) -> list[judging.Verdict]:
        """What every rule of the gate said: of the model, then of the slates."""
        return [*self.judged.verdicts, *self.scored.verdicts]

    def exposure(self) -> dict[str, Any]:
        """Who is shown what, and how well which members are served."""
        price = self.judged.price_of_raising()
        return self.scored.facts() | {"gaps": [*self.judged.groups], "price_of_raising": price}


@dataclass(frozen=True)
class Published:
    """What came of the night."""

    release_id: str
    path: Path
    refusals: tuple[str, ...]
    """One sentence for each rule of the gate that said no."""
    note: str
    """What happened, in one sentence."""

    def card(self) -> str:
        """The model card."""
        return (self.path / "card.md").read_text(encoding="utf-8")

    def raise_if_refused(self) -> None:
        """Turn a refusal into exit code 3; the release stays on the disk, live is untouched."""
        if self.refusals:
            raise GateError(
                f"release {self.release_id} is refused: {'; '.join(self.refusals)}. "
                f"Live is untouched. Look at {self.path / 'report.html'}, then mend the cause or "
                f"`matinee releases promote {self.release_id} --override RULE --by WHO --why TEXT`"
            )


def publish(night: Night, evidence: Evidence) -> Published:
    """Write, hash, sign and name the release; promote it, or keep it as candidate."""
    store = reading.store(night.settings)
    store.sweep()
    with warehouse.connect(night.home), store.draft() as draft:  # opened once for all queries
        fields = manifest(night, evidence)
        _fill(night, evidence, draft.path)
        _plot(fields, draft.path)
        release_id = draft.release_id(night.started_at)
        _draw(night, evidence, fields, release_id, store, draft.path)
        release = store.publish(draft, fields)
    refusals = tuple(verdict.text for verdict in evidence.verdicts if not verdict.passed)
    note = _name(store, release, night, refusals)
    return Published(release.id, release.path, refusals, note)


def manifest(night: Night, evidence: Evidence) -> dict[str, Any]:
    """All that a release says about itself, apart from what the store measures."""
    settings = night.settings
    built, framed, judged = evidence.built, evidence.framed, evidence.judged
    frame = Frame.read(night.work(PUBLISHED))
    inputs = _inputs(night)
    return {
        "created_at": night.started_at,
        "as_of": night.as_of,
        "reason": "scheduled",
        "code": origin.code(settings.project),
        "environment": origin.environment(),
        "determinism": {"seed": settings.seed, "threads_per_model": 1},
        "settings": {name: getattr(settings, name) for name in SETTINGS},
        "inputs": inputs,
        "stages": stages.digests(night),
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
            "service": frames.SERVICE,
            "registry_sha256": evidence.refreshed.registered.sha256,
            "views": list(evidence.refreshed.registered.views),
            "online_values_compared": evidence.refreshed.compared,
            "online_skipped_because": evidence.refreshed.skipped_because,
        },
        "model": training.facts(night, frame),
        "evaluation": {
            "protocol": framed.protocol,
            "verdict": framed.verdict,
            "cut": framed.cut,
            "test_members": framed.test_members,
            "metrics": _metrics(judged).to_pylist(),
        },
        "gate": {"rules": [asdict(verdict) for verdict in evidence.verdicts], "overrides": []},
        "exposure": evidence.exposure(),
        "privacy": _privacy(night),
        "authenticity": _authenticity(night),
        "samples": samples.members(night, frame),
    }


def _fill(night: Night, evidence: Evidence, folder: Path) -> None:
    """Everything whose content is part of the digest."""
    for part in night.work(scoring.RELEASE).iterdir():
        shutil.move(part, folder / part.name)
    model = night.work(f"{PUBLISHED}-{training.HYBRID}")
    (folder / "model").mkdir(exist_ok=True)  # what explains a score is there already
    for array in sorted(model.glob("*.npy")):
        shutil.copy(array, folder / "model" / array.name)
    shutil.copy(model / "hyperparameters.json", folder / "hyperparameters.json")

    frame = Frame.read(night.work(PUBLISHED))
    described = training.described(frame, training.HYBRID)
    tables = {
        "vocabulary/members": pa.table({MEMBER_ID: frame.members.ids}),
        "vocabulary/titles": _ask(TITLES, night),
        "vocabulary/member_features": _names(described.members),
        "vocabulary/title_features": _names(described.titles),
        "evaluation/metrics": _metrics(evidence.judged),
        "artwork/assets": authenticity.approved(_ask(evaluation.ARTWORK, night)),
    }
    tables |= {
        f"{part}/{name}": warehouse.table(name, home=night.home)
        for part, names in MARTS.items()
        for name in names
    }
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(table, path, compression="zstd")
    documents: dict[str, Any] = {
        "evaluation/gate": [asdict(verdict) for verdict in evidence.verdicts],
        "exposure/exposure": evidence.exposure(),
        "validation/results": evidence.validation.as_dict(),
        "validation/distributions": validating.histograms(night),
    }
    for name, document in documents.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _plot(fields: Mapping[str, Any], folder: Path) -> None:
    """The charts of the model card: of this night's numbers only, so part of the digest."""
    (folder / report.PLOTS).mkdir()
    for name, (_, text) in report.plots(fields).items():
        (folder / name).write_text(text, encoding="utf-8")


def _draw(
    night: Night,
    evidence: Evidence,
    fields: Mapping[str, Any],
    release_id: str,
    store: releases.Store,
    folder: Path,
) -> None:
    """The two files for people. They show the id, so they come last and are in no digest."""
    page = report.page(
        fields,
        release_id=release_id,
        facts={
            "members": evidence.scored.members,
            "titles": evidence.framed.titles,
            "catalogue_shown_ratio": evidence.scored.coverage,
        },
        counts=fields["received"],
        validation=validating.rows(evidence.validation),
        validation_history=validating.history(store, night, evidence.validation),
        slates=samples.slates(folder, fields["samples"]),
        similar=samples.neighbourhoods(folder),
        trends=samples.trends(night),
        retention=warehouse.query(
            "select * from churn_daily order by changed_on desc limit 14", home=night.home
        ),
        history=samples.history(store, fields),
        exposure_history=samples.exposures(store, fields),
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
    card = report.card(fields, release_id=release_id)
    (folder / "card.md").write_text(card, encoding="utf-8")


def _name(
    store: releases.Store, release: releases.Release, night: Night, refusals: tuple[str, ...]
) -> str:
    """Move `live` or `candidate` to the release, unless it is an old one that comes again."""
    names = store.aliases()
    if names.live and names.live.release_id == release.id:
        return f"nothing new: {release.id} is live and holds the same content"
    # One that never had a name is new, or was published by a night that died before it named it.
    if release.id in store.ever_named():
        return (
            f"nothing new: {release.id} holds the same content and is not live, "
            f"as was decided before; `matinee releases promote {release.id}` makes it live"
        )
    live = names.live.release_id if names.live else None
    served = store.open(live).manifest["as_of"] if live else ""
    is_older = datetime.fromisoformat(served or release.manifest["as_of"]) > night.as_of
    newer = f"live is as of {served[:10]}, which is newer"
    if refusals and is_older:
        return f"{release.id} is refused, and no candidate: {newer}"
    if refusals:
        store.nominate(release.id, at=night.started_at, by="night", why="; ".join(refusals))
        return f"{release.id} is refused and kept as candidate"
    if is_older:
        return (
            f"{release.id} is published and not live: {newer}; "
            f"`matinee releases promote {release.id}` makes it live all the same"
        )
    store.promote(release.id, expected=live, at=night.started_at, by="night", why="the gate held")
    return f"{release.id} is live"


def _metrics(judged: evaluation.Judged) -> pa.Table:
    """The evaluation with the column names that a release promises."""
    names = ["n" if name == "member_count" else name for name in judged.evaluation.column_names]
    return judged.evaluation.rename_columns(names)


def _inputs(night: Night) -> list[dict[str, Any]]:
    """Every landing file that could have had a say, by name.

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
    row = _ask(sql, night).to_pylist()[0]
    return {
        "members_in": row["members"] - row["without_personalisation"],
        "excluded_by_purpose": {
            "personalisation": row["without_personalisation"],
            "insights": row["without_insights"],
            "marketing": row["without_marketing"],
        },
        "consent_without_record": night.settings.consent_without_record,
        "erased_through": landing.tombstones.newest(night.home),
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
            row["source_type"]: row["asset_count"] for row in _ask(sql, night).to_pylist()
        },
        "titles_made_with_ai": _ask(titles, night).to_pylist()[0]["n"],
        "artwork_refused": len(authenticity.unlabelled_assets(_ask(evaluation.ARTWORK, night))),
    }


def _names(described: Any) -> pa.Table:
    return pa.table({"name": list(described.names), "family": list(described.families)})


def _ask(sql: str, night: Night) -> pa.Table:
    return warehouse.query(sql, home=night.home)
