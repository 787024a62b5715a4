"""A resumable hyperparameter search with optuna, which is an optional extra.

The study lies in a SQLite file, one trial after the other is written to it as it ends, so that a
search that was stopped goes on where it was.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.errors import ConfigError, GateError

STARTUP_TRIALS = 8
"""Random ones, before what was seen guides the search."""


@dataclass(frozen=True)
class Range:
    """Where a number may lie."""

    low: float
    high: float
    log: bool = True
    whole: bool = False


@dataclass(frozen=True)
class Found:
    """The best of a study so far."""

    trials: int
    first: float
    """What the defaults reach."""
    best: float
    parameters: Mapping[str, float]
    """Those of the best trial."""


def search(
    objective: Callable[[Mapping[str, float]], float],
    ranges: Mapping[str, Range],
    *,
    defaults: Mapping[str, float],
    seed: int,
    study: str = "study",
    path: Path | None = None,
    budget_seconds: float = math.inf,
    trials: float = math.inf,
    progress: Callable[[int, float], None] | None = None,
) -> Found:
    """Try the defaults first, then others, until time or trials are up; higher is better.

    Parameters
    ----------
    objective : callable
        Scores a trial; a GateError (training diverged) makes a trial that failed.
    path : Path, optional
        A SQLite file, which may hold other studies. Without it nothing is kept.
    budget_seconds : float
        No trial begins later than this; one that has begun is finished. At least one is made.
    trials : int
        No more than so many, those that failed included.
    progress : callable, optional
        Called after each trial with how many there are and the best so far.

    Raises
    ------
    ConfigError
        If the library is not installed, or no trial ever succeeded.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError("tuning needs the library optuna: `pip install matinee[tune]`") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kept = optuna.create_study(
        study_name=study,
        storage=f"sqlite:///{path}" if path else None,
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS),
    )
    if not kept.trials:
        kept.enqueue_trial(dict(defaults))

    def score(trial: Any) -> float:
        return objective({name: _suggest(trial, name, where) for name, where in ranges.items()})

    started, begun = time.monotonic(), 0
    while True:
        begun += 1
        kept.optimize(score, n_trials=1, catch=(GateError,))
        done = kept.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
        if progress and done:
            progress(len(done), kept.best_value)
        if begun >= trials or time.monotonic() - started >= budget_seconds:
            break
    if not done:
        raise ConfigError(f"no trial of {study} succeeded: narrow the ranges or mend the data")
    return Found(len(done), float(done[0].value or 0.0), kept.best_value, kept.best_params)


def _suggest(trial: Any, name: str, where: Range) -> float:
    if where.whole:
        return float(trial.suggest_int(name, int(where.low), int(where.high), log=where.log))
    return float(trial.suggest_float(name, where.low, where.high, log=where.log))
