"""Every model under one protocol: how good, how sure, how long it took and how much it held.

Each model is fitted and asked in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import als, hybrid, judging, matrices, metrics, peers, popularity, ranking, splits
from matinee.errors import ConfigError
from matinee.pipeline import histories, training
from matinee.pipeline.frames import Frame
from matinee.pipeline.histories import IN_TIME
from matinee.pipeline.night import Progress
from matinee.report import charts
from matinee.report.style import CSS
from matinee.settings import Settings

Row: TypeAlias = dict[str, Any]
Scores: TypeAlias = Callable[[NDArray[np.intp]], NDArray[np.floating]]
"""The scores of all titles for a block of members, float, shape (n_block, n_titles)."""

PLACES = 10
BLOCK = 128
RECENT_DAYS = 90.0
"""Popularity's half-life when a history has none of its own."""


@dataclass(frozen=True)
class Task:
    """What one process is asked to do."""

    model: str
    frame: Frame
    protocol: splits.Name
    seed: int

    @property
    def hyperparameters(self) -> hybrid.Hyperparameters:
        """The defaults, as far as the protocol knows time.

        What comes next depends on what came last, and on what is liked these days. What a random
        holdout took from the middle does not: there all likes count the same, for every model.
        """
        usual = hybrid.Hyperparameters(seed=self.seed)
        if self.protocol in IN_TIME:
            return usual
        return training.timeless(usual)

    def asked(self) -> sp.csr_array[np.float32]:
        """What speaks for each member, for every model that can tell."""
        return self.frame.lately(half_titles=self.hyperparameters.recent_titles)


@dataclass(frozen=True)
class Answer:
    """What one model did; arrays have one row per member who can be judged."""

    slates: NDArray[np.intp]
    auc: NDArray[np.float64]
    seconds: float
    peak_bytes: int


def run(
    path: Path,
    settings: Settings,
    *,
    protocol: splits.Name,
    models: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Row]:
    """One row a model, in the order asked for; each with the hybrid's lead when it is among them.

    All titles are ranked and those a member had met are left out; under `cold-titles` only the
    held-out titles are ranked, against each other. Judged is every member who met something new in
    the held-out part, cold ones too. Accuracy is at the first ten places.

    Raises
    ------
    ConfigError
        If a model has no such name, or needs a library that is not installed.
    """
    names = list(models) or list(MODELS)
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise ConfigError(f"no model {', '.join(unknown)}: there are {', '.join(MODELS)}")
    frame = histories.read(path, settings).hold_out(protocol, seed=settings.seed)
    answers: dict[str, Answer] = {}
    for done, name in enumerate(dict.fromkeys([*names, POPULARITY])):
        if progress:
            progress(done, len(names), name)
        task = Task(name, frame, protocol, settings.seed)
        # A fresh interpreter: a forked one would start with our memory.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            answers[name] = process.submit(answer, task).result()
    return _rows(frame, answers, names, settings.seed)


def answer(task: Task) -> Answer:
    """Fit one model on what the frame knows, and rank for those who can be judged."""
    started = time.perf_counter()
    scores = MODELS[task.model](task)
    frame, truth = task.frame, task.frame.truth()
    seen = frame.seen()
    judged = np.flatnonzero(np.diff(truth.indptr))
    allowed = candidates(frame, task.protocol)
    slates = np.full((len(judged), PLACES), ranking.NONE, np.intp)
    area = np.full(len(judged), np.nan)
    for start in range(0, len(judged), BLOCK):
        members = judged[start : start + BLOCK]
        block = np.ascontiguousarray(scores(members), np.float32)
        slates[start : start + BLOCK], _ = ranking.best_of_scores(
            block, np.arange(len(members)), PLACES, excluded=seen[members], allowed=allowed
        )
        out = seen[members].toarray() | ~allowed
        out &= ~truth[members].toarray()
        area[start : start + BLOCK] = metrics.auc(block, truth[members], excluded=sp.csr_array(out))
    return Answer(
        slates=slates,
        auc=area,
        seconds=time.perf_counter() - started,
        peak_bytes=_peak_bytes(),
    )


def _peak_bytes() -> int:
    """The most memory that this process ever held."""
    try:
        # The kernel's own mark since the program started; getrusage's counts the parent's, too.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


def candidates(frame: Frame, protocol: splits.Name) -> NDArray[np.bool_]:
    """Which titles are ranked, bool, shape (n_titles,)."""
    everything = np.ones(frame.shape[1], np.bool_)
    if protocol != "cold-titles":
        return everything
    everything[frame.rows(frame.signals)[1]] = False
    return everything


def _popularity(task: Task) -> Scores:
    half_life = task.frame.half_life_days
    return _liked_lately(task.frame, half_life if np.isfinite(half_life) else RECENT_DAYS)


def _trending(task: Task) -> Scores:
    return _liked_lately(task.frame, task.hyperparameters.trend_half_life_days)


def _liked_lately(frame: Frame, half_life: float) -> Scores:
    popular = popularity.popularity(
        frame.rows(frame.signals)[1],
        frame.weights,
        frame.ages,
        half_life_days=half_life,
        title_count=frame.shape[1],
    )
    return lambda members: np.broadcast_to(popular, (len(members), len(popular)))


def _nearest(task: Task) -> Scores:
    likes = sp.csr_array(task.frame.interactions())
    weights = peers.nearest_titles(likes)
    asked = task.asked()
    return lambda members: sp.csr_array(asked[members] @ weights).toarray()


