"""Fills every member's slate and leaves slates, shelves and neighbours in `work/release/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee import releases
from matinee.columns import MEMBER_ID, PLACES, RANK, SOURCE, TITLE_ID
from matinee.evaluation import gate, metrics, names
from matinee.models import fits
from matinee.models.combination import Context
from matinee.models.title_weights import entries
from matinee.night import combine, exposure_report, fit, shelves
from matinee.night.attribution import SCHEMA
from matinee.night.catalogue import read_catalogue
from matinee.night.frame import PUBLISHED
from matinee.night.model_files import save_array, save_matrix, save_parts
from matinee.night.night import Night
from matinee.night.policy import exposure_policy
from matinee.night.scorer import BLOCK, CONTEXTS, RELEASE, Block, Scorer, ready
from matinee.night.serving_files import ServingWriter
from matinee.progress import Progress
from matinee.releases.release import SESSION
from matinee.slates import exposure, ranking
from matinee.slates.sources import is_modelled

MEMBER_MATRIX, TITLE_MATRIX = "member_matrix", "title_matrix"
"""The feature matrices in `model/`: which member or title has which feature."""

MEAN_MEMBER = "everybody"
"""The mean member's vector in `model/`. It stays when a member is erased from the release."""

COHORTS = "cohorts"
"""Each member's cohort in `model/`."""

INTERACTIONS = "interactions.parquet"
"""What members' queries are made of, in `model/`."""

ELIGIBLE = "eligible"
"""Which titles each group of members may be shown, in `fallback/`."""

POPULAR = "popular"
"""What is popular in each group, by each popularity part, in `fallback/`."""

PAIRS = 16_384
"""Pairs of member and title whose contributions are computed at once."""


@dataclass(frozen=True)
class Scored:
    """Statistics of all slates."""

    members: int
    rows: int
    sources: dict[str, int]
    """source -> members."""
    titles_shown: int
    coverage: float
    """The share of the catalogue in the top 10 of any member."""
    gini: float
    """Gini index of top-10 slots over titles: 0 if all are equal, near 1 if one has all."""
    effective_titles: float
    """Effective catalogue size of the top 10: exp(entropy) of exposure."""
    lift: list[exposure.Row]
    lift_of_hits: list[exposure.Row]
    raised: list[exposure.Row]
    """The targets of the exposure policy, and the boost that each needs."""
    providers: list[exposure.Row]
    """Exposure of the most watched values; see `exposure_report`."""
    self_preference: dict[str, Any] | None
    """Exposure of own productions beside what viewing predicts; None where that is not known."""
    verdicts: tuple[gate.Verdict, ...]

    def facts(self) -> dict[str, Any]:
        """All but the verdicts, which go with the gate's others."""
        return {name: value for name, value in asdict(self).items() if name != "verdicts"}


def score(
    night: Night,
    progress: Progress | None = None,
    *,
    coverage_floors: Mapping[Context, float] | None = None,
) -> Scored:
    """Fill every member's slates, and leave slates, shelves and neighbours in `work/release/`.

    Parameters
    ----------
    coverage_floors : mapping, optional
        Context -> the least share of the catalogue that the lists of all members must show. Given
        on a forward night, whose lists no evaluation has looked at.
    """
    chosen = combine.Chosen.read(night.work(""))
    scorer = _ready(night, chosen)
    folder = night.work(RELEASE)
    for name in ("reasons", "model", "exposure"):
        (folder / name).mkdir(parents=True)
    filled, serving = _Filled(), ServingWriter(folder, scorer)
    _fill(scorer, folder, filled, serving, progress)
    shelves.write(folder, scorer)
    shelves.write_non_profiled(folder, scorer)
    write_arrays(folder, scorer)
    serving.finish(night, interactions(scorer))
    chosen.write(folder)
    return _measured(night, scorer, filled, coverage_floors or {})


@dataclass
class _Filled:
    """What is known of the slates once they are written."""

    places: dict[Context, _Places] = field(
        default_factory=lambda: {context: _Places() for context in CONTEXTS}
    )
    sources: Counter[str] = field(default_factory=Counter)
    rows: int = 0


