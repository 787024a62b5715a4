"""How good the lists are that a night would publish, on a history of ratings or on a home.

The same functions in the same order as in a night: parts are fitted on what a protocol leaves,
weights come from validation splits of that, and `evaluate` compares the lists with baselines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from matinee import transform
from matinee.columns import MEMBER_ID, PLACES
from matinee.errors import ConfigError, DataError
from matinee.evaluation.names import EVERYONE
from matinee.models import fits, hybrid
from matinee.models.cold_titles import WithColdTitles
from matinee.models.combination import Context
from matinee.models.fits import Fit
from matinee.models.fold_in import PENALTY, folded_in
from matinee.models.frame import Frame
from matinee.models.history import History
from matinee.models.parts import ByTitles, Part, Parts, query_of
from matinee.night import combine, evaluate
from matinee.night.combine import Chosen
from matinee.night.evaluate import Split
from matinee.night.frame import CUTS, LAST
from matinee.progress import Progress
from matinee.report import charts
from matinee.research import datasets
from matinee.settings import Settings

Row: TypeAlias = dict[str, Any]

SUCCESSIVE = "successive"
"""The parts frozen at a cut in time, each later interaction predicted from all earlier ones."""

PROTOCOLS = ("time", "last", "holdout", SUCCESSIVE)

CONTEXTS: Mapping[str, Context] = {"last": "session", SUCCESSIVE: "session"}
"""Protocol -> the context that it evaluates; the next visit where none is named."""

MOST_SUCCESSIVE = 5_000
"""The most interactions that `successive` predicts, evenly spread over time."""


@dataclass(frozen=True)
class Prepared:
    """What a protocol holds out of a history, with everything that ranks for it."""

    protocol: str
    split: Split
    chosen: Chosen


def run(
    path: Path,
    settings: Settings,
    *,
    protocols: Sequence[str] = PROTOCOLS,
    ablate: bool = False,
    progress: Progress | None = None,
) -> list[Row]:
    """One row for each protocol and model, NDCG@10 with the published lists' lead.

    All titles are ranked and seen ones left out. Evaluated are all members with an interaction in
    the held-out set that they had not seen before.

    Parameters
    ----------
    ablate
        Also a row for each part, calibration and policy, with what the lists are without it.

    Raises
    ------
    ConfigError
        If there is no such protocol.
    DataError
        If no member is evaluated.
    """
    unknown = [repr(name) for name in protocols if name not in PROTOCOLS]
    if unknown:
        raise ConfigError(f"no protocol {', '.join(unknown)}: it is one of {', '.join(PROTOCOLS)}")
    history = datasets.read(path, settings)
    rows: list[Row] = []
    for done, protocol in enumerate(protocols):
        if progress:
            progress(done, len(protocols), protocol)
        prepared = prepare(history, protocol, settings)
        if prepared is None:
            raise DataError(
                f"no member of {path} has a new title in what {protocol!r} holds out: take another "
                "protocol or a longer history"
            )
        rows += table(prepared, settings)
        if ablate:
            rows += ablated(prepared, settings)
    return rows


def prepare(history: datasets.Dataset, protocol: str, settings: Settings) -> Prepared | None:
    """Fit and choose weights as a night does; None where no member is evaluated."""
    name = "time" if protocol == SUCCESSIVE else protocol
    frame = history.hold_out(name, seed=settings.seed)  # type: ignore[arg-type]
    if not frame.truth().nnz:
        return None
    hyperparameters = hybrid.Hyperparameters(seed=settings.seed)
    validation = validation_splits(frame, CONTEXTS.get(protocol, "next_visit"), CUTS)
    fitted = {key: fits.fit_all(one, hyperparameters) for key, one in validation.items()}
    outer = fits.fit_all(frame, hyperparameters)
    names = outer.parts.names
    chosen = replace(combine.choose(fitted, names), calibration_weight=settings.calibration_weight)
    context = CONTEXTS.get(protocol, "next_visit")
    if protocol == SUCCESSIVE:
        outer = successive(outer)
    weights = chosen.weights[context]
    return Prepared(protocol, Split(context, outer, (weights, weights)), chosen)


def validation_splits(frame: Frame, context: Context, cuts: Sequence[str]) -> dict[str, Frame]:
    """The splits that weights of a context learn from, by the names that a night has for them.

    `cuts` names the cuts in time, the latest first; fewer are made where too little is left.
    """
    if context == "session":
        last = frame.last_titles()
        return {LAST: last} if last else {}
    found, before = {}, frame.time_cut()
    for name in cuts:
        if before is None:
            break
        found[name] = before
        before = before.time_cut()
    return found


def table(prepared: Prepared, settings: Settings) -> list[Row]:
    """NDCG@10 of every model."""
    result = evaluate.evaluate_split(
        prepared.split,
        prepared.chosen,
        evaluate.Options(
            slate_size=settings.slate_size,
            coverage_share=float(transform.project_vars(settings.project)["coverage_share"]),
            seed=settings.seed,
        ),
    )
    return [
        {"protocol": prepared.protocol, **_named(row)}
        for row in result.evaluation.to_pylist()
        if row["cohort"] == EVERYONE and row["metric"].endswith(f"ndcg@{PLACES}")
    ]


def ablated(prepared: Prepared, settings: Settings) -> list[Row]:
    """The published lists without one part each: its weights are 0, the others are chosen anew."""
    rows: list[Row] = []
    names = prepared.split.fit.parts.names
    for column, name in enumerate(names):
        first, _ = prepared.split.halves
        weights = first.copy()
        weights[:, [column, len(names) + column]] = 0.0
        rows.append(
            {
                "protocol": prepared.protocol,
                **evaluate.without(
                    prepared.split,
                    prepared.chosen,
                    weights,
                    label=f"without {name}",
                    slate_size=settings.slate_size,
                    seed=settings.seed,
                ),
            }
        )
    return rows


def successive(fitted: Fit, *, knows_events: bool = True, penalty: float | None = PENALTY) -> Fit:
    """The fit with a member for each held-out interaction, who knows all earlier ones.

    Weights of titles, popularity and the vectors of titles stay as they were fitted. Members are
    folded in, as the API does between two nights.

    Parameters
    ----------
    knows_events : bool
        Whether what a member did since the cut counts; else only what they did before.
    penalty : float, optional
        Of the ridge that folds members in; None leaves their vectors as they were fitted.
    """
    frame = fitted.frame
    held_out = frame.held_out.filter(pa.array(frame.held_out["signal_milli"].to_numpy() > 0))
    held_out = held_out.sort_by([("interacted_at", "ascending"), (MEMBER_ID, "ascending")])
    some = np.linspace(0, len(held_out) - 1, min(len(held_out), MOST_SUCCESSIVE))
    targets = held_out.take(pa.array(np.unique(some.round().astype(np.intp))))
    known = pa.concat_tables([frame.signals, frame.held_out])
    names = pa.array([f"{number:09d}" for number in range(len(targets))])
    before = []
    by_member = _places(known)
    times = known["interacted_at"].to_numpy()
    for number, (member, at) in enumerate(
        zip(targets[MEMBER_ID].to_pylist(), targets["interacted_at"].to_numpy(), strict=True)
    ):
        own = by_member[member]
        own = own[times[own] < at]
        if not knows_events:
            own = own[own < len(frame.signals)]
        table = known.take(pa.array(own))
        before.append(_renamed(table, pa.array([names[number].as_py()] * len(own), pa.string())))
    rows = frame.members.rows(targets[MEMBER_ID])
    of_members = frame.member_features.take(pa.array(rows))
    later = replace(
        frame,
        as_of=frame.as_of,
        member_features=_renamed(of_members, names),
        signals=pa.concat_tables(before) if before else known.slice(0, 0),
        held_out=_renamed(targets, names),
    )
    history = later.history
    by_name: dict[str, Part] = {}
    for name, part in fitted.parts.by_name.items():
        if isinstance(part, ByTitles):
            by_name[name] = ByTitles(part.weights, query_of(name, history))
        elif isinstance(part, WithColdTitles):
            by_name[name] = _folded_in(part.of(rows, history), history, penalty)
        else:
            by_name[name] = part
    features = replace(
        fitted.features,
        members=replace(fitted.features.members, matrix=fitted.features.members.matrix[rows]),
    )
    return Fit(later, fitted.model, features, Parts(by_name, history))


def _folded_in(part: WithColdTitles, history: History, penalty: float | None) -> WithColdTitles:
    """The part with each member's vector by their whole history."""
    if penalty is None:
        return part
    titles, vectors = part.warm.titles, part.warm.members.copy()
    by_member = history.matrix()
    for row in range(len(vectors)):
        liked = by_member.indices[by_member.indptr[row] : by_member.indptr[row + 1]]
        vectors[row] = folded_in(vectors[row], titles, liked.astype(np.intp), penalty=penalty)
    return replace(part, warm=replace(part.warm, members=vectors))


