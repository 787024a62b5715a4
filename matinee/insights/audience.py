"""The audience of a title: who would most likely watch it in the weeks to come.

A logistic regression gives each member a probability to watch each title within `days` that they
have not watched yet. Warm titles are described by their popularity and by what members alike
watched. Cold titles, and titles that do not exist yet, are described by their content alone. Both
models learn from earlier windows, and are evaluated on the one after them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import DataError
from matinee.evaluation.metrics import binary
from matinee.insights import logistic

DAYS = 28.0
"""The weeks to come."""

MOST_MEMBERS = 1_000
MOST_TITLES = 1_500
"""What a window samples to learn from: a million pairs and a half."""

LEAST_VIEWERS = 3
"""Viewers of a title in the held-out window from which it counts in the lift."""

REACHED = 0.1
"""The share of members that a campaign reaches, for the lift."""

MOST_WINDOWS = 4
"""Windows of which the newest evaluates, the one before calibrates, and others are learned from."""

PENALTY = 10.0
"""Of the ridge of demand on content."""

LEAST_POSITIVES = 50
"""Viewings that a window must have to learn from."""

WARM = ("activity", "freshness", "likeness", "popularity", "affinity")
COLD = ("activity", "freshness", "likeness", "demand")
BASELINE = ("activity", "freshness", "popularity")
"""The columns of each model. The baseline knows how active members and how popular titles are."""

Affinity = Callable[[sp.csr_array[np.float32], NDArray[np.intp]], NDArray[np.floating]]
"""(history, shape (n_members, n_titles); rows) -> how much alike members watched each title,
shape (len(rows), n_titles)."""


@dataclass(frozen=True)
class Log:
    """Who watched what, and when."""

    member: NDArray[np.intp]
    title: NDArray[np.intp]
    day: NDArray[np.float64]
    """In days; the newest event of a member and title."""
    shape: tuple[int, int]

    def matrix(self, kept: NDArray[np.bool_]) -> sp.csr_array[np.float32]:
        """1 where a member watched a title: float32 CSR of `shape`."""
        pairs = self.member[kept], self.title[kept]
        matrix = sp.csr_array((np.ones(len(pairs[0]), np.float32), pairs), shape=self.shape)
        matrix.data[:] = 1.0
        return matrix


@dataclass(frozen=True)
class Window:
    """What was known at an instant of some members and all titles, and who watched what after."""

    rows: NDArray[np.intp]
    """The members."""
    activity: NDArray[np.float64]
    """float, shape (len(rows),): titles watched in the `days` before, as log(1 + n)."""
    freshness: NDArray[np.float64]
    """The share of these in all that the member watched; 1 for members without a history."""
    popularity: NDArray[np.float64]
    """float, shape (n_titles,): members in the `days` before, as log(1 + n)."""
    demand: NDArray[np.float64]
    """What `popularity` would be by content alone."""
    likeness: NDArray[np.float64]
    """float, shape (len(rows), n_titles): the title beside what the member watched, by content."""
    affinity: NDArray[np.float64]
    seen: NDArray[np.bool_]
    watched: NDArray[np.bool_]
    """bool, shape (len(rows), n_titles): within the `days` after."""
    is_warm: NDArray[np.bool_]
    """bool, shape (n_titles,): watched by anyone before the instant."""
    is_new: NDArray[np.bool_]
    """Watched after it for the first time."""

    def columns(
        self, names: tuple[str, ...], members: NDArray[np.intp], titles: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """The columns of pairs, by place among `rows` and title: float, shape (n, len(names))."""
        values = {
            "activity": lambda: self.activity[members],
            "freshness": lambda: self.freshness[members],
            "popularity": lambda: self.popularity[titles],
            "demand": lambda: self.demand[titles],
            "likeness": lambda: self.likeness[members, titles],
            "affinity": lambda: self.affinity[members, titles],
        }
        return np.column_stack([values[name]() for name in names])


def window(
    log: Log,
    content: sp.csr_array[np.float32],
    affinity: Affinity,
    *,
    instant: float,
    days: float,
    rows: NDArray[np.intp],
) -> Window:
    """The window that begins at an instant.

    Parameters
    ----------
    content : float32 CSR, shape (n_titles, n_features)
    instant : float
        In days. Nothing after it is used but for `watched` and `is_new`.
    """
    before, after = log.day <= instant, (log.day > instant) & (log.day <= instant + days)
    recent = before & (log.day > instant - days)
    known = log.matrix(before)
    n_members, n_titles = log.shape
    active = np.bincount(log.member[recent], minlength=n_members)[rows].astype(np.float64)
    total = np.bincount(log.member[before], minlength=n_members)[rows]
    popularity = np.log1p(np.bincount(log.title[recent], minlength=n_titles))
    count = np.bincount(log.title[before], minlength=n_titles)
    unit = _unit_rows(content)
    profile = _unit_rows(sp.csr_array(known[rows] @ unit))
    raw = np.asarray(affinity(known, rows), np.float64)
    mean = float(raw[raw > 0].mean()) if (raw > 0).any() else 1.0
    return Window(
        rows=rows,
        activity=np.log1p(active),
        freshness=np.divide(active, total, out=np.ones(len(rows)), where=total > 0),
        popularity=popularity,
        demand=expected_demand(popularity, content, count > 0),
        likeness=np.asarray((profile @ unit.T).toarray(), np.float64),
        affinity=np.log1p(np.maximum(raw, 0) / mean),
        seen=known[rows].toarray() > 0,
        watched=log.matrix(after)[rows].toarray() > 0,
        is_warm=count > 0,
        is_new=(count == 0) & (np.bincount(log.title[after], minlength=n_titles) > 0),
    )


def expected_demand(
    popularity: NDArray[np.float64], content: sp.csr_array[np.float32], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """A ridge regression of `popularity` on content, learned from the `known` titles.

    Each known title is predicted without itself, so that known and new titles compare.

    References
    ----------
    Leave-one-out residuals of ridge regression: Golub, Heath and Wahba, 1979.
    """
    if not known.any():
        return np.zeros(len(popularity))
    features = np.asarray(content.toarray(), np.float64)
    mean = float(popularity[known].mean())
    centre = features[known].mean(axis=0)
    own = features[known] - centre
    gram = own.T @ own + PENALTY * features[known].var(axis=0).mean() * np.eye(own.shape[1])
    solved = np.linalg.solve(gram + 1e-9 * np.eye(len(gram)), own.T)
    demand = mean + (features - centre) @ (solved @ (popularity[known] - mean))
    leverage = np.minimum((own * solved.T).sum(axis=1), 0.99)
    left_out = popularity[known] - (popularity[known] - demand[known]) / (1 - leverage)
    demand[known] = left_out
    return np.asarray(np.clip(demand, 0, popularity[known].max() + 1), np.float64)


def _unit_rows(matrix: sp.csr_array[np.float32]) -> sp.csr_array[np.float32]:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = sp.diags_array((1 / np.maximum(lengths, 1e-12)).astype(np.float32))
    return sp.csr_array(scale @ matrix)


@dataclass(frozen=True)
class Held:
    """How a model did on the window that it was not fitted on."""

    pairs: int
    viewings: int
    auc: float
    brier: float
    calibration: tuple[binary.Bin, ...]
    titles: int
    """Titles with enough viewers for the next two."""
    reached: float
    """The share of a title's viewers among the tenth of members with the highest probability."""
    reached_by_baseline: float
    """The same by activity and popularity alone."""
    spread: float
    """Standard deviation of log(actual / predicted viewers) of a title, beyond chance."""

    @property
    def lift(self) -> float:
        """How many times as many viewers a campaign of the same size reaches."""
        return self.reached / self.reached_by_baseline if self.reached_by_baseline else np.nan


