"""Fills every member's slate and leaves slates, shelves and neighbours in `work/release/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee import releases
from matinee.columns import PLACES
from matinee.evaluation import gate, metrics
from matinee.models import feature_families
from matinee.night import (
    contributions,
    exposure_report,
    fit,
    shelves,
)
from matinee.night.frame import PUBLISHED
from matinee.night.night import Night
from matinee.night.scorer import BLOCK, RELEASE, ready
from matinee.progress import Progress
from matinee.slates import exposure
from matinee.slates.sources import LABELS


@dataclass(frozen=True)
class Scored:
    """What the slates are like as a whole."""

    members: int
    rows: int
    sources: dict[str, int]
    """source -> members."""
    titles_shown: int
    coverage: float
    """The share of the catalogue in anybody's first ten."""
    gini: float
    """How unequally first-ten places are dealt out over titles: 0 all alike, near 1 one has all."""
    effective_titles: float
    """How many titles, shown alike, first-ten places are worth."""
    lift: list[exposure.Row]
    lift_of_hits: list[exposure.Row]
    raised: list[exposure.Row]
    """What a policy wanted to see more of, and the head start that it took."""
    providers: list[exposure.Row]
    """Of the values most watched; see `exposing`."""
    verdicts: tuple[gate.Verdict, ...]

    def facts(self) -> dict[str, Any]:
        """All but the verdicts, which go with the gate's others."""
        return {name: value for name, value in asdict(self).items() if name != "verdicts"}


def score(night: Night, progress: Progress | None = None) -> Scored:
    """Fill every member's slate, and leave slates, shelves and neighbours in `work/release/`."""
    model = fit.load(night, PUBLISHED, feature_families.HYBRID)
    chosen = fit.Chosen.read(night.work(""))
    scorer = ready(night, model, calibration_weight=chosen.calibration_weight)
    folder = night.work(RELEASE)
    folder.mkdir()
    seen_first: list[NDArray[np.intp]] = []
    sources: Counter[str] = Counter()

    def blocks() -> Iterator[pa.Table]:
        total = len(scorer.catalogue.members)
        for start in range(0, total, BLOCK):
            block = scorer.block(start)
            seen_first.append(block.rows[:, :PLACES])
            sources.update(LABELS[number] for number in block.source)
            if progress:
                progress(min(start + BLOCK, total), total, "members")
            yield block.table

    rows = releases.write_slates(folder, blocks())
    shelves.write(folder, scorer)
    shelves.write_non_profiled(folder, scorer)
    contributions.write(folder, scorer)
    (folder / "model").mkdir()
    contributions.write_arrays(folder / "model", scorer)
    first = np.concatenate(seen_first)
    shown = metrics.exposure(first, title_count=scorer.frame.shape[1])
    exposed = exposure_report.look(scorer, first)
    (folder / "exposure").mkdir()
    providers = exposure_report.table(exposed.providers)
    pq.write_table(providers, folder / "exposure/providers.parquet", compression="zstd")
    return Scored(
        members=len(scorer.catalogue.members),
        rows=rows,
        sources=dict(sorted(sources.items())),
        titles_shown=int((shown > 0).sum()),
        coverage=metrics.coverage(first, title_count=scorer.frame.shape[1]),
        gini=metrics.gini(first, title_count=scorer.frame.shape[1]),
        effective_titles=exposed.effective_titles,
        lift=exposed.lift,
        lift_of_hits=exposed.lift_of_hits,
        raised=[lift.row() for lift in scorer.lifts],
        providers=exposed.most_watched(),
        verdicts=exposed.verdicts,
    )
