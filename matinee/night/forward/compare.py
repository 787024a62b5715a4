"""Evaluates the lists of an earlier release on what its members watched after it.

Nothing is fitted but item-kNN: the release holds the parts that its night fitted, so each of them
is a baseline of the same day with the same knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices, releases
from matinee.columns import MEMBER_ID, PLACES, RANK, TITLE_ID
from matinee.evaluation import comparison, gate, metrics, splits
from matinee.evaluation.names import (
    CHOSEN_WEIGHTS,
    DEFAULT_WEIGHTS,
    EVERYONE,
    HYBRID,
    SESSION,
)
from matinee.models import fits
from matinee.models.baselines import baselines_of
from matinee.models.candidates import PER_PART, candidates
from matinee.models.combination import Context, Scored
from matinee.models.default_weights import default_weights
from matinee.models.frame import Frame
from matinee.models.parts import Parts
from matinee.models.title_weights import entries
from matinee.night.combine import Weights
from matinee.night.evaluate import baseline
from matinee.night.forward.released import Released
from matinee.night.ranker import BLOCK
from matinee.night.scorer import CONTEXTS
from matinee.releases.release import SESSION as SESSION_LISTS
from matinee.releases.release import SLATES
from matinee.slates import ranking

FEWEST = splits.MINIMUM_TEST_MEMBERS
"""A forward test of fewer members says nothing of any model."""

MOST_MEMBERS = 2_000
"""The most members that are evaluated, evenly spread over their ids, to bound the time."""

FORWARD = "forward_"
"""Before the names of metrics and rules of a forward test."""

PREFIXES: Mapping[Context, str] = {"next_visit": FORWARD, "session": f"{SESSION}{FORWARD}"}

FOLDERS: Mapping[Context, str] = {"next_visit": SLATES, "session": SESSION_LISTS}

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class ForwardTest:
    """How the lists of a release did between two instants."""

    release_id: str
    content_digest: str
    since: datetime
    until: datetime
    members: int
    """Members evaluated: those with a list who watched a title that was new to them."""

    table: pa.Table
    """In the schema of `comparison.EVALUATION`: NDCG of lists, baselines and weights."""

    best: Mapping[str, str]
    """Metric -> the best baseline; empty where too few members are evaluated."""

    regret: tuple[dict[str, Any], ...]
    """metric, model, mean, low, high: how much more the best baseline or the default weights would
    have had than the weights of the release, each by score alone."""

    verdicts: tuple[gate.Verdict, ...]

    @property
    def is_behind(self) -> bool:
        """Whether a list trails the best baseline beyond the tolerance, the interval below zero."""
        return not all(verdict.passed for verdict in self.verdicts)

    def facts(self) -> dict[str, Any]:
        """The test as a manifest holds it."""
        return {
            "release_id": self.release_id,
            "content_digest": self.content_digest,
            "since": self.since,
            "until": self.until,
            "members": self.members,
            "best": dict(self.best),
            "metrics": [
                {("n" if name == "member_count" else name): value for name, value in row.items()}
                for row in self.table.to_pylist()
            ],
            "regret": list(self.regret),
        }


def compare(release: releases.Release, known: Frame, *, seed: int) -> ForwardTest:
    """Evaluate both lists of a release beside baselines on the same members.

    The next visit is evaluated on every title that a member first watched since, the session on
    the first of them. A title that the release does not know is left out: no list could show it.

    Parameters
    ----------
    known : Frame
        What is known now; what is later than the release's `as_of` is the held-out set.
    """
    opened = Released.of(release)
    since = datetime.fromisoformat(release.manifest["as_of"])
    truth, first = later_titles(opened, known, since)
    members = np.flatnonzero((np.diff(truth.indptr) > 0) & (opened.groups >= 0))
    members = members[:: max(1, -(-len(members) // MOST_MEMBERS))]
    test = {
        "release_id": release.id,
        "content_digest": release.manifest["content_digest"],
        "since": since,
        "until": known.as_of,
        "members": len(members),
    }
    if len(members) < FEWEST:
        few = _too_few(len(members))
        empty = comparison.EVALUATION.empty_table()
        return ForwardTest(**test, table=empty, best={}, regret=(), verdicts=(few,))
    baselines = _baselines(opened, members)
    weighted = _weighted(opened, members)
    tested = [
        _test(
            context,
            {
                HYBRID: published(release, opened, members, context),
                **baselines,
                **weighted[context],
            },
            (truth if context == "next_visit" else first)[members],
            baselines=tuple(baselines),
            seed=seed,
        )
        for context in CONTEXTS
    ]
    return ForwardTest(
        **test,
        table=pa.concat_tables([one.table for one in tested]),
        best={one.metric: one.best for one in tested},
        regret=tuple(row for one in tested for row in one.regret),
        verdicts=tuple(one.verdict for one in tested),
    )


@dataclass(frozen=True)
class _Tested:
    """The test of one context's lists."""

    metric: str
    table: pa.Table
    best: str
    regret: list[dict[str, Any]]
    verdict: gate.Verdict