def _places(signals: pa.Table) -> dict[str, Any]:
    """The places of each member's signals."""
    members = signals[MEMBER_ID].combine_chunks().dictionary_encode()
    codes = members.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(members.dictionary) + 1))
    return {
        name: order[bounds[code] : bounds[code + 1]]
        for code, name in enumerate(members.dictionary.to_pylist())
    }


def _renamed(table: pa.Table, names: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(MEMBER_ID)
    return table.set_column(place, table.schema.field(MEMBER_ID), names)


def _named(row: Mapping[str, Any]) -> Row:
    kept = ("model", "mean", "low", "high", "lead", "lead_low", "lead_high")
    return {"members": row["member_count"], **{name: row[name] for name in kept}}


def plot(rows: Sequence[Row], path: Path) -> None:
    """NDCG with its interval for each model and protocol: one SVG file, loading nothing."""
    drawn = charts.dots_and_whiskers(
        [
            {
                "model": row["model"],
                "cohort": row["protocol"],
                "mean": row["mean"],
                "low": row["low"],
                "high": row["high"],
                "n": row["members"],
            }
            for row in rows
        ],
        metric=f"ndcg@{PLACES}",
    )
    path.write_text(charts.standalone(f"NDCG@{PLACES}", drawn), encoding="utf-8")
