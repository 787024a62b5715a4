"""Every model under one protocol: how good, how sure, how long it took and how much it held.

Each model is fitted and asked in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import math
import multiprocessing
import resource
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from matinee import matrices
from matinee.columns import PLACES
from matinee.errors import ConfigError, DataError
from matinee.evaluation import gate, metrics, splits
from matinee.models import feature_families
from matinee.models.frame import Frame
from matinee.progress import Progress
from matinee.report import charts
from matinee.research import baselines, datasets, rank, tune
from matinee.research.baselines import MODELS, POPULARITY, Task
from matinee.settings import Settings
from matinee.slates import ranking

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """What one model did with one seed."""

    answer: rank.Answer
    numbers: baselines.Numbers
    """What a search had it use, and what it settled by itself."""

    tuning_cpu_seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Compared:
    """What all models did with one seed."""

    frame: Frame
    protocol: splits.Name
    runs: Mapping[str, Run]


def run(
    path: Path,
    settings: Settings,
    *,
    protocol: splits.Name,
    models: Sequence[str] = (),
    trials: int = 0,
    seeds: int = 1,
    progress: Progress | None = None,
) -> list[Row]:
    """One row a model, in the order asked for; each with the hybrid's lead when it is among them.

    All titles are ranked and those a member had met are left out; under `cold-titles` only the
    held-out titles are ranked, against each other. Judged is every member who met something new in
    the held-out part, cold ones too. Accuracy is at the first ten places.

    Parameters
    ----------
    trials
        So many settings of each model are looked at, its defaults first, with the same protocol
        held once more on what may be known; the best of them is judged. All have the same budget.
    seeds
        So many times all is done, the tuning too, with splits and models of another seed; rows are
        means.

    Raises
    ------
    ConfigError
        If a model has no such name, or needs a library that is not installed.
    DataError
        If nobody can be judged.
    """
    names = list(models) or list(MODELS)
    unknown = [repr(name) for name in names if name not in MODELS]
    if unknown:
        raise ConfigError(f"no model {', '.join(unknown)}: there are {', '.join(MODELS)}")
    history = datasets.read(path, settings)
    asked = list(dict.fromkeys([*names, POPULARITY]))
    compared: list[Compared] = []
    for nth in range(seeds):
        first = baselines.task(
            history,
            names[0],
            protocol,
            seed=settings.seed + nth,
            calibration_weight=settings.calibration_weight,
        )
        if not first.frame.truth().nnz:
            raise DataError(
                f"nobody in {path} met anything new in what {protocol!r} holds out, so nobody can "
                "judge: take another protocol or a longer history"
            )
        runs: dict[str, Run] = {}
        for done, name in enumerate(asked):
            if progress:
                progress(nth * len(asked) + done, seeds * len(asked), name)
            task = replace(first, model=name)
            # A fresh interpreter: a forked one would start with our memory.
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn) as process:
                runs[name] = process.submit(perform, task, trials).result()
        compared.append(Compared(first.frame, protocol, runs))
    return _rows(compared, names, settings.seed)


def perform(task: Task, trials: int = 0) -> Run:
    """Tune one model if asked to, then fit it and rank for those who can be judged."""
    threadpool_limits(1, user_api="blas")  # one core for each, so that seconds compare
    started = time.process_time()
    if trials and task.ranges:
        task = task.tuned(tune.search(task, trials=trials).parameters)
    tuned = time.process_time()
    answer = rank.ask(task, with_auc=True)
    ended = time.process_time()
    numbers = {**task.numbers, **answer.chosen}
    return Run(answer, numbers, tuned - started, ended - tuned, _peak_bytes())


def _peak_bytes() -> int:
    """The most memory that this process ever held."""
    try:
        # The kernel's own mark since the program started; getrusage's counts the parent's, too.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


def _rows(compared: Sequence[Compared], names: Sequence[str], seed: int) -> list[Row]:
    ndcg = {name: np.stack([_ndcg(one, name) for one in compared]) for name in names}
    of_member = {name: _over_seeds(values) for name, values in ndcg.items()}
    judged = np.isfinite(next(iter(of_member.values())))
    rows = []
    for name in names:
        interval = metrics.bootstrap(of_member[name][judged], seed)
        row: Row = {"model": name, "members": int(judged.sum()), "seeds": len(compared)}
        row |= {"ndcg": interval.mean, "low": interval.low, "high": interval.high}
        by_seed = np.nanmean(ndcg[name], axis=1)
        row |= {"lowest_seed": float(by_seed.min()), "highest_seed": float(by_seed.max())}
        row |= {"hybrid_lead": None, "lead_low": None, "lead_high": None}
        if feature_families.HYBRID in names and name != feature_families.HYBRID:
            mine, theirs = of_member[feature_families.HYBRID][judged], of_member[name][judged]
            lead = metrics.paired_bootstrap(mine, theirs, seed)
            row |= {"hybrid_lead": lead.mean, "lead_low": lead.low, "lead_high": lead.high}
        more = [_measured(one, name) for one in compared]
        row |= {key: _mean(np.array([one[key] for one in more], float)) for key in more[0]}
        row |= {"settings": [_finite(one.runs[name].numbers) for one in compared]}
        rows.append(row)
    return rows


def _finite(numbers: baselines.Numbers) -> dict[str, float | None]:
    """Numbers as JSON has them: None for a half-life of what never fades."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def settings_text(row: Row) -> str:
    """What a model of a row used beside its defaults, over all seeds; empty for nothing."""
    usual = MODELS[row["model"]].defaults
    words = []
    for name in dict.fromkeys(name for one in row["settings"] for name in one):
        given = [one[name] for one in row["settings"] if name in one]
        used = [math.inf if value is None else value for value in given]
        if any(value != usual.get(name) for value in used):
            ends = (
                f"{end:.3g}" if math.isfinite(end) else "never" for end in (min(used), max(used))
            )
            words.append(f"{name} {' to '.join(dict.fromkeys(ends))}")
    return ", ".join(words)