def _test(
    context: Context,
    slates: Mapping[str, Rows],
    held_out: sp.csr_array[np.bool_],
    *,
    baselines: Sequence[str],
    seed: int,
) -> _Tested:
    """Evaluate the lists of a context, and compare with the best of the baselines."""
    prefix, metric = PREFIXES[context], f"{PREFIXES[context]}ndcg@{PLACES}"
    table = comparison.evaluate(
        slates,
        held_out,
        {EVERYONE: np.ones(held_out.shape[0], np.bool_)},
        candidate=HYBRID,
        seed=seed,
        metric_names=("ndcg",),
        prefix=prefix,
    )
    table = table.filter(pc.equal(table["metric"], metric))
    rows = {row["model"]: row for row in table.to_pylist()}
    best = max(baselines, key=lambda name: float(rows[name]["mean"]))
    own = metrics.ndcg(slates[CHOSEN_WEIGHTS], held_out)
    regret = []
    for name in (best, DEFAULT_WEIGHTS):
        more = metrics.paired_bootstrap(metrics.ndcg(slates[name], held_out), own, seed)
        regret.append({"metric": metric, "model": name, **more._asdict()})
    verdict = gate.not_worse(
        rows[best], rule=prefix + gate.NOT_WORSE, subject=f"vs best baseline ({best})"
    )
    return _Tested(metric, table, best, regret, verdict)


def later_titles(
    opened: Released, known: Frame, since: datetime
) -> tuple[sp.csr_array[np.bool_], sp.csr_array[np.bool_]]:
    """The titles that members of a release first watched since, and the first of them.

    Returns
    -------
    truth, first : bool CSR, shape (n_members, n_titles) of the release
        Positive signals. An event before `since` that arrived after it is not in them, and neither
        is its title. Titles of the same instant are all the first.
    """
    shape = len(opened.members), len(opened.titles)
    signals = known.signals
    members, titles = opened.members.rows(signals[MEMBER_ID]), opened.titles.rows(signals[TITLE_ID])
    at = signals["interacted_at"].to_numpy().astype("datetime64[us]")
    later = at >= np.datetime64(since.replace(tzinfo=None), "us")
    kept = (members >= 0) & (titles >= 0) & (~later | (signals["signal_milli"].to_numpy() > 0))
    history, seen = opened.parts.history, opened.seen.tocoo()
    before = [(history.members, history.titles), (seen.row, seen.col)]
    rows = np.concatenate([members[kept], *(row for row, _ in before)]).astype(np.intp)
    columns = np.concatenate([titles[kept], *(column for _, column in before)]).astype(np.intp)
    held_out = np.zeros(len(rows), np.bool_)
    held_out[: int(kept.sum())] = later[kept]
    truth = splits.truth(rows, columns, held_out, shape=shape)

    member, title, at = (values[kept & later] for values in (members, titles, at))
    is_new = entries(truth.astype(np.float32), member, title) > 0
    earliest = np.full(shape[0], np.datetime64("9999-12-31", "us"))
    np.minimum.at(earliest, member[is_new], at[is_new])
    is_first = is_new & (at == earliest[member])
    return truth, matrices.seen(member[is_first], title[is_first], shape=shape)