def _fill(
    scorer: Scorer,
    folder: Path,
    filled: _Filled,
    serving: ServingWriter,
    progress: Progress | None,
) -> None:
    """Write the slates of both contexts and the contributions, a block of members at a time."""
    total = len(scorer.catalogue.members)

    def blocks(reasons_file: pq.ParquetWriter, session: releases.SlateWriter) -> Iterator[pa.Table]:
        for start in range(0, total, BLOCK):
            members = scorer.catalogue.members.slice(start, BLOCK)
            found = scorer.slates(members, CONTEXTS)
            serving.add(found)
            for context, block in found.items():
                filled.places[context].add(block)
            visit = found["next_visit"]
            first = visit.table.filter(pc.equal(visit.table[RANK], 1))
            filled.sources.update(first[SOURCE].to_pylist())
            for table in contribution_tables(scorer, visit):
                reasons_file.write_table(table)
            session.add(found["session"].table)
            if progress:
                progress(min(start + BLOCK, total), total, "members")
            yield visit.table

    with (
        pq.ParquetWriter(folder / "reasons/part-0000.parquet", SCHEMA, **releases.PARQUET) as file,
        releases.SlateWriter(folder, SESSION) as session,
    ):
        filled.rows = releases.write_slates(folder, blocks(file, session))


def _measured(
    night: Night, scorer: Scorer, filled: _Filled, coverage_floors: Mapping[Context, float]
) -> Scored:
    """Metrics of what is shown, and the verdicts on it; writes the exposure of providers."""
    n_titles = scorer.frame.shape[1]
    looked_at = [
        verdict
        for context, floor in coverage_floors.items()
        for verdict in filled.places[context].verdicts(context, floor=floor, title_count=n_titles)
    ]
    first = filled.places["next_visit"].rows
    shown = metrics.exposure(first, title_count=n_titles)
    exposed = exposure_report.measure_exposure(scorer, first)
    of_session = exposure_report.measure_exposure(scorer, filled.places["session"].rows)
    own = exposure_report.own_productions(scorer, first)
    worst = exposure_policy.self_preference_status(night.settings.project)
    providers = exposure_report.table(exposed.providers)
    path = night.work(RELEASE) / "exposure/providers.parquet"
    pq.write_table(providers, path, **releases.PARQUET)
    return Scored(
        members=len(scorer.catalogue.members),
        rows=filled.rows,
        sources=dict(sorted(filled.sources.items())),
        titles_shown=int((shown > 0).sum()),
        coverage=metrics.coverage(first, title_count=n_titles),
        gini=metrics.gini(first, title_count=n_titles),
        effective_titles=exposed.effective_titles,
        lift=exposed.lift,
        lift_of_hits=exposed.lift_of_hits,
        raised=[boost.row() for boost in scorer.ranker.boosts.get("next_visit", ())],
        providers=exposed.most_watched(),
        self_preference=own.facts() if own else None,
        verdicts=(
            *looked_at,
            *([own.verdict(worst, places=PLACES)] if own else []),
            *exposed.verdicts,
            *(replace(one, rule=names.SESSION + one.rule) for one in of_session.verdicts),
        ),
    )


def _ready(night: Night, chosen: combine.Chosen) -> Scorer:
    published = fit.load(night, PUBLISHED)
    if fits.ITEM_KNN in (chosen.published or {}).values():
        published = replace(published, parts=fits.with_item_knn(published.parts))
    return ready(
        published,
        chosen.combination(published.parts.names),
        read_catalogue(night),
        slate_size=night.settings.slate_size,
        calibration_weight=chosen.calibration_weight,
        models={context: chosen.model(context) for context in CONTEXTS},
    ).with_policy(exposure_policy.policy(night.settings.project))


class _Places:
    """The first places of one context, block by block."""

    def __init__(self) -> None:
        self._blocks: list[ranking.Slates] = []

    def add(self, block: Block) -> None:
        rows, scores = block.lists.slates
        self._blocks.append((rows[:, :PLACES].copy(), scores[:, :PLACES].copy()))

    @property
    def rows(self) -> NDArray[np.intp]:
        return np.concatenate([rows for rows, _ in self._blocks])

    def verdicts(self, context: Context, *, floor: float, title_count: int) -> list[gate.Verdict]:
        """Finite scores, and enough of the catalogue."""
        prefix = names.SESSION if context == "session" else ""
        share = metrics.coverage(self.rows, title_count=title_count)
        found = (
            gate.finite_scores(np.concatenate([scores for _, scores in self._blocks])),
            gate.covers(share, metric=f"{prefix}coverage@{PLACES}", floor=floor),
        )
        return [replace(verdict, rule=prefix + verdict.rule) for verdict in found]