def _ease(task: Task) -> Scores:
    weights = peers.ease(sp.csr_array(task.frame.interactions()), penalty=EASE_PENALTY)
    asked = task.asked()
    return lambda members: asked[members] @ weights


def _als(task: Task) -> Scores:
    likes = sp.csr_array(task.frame.interactions())
    if task.protocol in IN_TIME:
        # It has no query apart from what it learned from, so what is old teaches less: down to a
        # quarter, and more slowly than others forget, as was best for it on validation data.
        fading = task.frame.lately(half_titles=ALS_RECENT_TITLES)
        likes = sp.csr_array(likes.multiply(fading)) * 0.75 + likes * 0.25
    members, titles = als.fit(sp.csr_array(likes.astype(np.float32)), seed=task.seed)
    return lambda rows: members[rows] @ titles.T


def _lightfm(task: Task) -> Scores:
    model, features = training.fitted(task.frame, task.model, task.hyperparameters)
    members = model.member_vectors(features.members)
    titles = model.title_vectors(features.titles)
    return lambda rows: members[rows] @ titles.T


POPULARITY = "popularity"
EASE_PENALTY = 400.0
ALS_RECENT_TITLES = 20.0

MODELS: dict[str, Callable[[Task], Scores]] = {
    POPULARITY: _popularity,
    "trending": _trending,
    "item-knn": _nearest,
    "ease": _ease,
    "als": _als,
    training.COLLABORATIVE: _lightfm,
    training.CONTENT: _lightfm,
    training.HYBRID: _lightfm,
}
"""Name -> what gives its scores. The last three are LightFM's."""


def _rows(frame: Frame, answers: dict[str, Answer], names: Sequence[str], seed: int) -> list[Row]:
    truth = frame.truth()
    judged = np.flatnonzero(np.diff(truth.indptr))
    truth = truth[judged]
    seen = frame.seen()
    genres = _genres(frame)
    tastes = sp.csr_array(seen[judged] @ genres).toarray().astype(np.float64)
    total = tastes.sum(axis=1, keepdims=True)
    tastes = np.divide(tastes, total, out=np.zeros_like(tastes), where=total > 0)
    known = np.diff(seen.indptr)[judged]
    met = np.bincount(seen.indices, minlength=frame.shape[1])
    values = {name: metrics.ndcg(answers[name].slates, truth) for name in answers}
    rows = []
    for name in names:
        slates = answers[name].slates
        interval = metrics.bootstrap(values[name], seed)
        row: Row = {"model": name, "members": len(judged)}
        row |= {"ndcg": interval.mean, "low": interval.low, "high": interval.high}
        row |= {"hybrid_lead": None, "lead_low": None, "lead_high": None}
        if training.HYBRID in names and name != training.HYBRID:
            lead = metrics.paired_bootstrap(values[training.HYBRID], values[name], seed)
            row |= {"hybrid_lead": lead.mean, "lead_low": lead.low, "lead_high": lead.high}
        row |= {
            metric: float(metrics.PER_MEMBER[of](slates, truth).mean())
            for metric, of in ACCURACY.items()
        }
        row |= {
            "auc": _mean(answers[name].auc),
            "coverage": metrics.coverage(slates, title_count=frame.shape[1]),
            "gini": metrics.gini(slates, title_count=frame.shape[1]),
            "novelty": _mean(metrics.novelty(slates, met, member_count=frame.shape[0])),
            "diversity": _mean(metrics.intra_list_diversity(slates, genres)),
            "serendipity": _mean(metrics.serendipity(slates, truth, answers[POPULARITY].slates)),
            "calibration": _mean(metrics.calibration(slates, tastes, genres)),
        }
        row |= {
            f"ndcg_{cohort}": _mean(values[name][inside])
            for cohort, inside in judging.cohorts(known).items()
            if cohort != judging.EVERYONE
        }
        row |= {"seconds": answers[name].seconds, "peak_mb": answers[name].peak_bytes / 1e6}
        rows.append(row)
    return rows


ACCURACY = {
    "recall": "recall",
    "precision": "precision",
    "map": "average_precision",
    "mrr": "reciprocal_rank",
    "hit_rate": "hit",
}


def _genres(frame: Frame) -> sp.csr_array[np.float32]:
    """What each title is, in shares of its genres, float32, shape (n_titles, n_genres)."""
    genres = matrices.features(
        frame.titles,
        {"genre": frame.title_features["genres"]},
        identity=False,
        family_weights={"genre": 1.0},
        minimum_support=1,
        longest_list=100,
    )
    return genres.matrix


def _mean(values: NDArray[np.float64]) -> float | None:
    """The mean of what is known; None when nothing is."""
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else None


def plot(rows: Sequence[Row], path: Path, *, title: str) -> None:
    """NDCG with its interval for each model, as one SVG file that loads nothing."""
    first = sorted(rows, key=lambda row: row["model"] != training.HYBRID)
    drawn = charts.dots_and_whiskers(
        [
            {
                "model": row["model"],
                "cohort": title,
                "mean": row["ndcg"],
                "low": row["low"],
                "high": row["high"],
                "n": row["members"],
            }
            for row in first
        ],
        metric=f"ndcg@{PLACES}",
    )
    head, _, rest = drawn.partition(">")
    named = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    path.write_text(f"{named}><style>{CSS}</style>{rest}\n", encoding="utf-8")