@dataclass(frozen=True)
class Audience:
    """The models of warm and of cold titles, refitted on all windows."""

    warm: Calibrated
    cold: Calibrated
    held_out: dict[str, Held]
    """`warm` and, if any title was new, `cold`."""
    days: float

    def interval(self, expected: float, kind: str) -> tuple[float, float]:
        """The 95 % interval of the number of viewers of a title with so many expected."""
        spread = self.held_out[kind].spread if kind in self.held_out else 1.0
        deviation = np.sqrt(spread**2 + 1 / (expected + 1))
        return expected * float(np.exp(-1.96 * deviation)), expected * float(
            np.exp(1.96 * deviation)
        )


def horizon(log: Log, now: float) -> float:
    """`DAYS`, or a third of what the log covers if that is less."""
    return min(DAYS, (now - float(log.day.min())) / 3) if len(log.day) else DAYS


def fit(
    log: Log,
    content: sp.csr_array[np.float32],
    affinity: Affinity,
    *,
    now: float,
    seed: int,
) -> Audience:
    """Learn from earlier windows, evaluate on the last one, and refit on all.

    Raises
    ------
    DataError
        If there are fewer than `LEAST_POSITIVES` viewings to learn from.
    """
    days, random = horizon(log, now), np.random.default_rng(seed)
    active = np.unique(log.member)
    rows = np.sort(random.choice(active, min(len(active), MOST_MEMBERS), replace=False))
    backs = range(min(int((now - float(log.day.min())) // days) - 1, MOST_WINDOWS), 0, -1)
    made = [
        window(log, content, affinity, instant=now - back * days, days=days, rows=rows)
        for back in backs
    ]
    found = sum(int((one.watched & ~one.seen)[:, one.is_warm].sum()) for one in made[:-1])
    if found < LEAST_POSITIVES:
        raise DataError(
            f"{found} viewings in the weeks to learn from, and an audience is learned from "
            f"{LEAST_POSITIVES}: wait for more logs"
        )
    warm = [_pairs(one, one.is_warm, random) for one in made]
    new = [_pairs(one, one.is_new, random) for one in made]
    late = made[-1]
    early = _fit(made[:-1], warm[:-1], new[:-1])
    held_out = {"warm": _evaluate(late, warm[-1], early[0], early[2])}
    if late.watched[new[-1]].sum() >= LEAST_VIEWERS:
        held_out["cold"] = _evaluate(late, new[-1], early[1], early[2])
    both = _fit(made, warm, new)
    return Audience(both[0], both[1], held_out, days)


Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Places of members among the rows of a window, and titles."""


@dataclass(frozen=True)
class Calibrated:
    """A regression whose log-odds are brought to the level and slope of the newest window."""

    model: logistic.Logistic
    platt: logistic.Logistic

    @property
    def names(self) -> tuple[str, ...]:
        return self.model.names

    def probability(self, columns: NDArray[np.floating]) -> NDArray[np.float64]:
        """float, shape (n,)."""
        return self.platt.probability(self.model.log_odds(columns)[:, None])


def _fit(made: list[Window], warm: list[Pairs], new: list[Pairs]) -> tuple[Calibrated, ...]:
    """The models of warm and cold titles, and the baseline.

    Each learns from warm pairs of all windows but the newest, where there are two or more, and is
    calibrated on the newest: the cold one on the titles that were new then, which are watched more
    than old ones of like content.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    earlier = list(zip(made, warm, strict=True))[: max(len(made) - 1, 1)]
    label = np.concatenate([one.watched[pairs] for one, pairs in earlier])
    found = []
    for names in (WARM, COLD, BASELINE):
        columns = np.concatenate([one.columns(names, *pairs) for one, pairs in earlier])
        model = logistic.fit(columns, label, names)
        pairs = new[-1] if names == COLD else warm[-1]
        viewings = made[-1].watched[pairs]
        if not LEAST_POSITIVES <= viewings.sum() < len(viewings):
            pairs = warm[-1]
            viewings = made[-1].watched[pairs]
        odds = model.log_odds(made[-1].columns(names, *pairs))
        found.append(Calibrated(model, logistic.fit(odds[:, None], viewings, ("log-odds",))))
    return tuple(found)


def _pairs(made: Window, titles: NDArray[np.bool_], random: np.random.Generator) -> Pairs:
    """Places of members and titles that were not watched before, of some of the titles."""
    chosen = np.flatnonzero(titles)
    if len(chosen) > MOST_TITLES:
        chosen = np.sort(random.choice(chosen, MOST_TITLES, replace=False))
    member, place = np.nonzero(~made.seen[:, chosen])
    return member.astype(np.intp), chosen[place].astype(np.intp)


def _evaluate(
    made: Window,
    pairs: Pairs,
    model: Calibrated,
    baseline: Calibrated,
) -> Held:
    chance = model.probability(made.columns(model.names, *pairs))
    plain = baseline.probability(made.columns(baseline.names, *pairs))
    label, title = made.watched[pairs], pairs[1]
    viewers, expected = np.bincount(title, label), np.bincount(title, chance).astype(np.float64)
    known = np.flatnonzero(viewers >= LEAST_VIEWERS)
    reached = [
        [_reached(score[title == one], label[title == one]) for one in known]
        for score in (chance, plain)
    ]
    return Held(
        pairs=len(label),
        viewings=int(label.sum()),
        auc=binary.roc_auc(chance, label),
        brier=binary.brier(chance, label),
        calibration=tuple(binary.reliability(chance, label)),
        titles=len(known),
        reached=float(np.mean(reached[0])) if len(known) else np.nan,
        reached_by_baseline=float(np.mean(reached[1])) if len(known) else np.nan,
        spread=spread(viewers[np.unique(title)], expected[np.unique(title)]),
    )


def _reached(score: NDArray[np.float64], label: NDArray[np.bool_]) -> float:
    """The share of viewers among the tenth of members with the highest score."""
    first = np.argsort(-score, kind="stable")[: max(int(np.ceil(REACHED * len(score))), 1)]
    return float(label[first].sum() / label.sum())


def spread(
    actual: NDArray[np.floating] | NDArray[np.integer], expected: NDArray[np.floating]
) -> float:
    """How far counts are from what was expected, beyond what chance explains, on the log scale.

    Notes
    -----
    The squared log ratio has about the mean s^2 + 1 / (expected + 1), of which the second part is
    that of a Poisson count.
    """
    ratio = np.log((actual + 0.5) / (expected + 0.5))
    return float(np.sqrt(max(float((ratio**2 - 1 / (expected + 1)).mean()), 0.0)))
