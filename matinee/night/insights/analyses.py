"""The analyses of a night, each with the files of a release that it writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matinee.night.insights import (
    artwork,
    churn,
    demand,
    experience,
    momentum,
    proxies,
    searches,
    segments,
)
from matinee.night.insights.inputs import Inputs
from matinee.night.insights.result import Result


@dataclass(frozen=True)
class Analysis:
    """One question, and the files that answer it."""

    name: str
    files: tuple[str, ...]
    """Names below the release, without `.parquet`: the keys of its tables."""
    compute: Callable[[Inputs], Result]


ANALYSES: tuple[Analysis, ...] = (
    Analysis("segments", (segments.TABLE, segments.MEMBERS), segments.compute),
    Analysis("momentum", (momentum.TABLE,), momentum.compute),
    Analysis("demand", (demand.TABLE, demand.NARRATIVES), demand.compute),
    Analysis("searches", (searches.TABLE,), searches.compute),
    Analysis("experience", (experience.TABLE,), experience.compute),
    Analysis("proxies", (proxies.TABLE,), proxies.compute),
    Analysis("artwork", (artwork.FILE,), artwork.compute),
    Analysis("churn", (churn.FILE,), churn.compute),
)
"""In the order in which they are computed."""

FILES = tuple(f"{name}.parquet" for one in ANALYSES for name in one.files)
"""All files of all analyses."""