def published(release: releases.Release, opened: Released, members: Rows, context: Context) -> Rows:
    """The first places of some members' lists in a release: intp, shape (n_members, PLACES)."""
    place = np.full(len(opened.members), -1, np.intp)
    place[members] = np.arange(len(members))
    rows = np.full((len(members), PLACES), ranking.NONE, np.intp)
    for part in release.slates([MEMBER_ID, RANK, TITLE_ID], folder=FOLDERS[context]):
        top = part.filter(pc.less_equal(part[RANK], PLACES))
        found = opened.members.rows(top[MEMBER_ID])
        own = np.where(found >= 0, place[found], -1)
        inside = own >= 0
        ranks = top[RANK].to_numpy()[inside] - 1
        rows[own[inside], ranks] = opened.titles.rows(top[TITLE_ID])[inside]
    return rows


def _baselines(opened: Released, members: Rows) -> dict[str, Rows]:
    """The first places by each part alone, among the titles that each member may be shown."""
    parts = opened.parts
    if fits.ITEM_KNN not in parts.names:
        parts = fits.with_item_knn(parts)
    found = {
        part: np.full((len(members), PLACES), ranking.NONE, np.intp)
        for part in baselines_of(parts.names)
    }
    for allowed, inside in _by_group(opened, members):
        own = members[inside]
        for part, rows in found.items():
            rows[inside] = baseline(parts, part, own, excluded=opened.seen[own], allowed=allowed)
    return {name: found[part] for part, name in baselines_of(found).items()}


def _weighted(opened: Released, members: Rows) -> dict[Context, dict[str, Rows]]:
    """The first places by the combination's score, with the release's weights and the default."""
    names = opened.chosen.parts
    weights: dict[tuple[Context, str], Weights] = {}
    for context in CONTEXTS:
        weights[context, CHOSEN_WEIGHTS] = opened.chosen.weights[context]
        weights[context, DEFAULT_WEIGHTS] = default_weights(context, names)
    parts = Parts({name: opened.parts.by_name[name] for name in names}, opened.parts.history)
    found: dict[Context, dict[str, Rows]] = {context: {} for context in CONTEXTS}
    for context, model in weights:
        found[context][model] = np.full((len(members), PLACES), ranking.NONE, np.intp)
    for allowed, inside in _by_group(opened, members):
        for start in range(0, len(inside), BLOCK):
            block = inside[start : start + BLOCK]
            own = members[block]
            candidate = candidates(
                parts, own, excluded=opened.seen[own], allowed=allowed, at_least=PER_PART
            )
            for (context, model), rows in weights.items():
                scored = Scored(candidate, opened.cohorts[own], rows, names)
                found[context][model][block], _ = scored.best(PLACES)
    return found


def _by_group(opened: Released, members: Rows) -> Iterator[tuple[NDArray[np.bool_], Rows]]:
    """The titles that a group may be shown, and the places among `members` of who is in it."""
    groups = opened.groups[members]
    for group in np.unique(groups):
        yield np.asarray(opened.allowed[group]), np.flatnonzero(groups == group)


def _too_few(members: int) -> gate.Verdict:
    return gate.Verdict(
        rule=f"{FORWARD}evaluated_members",
        status=gate.Status.WARN,
        metric=f"{FORWARD}evaluated_members",
        observed=float(members),
        threshold=float(FEWEST),
        value=f"{members} members watched a title new to them, too few to compare lists",
        limit=str(FEWEST),
    )
