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
from scipy.sparse.linalg import lsqr

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

UNKNOWN_SPREAD = 1.0
"""Of titles of a kind that no held-out week had."""

INTERVAL_DRAWS = 2_000

BLOCK = 512
"""Members whose pairs with titles are held in memory at once."""

MOST_WINDOWS = 4
"""Windows of which the newest evaluates, the one before calibrates, and others are learned from."""

PENALTY = 1.0
"""Of the ridge of demand on content."""

FOLDS = 5

LEAST_POSITIVES = 50
"""Viewings that are needed to learn from, and as many to evaluate."""

WARM = ("activity", "freshness", "likeness", "popularity", "affinity")
COLD = ("activity", "freshness", "likeness", "demand")
BASELINE = ("activity", "freshness", "popularity")
"""The columns of each model. The baseline knows how active members and how popular titles are."""

Affinity = Callable[[sp.csr_array[np.float32]], Callable[[NDArray[np.intp]], NDArray[np.floating]]]
"""Learns from a history, shape (n_members, n_titles), how much members alike watched each title:
float, shape (len(rows), n_titles), of some members."""


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
    """The share of these in all that the member watched."""
    is_known: NDArray[np.bool_]
    """bool, shape (len(rows),): members with a history; nothing is said of the others."""
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


@dataclass(frozen=True)
class Instant:
    """What was known of all members and titles at an instant."""

    log: Log
    before: sp.csr_array[np.float32]
    """What each member had watched."""
    recent: NDArray[np.bool_]
    """Which events are of the `days` before."""
    after: NDArray[np.bool_]
    """Which are of the `days` after."""
    content: sp.csr_array[np.float32]
    """Rows of length 1."""
    affinity: Callable[[NDArray[np.intp]], NDArray[np.floating]]
    count: NDArray[np.intp]
    """Members who had watched each title."""
    popularity: NDArray[np.float64]
    demand: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        log: Log,
        content: sp.csr_array[np.float32],
        affinity: Affinity,
        *,
        instant: float,
        days: float,
    ) -> Instant:
        """Nothing after the instant is used but for `after`.

        Parameters
        ----------
        content : float32 CSR, shape (n_titles, n_features)
        instant, days : float
            In days.
        """
        before = log.day <= instant
        recent = before & (log.day > instant - days)
        n_titles = log.shape[1]
        popularity = np.log1p(np.bincount(log.title[recent], minlength=n_titles))
        count = np.bincount(log.title[before], minlength=n_titles)
        known, unit = log.matrix(before), _unit_rows(content)
        return cls(
            log=log,
            before=known,
            affinity=affinity(known),
            recent=recent,
            after=(log.day > instant) & (log.day <= instant + days),
            content=unit,
            count=count,
            popularity=popularity,
            demand=expected_demand(popularity, unit, count > 0),
        )

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Members with a history: bool, shape (n_members,)."""
        return np.asarray(np.diff(self.before.indptr) > 0, np.bool_)

    @property
    def is_new(self) -> NDArray[np.bool_]:
        """Titles that are watched for the first time after: bool, shape (n_titles,)."""
        first = np.bincount(self.log.title[self.after], minlength=self.log.shape[1]) > 0
        return np.asarray((self.count == 0) & first, np.bool_)

    def active(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Titles that members watched of late: float, shape (len(rows),)."""
        counts = np.bincount(self.log.member[self.recent], minlength=self.log.shape[0])
        return np.asarray(counts[rows], np.float64)

    def freshness(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """The share of these in all that they watched: float, shape (len(rows),)."""
        total = np.diff(self.before.indptr)[rows]
        return np.divide(self.active(rows), total, out=np.zeros(len(rows)), where=total > 0)

    def likeness(self, rows: NDArray[np.intp], titles: NDArray[np.intp]) -> NDArray[np.float64]:
        """Titles beside what members watched, by content: float, shape (len(rows), len(titles))."""
        profile = _unit_rows(sp.csr_array(self.before[rows] @ self.content))
        return np.asarray((profile @ self.content[titles].T).toarray(), np.float64)

    def window(self, rows: NDArray[np.intp]) -> Window:
        """The window of some members."""
        raw = np.asarray(self.affinity(rows), np.float64)
        # By the member's mean, so that members in blocks get the same as all at once.
        mean = np.maximum(raw.mean(axis=1, keepdims=True), 1e-12)
        return Window(
            rows=rows,
            activity=np.log1p(self.active(rows)),
            freshness=self.freshness(rows),
            is_known=self.is_known[rows],
            popularity=self.popularity,
            demand=self.demand,
            likeness=self.likeness(rows, np.arange(self.log.shape[1])),
            affinity=np.log1p(np.maximum(raw, 0) / mean),
            seen=self.before[rows].toarray() > 0,
            watched=self.log.matrix(self.after)[rows].toarray() > 0,
            is_warm=self.count > 0,
            is_new=self.is_new,
        )

    def expected_viewers(self, model: Calibrated, titles: NDArray[np.intp]) -> NDArray[np.float64]:
        """Of all known members, by the model of cold titles: float, shape (len(titles),)."""
        members = np.flatnonzero(self.is_known)
        total = np.zeros(len(titles))
        for start in range(0, len(members), BLOCK):
            rows = members[start : start + BLOCK]
            alike = self.likeness(rows, titles)
            pairs = len(rows), len(titles)
            columns = np.stack(
                [
                    np.broadcast_to(np.log1p(self.active(rows))[:, None], pairs),
                    np.broadcast_to(self.freshness(rows)[:, None], pairs),
                    alike,
                    np.broadcast_to(self.demand[titles], pairs),
                ],
                axis=2,
            )
            chance = model.probability(columns.reshape(-1, len(COLD)))
            total += chance.reshape(pairs).sum(axis=0)
        return total


def expected_demand(
    popularity: NDArray[np.float64], content: sp.csr_array[np.float32], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """A ridge regression of `popularity` on content, learned from the `known` titles.

    A known title is predicted without itself, with its fold of `FOLDS`, so that known and new
    titles compare.

    Parameters
    ----------
    popularity : float, shape (n_titles,)
    content : float32 CSR, shape (n_titles, n_features)
    known : bool, shape (n_titles,)

    References
    ----------
    Paige and Saunders, "LSQR: an algorithm for sparse linear equations and sparse least squares",
    1982; its damping is the square root of the ridge's penalty.
    """
    places = np.flatnonzero(known)
    demand = np.full(len(known), float(popularity[known].mean()) if len(places) else 0.0)
    if len(places) < FOLDS:
        return demand
    fold = np.arange(len(places)) % FOLDS
    for left_out in range(FOLDS + 1):
        learned = places[fold != left_out]
        predicted = places[fold == left_out] if left_out < FOLDS else np.flatnonzero(~known)
        mean = float(popularity[learned].mean())
        solved = lsqr(content[learned], popularity[learned] - mean, damp=np.sqrt(PENALTY))[0]
        demand[predicted] = mean + np.asarray(content[predicted] @ solved, np.float64)
    return np.asarray(np.clip(demand, 0, popularity.max()), np.float64)


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
    def verdict(self) -> str:
        """Whether there were enough viewings to say so."""
        if self.viewings < LEAST_POSITIVES:
            return f"no verdict: {self.viewings} held-out viewings, {LEAST_POSITIVES} are needed"
        return "supported"

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
    last: Instant
    """The instant at which the window that evaluated begins."""
    early_cold: Calibrated
    """The model of cold titles that it evaluated: it has not seen that window."""

    def probability(self, made: Window, title: int) -> NDArray[np.float64]:
        """Of each member to watch a title, float, shape (n,); 0 if they have, or are unknown."""
        members = np.arange(len(made.rows))
        model = self.warm if made.is_warm[title] else self.cold
        columns = made.columns(model.names, members, np.full(len(members), title))
        is_open = made.is_known & ~made.seen[:, title]
        return np.where(is_open, model.probability(columns), 0.0)

    def interval(self, expected: float, kind: str) -> tuple[float, float]:
        """The 95 % interval of the viewers of a title with so many expected.

        Notes
        -----
        Quantiles of seeded draws of a Poisson count whose mean is off by a log-normal factor, as
        far as held-out titles were off.
        """
        spread = self.held_out[kind].spread if kind in self.held_out else UNKNOWN_SPREAD
        random = np.random.default_rng(1)
        draws = random.poisson(expected * np.exp(random.normal(0, spread, INTERVAL_DRAWS)))
        low, high = np.quantile(draws, [0.025, 0.975])
        return min(float(low), expected), max(float(high), expected)


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
    instants = [
        Instant.of(log, content, affinity, instant=now - back * days, days=days) for back in backs
    ]
    made = [one.window(rows) for one in instants]
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
    return Audience(both[0], both[1], held_out, days, instants[-1], early[1])


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
    """Places of known members and titles that they had not watched, of some of the titles."""
    chosen = np.flatnonzero(titles)
    if len(chosen) > MOST_TITLES:
        chosen = np.sort(random.choice(chosen, MOST_TITLES, replace=False))
    member, place = np.nonzero(~made.seen[:, chosen] & made.is_known[:, None])
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