def _ndcg(compared: Compared, name: str) -> NDArray[np.float64]:
    """NDCG of every member; NaN for those who cannot be judged."""
    truth = compared.frame.truth()
    judged = np.flatnonzero(np.diff(truth.indptr))
    values = np.full(truth.shape[0], np.nan)
    values[judged] = metrics.ndcg(compared.runs[name].answer.slates, truth[judged])
    return values


def _over_seeds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each member's mean over the seeds in which the member was judged."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    means: NDArray[np.float64] = np.divide(
        total, counts, out=np.full(len(counts), np.nan), where=counts > 0
    )
    return means


def _measured(compared: Compared, name: str) -> Row:
    """All else there is to say of a model: one number each, None where nobody tells."""
    frame, run_ = compared.frame, compared.runs[name]
    slates = run_.answer.slates
    truth, seen, genres = frame.truth(), frame.seen(), _genres(frame)
    judged = np.flatnonzero(np.diff(truth.indptr))
    truth = truth[judged]
    tastes = sp.csr_array(seen[judged] @ genres).toarray().astype(np.float64)
    total = tastes.sum(axis=1, keepdims=True)
    tastes = np.divide(tastes, total, out=np.zeros_like(tastes), where=total > 0)
    met = np.bincount(seen.indices, minlength=frame.shape[1])
    hits = compared.runs[POPULARITY].answer.slates
    ndcg = _ndcg(compared, name)[judged]
    ranked = rank.candidates(frame, compared.protocol)
    among = np.where(slates == ranking.NONE, ranking.NONE, ranked.cumsum()[slates] - 1)
    row: Row = {
        metric: float(metrics.PER_MEMBER[of](slates, truth).mean())
        for metric, of in ACCURACY.items()
    }
    row |= {
        "auc": _mean(run_.answer.auc),
        "coverage": metrics.coverage(among, title_count=ranked.sum()),
        "gini": metrics.gini(among, title_count=ranked.sum()),
        "novelty": _mean(metrics.novelty(slates, met, member_count=frame.shape[0])),
        "diversity": _mean(metrics.intra_list_diversity(slates, genres)),
        "serendipity": _mean(metrics.serendipity(slates, truth, hits)),
        "calibration": _mean(metrics.calibration(slates, tastes, genres)),
    }
    row |= {
        f"ndcg_{cohort}": _mean(ndcg[inside])
        for cohort, inside in gate.cohorts(np.diff(seen.indptr)[judged]).items()
        if cohort != gate.EVERYONE
    }
    row |= {"cpu_seconds": run_.cpu_seconds, "tuning_cpu_seconds": run_.tuning_cpu_seconds}
    return row | {"peak_mb": run_.peak_bytes / 1e6}


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


def plot(tables: Mapping[str, Sequence[Row]], path: Path) -> None:
    """NDCG with its interval for each model of each titled table: one SVG file, loading nothing."""
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
            for title, rows in tables.items()
            for row in sorted(rows, key=lambda row: row["model"] != feature_families.HYBRID)
        ],
        metric=f"ndcg@{PLACES}",
    )
    path.write_text(charts.standalone(f"NDCG@{PLACES}", drawn), encoding="utf-8")