def contribution_tables(scorer: Scorer, block: Block) -> Iterator[pa.Table]:
    """The contributions to the first places of members with modelled slates, in small tables."""
    modelled = np.flatnonzero(is_modelled(block.source))
    rows = block.lists.rows[modelled, :PLACES]
    added = block.lists.contributions[modelled, :PLACES]
    member, place = np.nonzero(rows != ranking.NONE)
    for start in range(0, len(member), PAIRS):
        of, at = member[start : start + PAIRS], place[start : start + PAIRS]
        titles = rows[of, at]
        pair, feature, amount = scorer.attribution.rows_of(
            block.rows[modelled[of]], titles, added[of, at], title_ids=scorer.frame.titles
        )
        columns = [
            block.members[MEMBER_ID].take(pa.array(modelled[of][pair])),
            scorer.frame.titles.take(titles[pair]),
            feature,
            pa.array(amount.astype(np.float32)),
        ]
        yield pa.table(columns, schema=SCHEMA)


def write_arrays(folder: Path, scorer: Scorer) -> None:
    """Leave in `folder` what scores and reasons of any pair are computed from."""
    fitted, model = scorer.ranker.fit, folder / "model"
    matrices = {MEMBER_MATRIX: fitted.features.members, TITLE_MATRIX: fitted.features.titles}
    for name, features in matrices.items():
        save_matrix(model, name, features.matrix)
    save_array(model, MEAN_MEMBER, scorer.attribution.mean_member)
    save_array(model, COHORTS, scorer.ranker.cohorts)
    save_parts(fitted.parts, model)
    pq.write_table(interactions(scorer), model / INTERACTIONS, **releases.PARQUET)
    write_eligibility(folder, scorer)


def interactions(scorer: Scorer) -> pa.Table:
    """What queries are made of, a row for each member and title: by time, member and title."""
    history, frame = scorer.ranker.parts.history, scorer.frame
    seen = scorer.ranker.seen.tocoo()
    n_titles = frame.shape[1]
    known = history.members * n_titles + history.titles
    watched = seen.row.astype(np.intp) * n_titles + seen.col
    others = np.setdiff1d(watched, known)
    member, title = np.divmod(np.concatenate([known, others]), n_titles)
    without_time = np.full(len(others), np.datetime64("NaT"), "datetime64[us]")
    times = np.concatenate([history.times.astype("datetime64[us]"), without_time])
    return pa.table(
        {
            MEMBER_ID: frame.members.take(member),
            TITLE_ID: frame.titles.take(title),
            "interacted_at": pa.array(times),
            "is_seen": np.concatenate([np.isin(known, watched), np.ones(len(others), np.bool_)]),
            "is_interaction": np.arange(len(member)) < len(known),
            "is_nameable": entries(scorer.ranker.nameable.astype(np.float32), member, title) > 0,
        }
    )


def write_eligibility(folder: Path, scorer: Scorer) -> None:
    """Leave what each group may be shown and finds popular, as `fallback/part-lists` has them."""
    groups = shelves.groups(scorer)
    pairs = zip(groups["country"].to_pylist(), groups["maximum_age"].to_pylist(), strict=True)
    allowed = [scorer.catalogue.eligibility.allowed(*pair) for pair in pairs]
    shape = (len(allowed), scorer.frame.shape[1])
    save_array(folder / "fallback", ELIGIBLE, np.array(allowed, np.bool_).reshape(shape))
    popular = [
        [
            part.scores(np.zeros(1, np.intp))[0]
            for part in scorer.ranker.popular_in(country).values()
        ]
        for country in groups["country"].to_pylist()
    ]
    save_array(folder / "fallback", POPULAR, np.array(popular, np.float32))
