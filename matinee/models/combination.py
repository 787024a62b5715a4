"""One linear combination of all parts, with weights by context and cohort, chosen by evidence.

A member's score for a title is a sum over parts, so each part's contribution to it is exact. The
weights are those of a conditional logit: which of the candidates did the member watch next? Two
contexts have weights of their own, because they want opposite ones. `next_visit`, the days after
the night, learns from cuts in time. `session`, what follows at once, learns from last titles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.optimize
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError
from matinee.models.history import History
from matinee.models.parts import Parts

Context: TypeAlias = Literal["next_visit", "session"]
Rows: TypeAlias = NDArray[np.intp]

PER_PART = 50
"""Each part's best titles that are candidates."""

SMALLEST_Z = -5.0

FLAT = 1e-6
"""Scores that differ by less than so much of their size are taken to be equal."""

RANK_SCALE = 3.0
"""A part's rank counts by `log(1 + rank / 3)`: the first three places differ most."""

BOUNDS = (1, 10, 50)
"""History lengths at which a cohort begins."""

COHORTS = (
    "no history",
    *(
        f"{length} titles, {state}"
        for length in ("1-9", "10-49", "50+")
        for state in ("active", "dormant")
    ),
)

SHARED_PENALTY = 20.0
"""On the shared distance from the default weights, in members: see `choose_weights`."""

COHORT_PENALTY = 80.0
"""On each cohort's own distance from the shared one."""


def cohorts(history: History) -> NDArray[np.intp]:
    """Each member's cohort, an index into `COHORTS`: intp, shape (n_members,)."""
    length = np.searchsorted(BOUNDS, history.lengths(), side="right")
    return np.where(length == 0, 0, 2 * length - history.is_active()).astype(np.intp)


@dataclass(frozen=True)
class Candidates:
    """The titles that may enter the slates of a block of members, and what each part says of them.

    Candidates of one member are neighbours, titles ascending: `titles[indptr[i]:indptr[i + 1]]`.
    """

    rows: Rows
    """intp, shape (n_rows,): the members."""

    indptr: NDArray[np.intp]
    """intp, shape (n_rows + 1,)."""

    titles: NDArray[np.intp]
    """intp, shape (n_candidates,)."""

    features: NDArray[np.float32]
    """float32, shape (n_candidates, 2 * n_parts): the spreads of all parts, then the ranks."""

    @property
    def row(self) -> NDArray[np.intp]:
        """Which of `rows` each candidate is of: intp, shape (n_candidates,)."""
        return np.repeat(np.arange(len(self.rows)), np.diff(self.indptr))


def candidates(
    parts: Parts,
    rows: Rows,
    *,
    excluded: sp.csr_array[np.bool_],
    allowed: NDArray[np.bool_] | None = None,
    per_part: int = PER_PART,
    also: Rows | None = None,
    at_least: int = 0,
) -> Candidates:
    """The union of each part's best titles, with two features a part.

    The spread is `asinh(z)`, `z` the score's distance from its mean over the member's titles, in
    standard deviations, -5 at least. The rank is
    `log((1 + per_part / 3) / (1 + rank / 3))` with the rank among the candidates from 0, of equal
    ones the mean: positive for those that the part would list itself. A part that needs history
    says 0 of members without.

    Parameters
    ----------
    rows : intp, shape (n_rows,)
        A block of members: some hundreds, for memory is 4 bytes x n_rows x n_titles a part.
    excluded : bool CSR, shape (n_rows, n_titles)
        Seen titles and others that this member is not shown.
    allowed : bool, shape (n_titles,) or (n_rows, n_titles), optional
        Titles that may be shown.
    also : intp, shape (n_rows,), optional
        One title of each member that becomes a candidate in any case, to explain its score.
    at_least : int
        Members with fewer candidates get further open titles, the best of the first part, so that
        no list is short where all parts know little.

    Raises
    ------
    DataError
        If a part's scores are not finite.
    """
    n_rows, n_titles = len(rows), parts.history.shape[1]
    closed = _closed(excluded, allowed, n_titles)
    closed_row = closed // n_titles
    count = np.maximum(n_titles - np.bincount(closed_row, minlength=n_rows), 1)
    silent = parts.history.lengths()[rows] == 0
    chosen = np.zeros(n_rows * n_titles, np.bool_)
    forced = np.empty(0, np.intp) if also is None else np.arange(n_rows) * n_titles + also
    chosen[forced] = True
    every, means, scales, of_forced = [], [], [], []
    for name, part in parts.by_name.items():
        scores = np.array(part.scores(rows), np.float32, order="C")
        hidden = scores.ravel()[closed].astype(np.float64)
        sums = scores.sum(axis=1, dtype=np.float64)
        squares = np.einsum("ij,ij->i", scores, scores, dtype=np.float64)
        mean = (sums - np.bincount(closed_row, hidden, minlength=n_rows)) / count
        if not np.isfinite(squares).all():
            raise DataError(f"the part {name} has scores that are not finite: its model diverged")
        square = (squares - np.bincount(closed_row, hidden**2, minlength=n_rows)) / count
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        known = spread > FLAT * np.sqrt(np.maximum(squares / n_titles, 0.0))
        if part.needs_history:
            known &= ~silent
        least = scores.min(axis=1)
        of_forced.append(scores.ravel()[forced])
        scores.ravel()[closed] = -np.inf
        columns = np.arange(n_titles)
        if part.same_for_all:
            first = np.argsort(-part.scores(rows[:1])[0], kind="stable")
            columns = np.sort(first[: per_part + n_titles - int(count.min())])
        best = _best(np.take(scores, columns, axis=1), per_part, known, least)
        chosen[best // len(columns) * n_titles + columns[best % len(columns)]] = True
        every.append(scores)
        means.append(mean)
        scales.append(np.divide(1.0, spread, out=np.zeros(n_rows), where=known))
    if at_least:
        _fill_up(chosen.reshape(n_rows, n_titles), every[0], at_least)
    place = np.flatnonzero(chosen)
    row, titles = np.divmod(place, n_titles)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_rows))])
    n_parts = len(every)
    features = np.empty((len(titles), 2 * n_parts), np.float32)
    for column, part in enumerate(parts.by_name.values()):
        own = every[column].ravel()[place]
        own[np.searchsorted(place, forced)] = of_forced[column]
        z = (own - means[column][row]) * scales[column][row]
        features[:, column] = np.arcsinh(np.maximum(z, SMALLEST_Z))
        ranks = _rank_feature(own, row, indptr, per_part)
        features[:, n_parts + column] = np.where(part.needs_history & silent[row], 0.0, ranks)
    return Candidates(rows, indptr, titles, features)


def _fill_up(chosen: NDArray[np.bool_], scores: NDArray[np.float32], at_least: int) -> None:
    """Choose further titles, -inf ones never, for rows with fewer than `at_least`, in place."""
    for row in np.flatnonzero(chosen.sum(axis=1) < at_least):
        order = np.argsort(-scores[row], kind="stable")
        further = order[~chosen[row, order] & (scores[row, order] > -np.inf)]
        chosen[row, further[: at_least - int(chosen[row].sum())]] = True


def _closed(
    excluded: sp.csr_array[np.bool_], allowed: NDArray[np.bool_] | None, n_titles: int
) -> NDArray[np.intp]:
    """Places, `row * n_titles + title`, of titles that a member may not be shown; distinct."""
    row = np.repeat(np.arange(excluded.shape[0]), np.diff(excluded.indptr))
    places = row * n_titles + excluded.indices
    if allowed is None:
        return np.unique(places)
    mask = np.broadcast_to(~allowed, excluded.shape).copy()
    mask.ravel()[places] = True
    return np.flatnonzero(mask)


def _best(
    scores: NDArray[np.float32], count: int, known: NDArray[np.bool_], least: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Places of each known row's `count` best; of equal ones those of lower columns.

    None of a row's `least` value are among them: a linear model has one value, 0, for all titles
    that it knows nothing of.
    """
    n_rows, n_titles = scores.shape
    kept = min(count, n_titles)
    # As in `ranking`: the k-th best of the groups' maxima is a bound that the k-th best reaches.
    group = max(1, min(20, n_titles // kept))
    n_groups = n_titles // group
    maxima = scores[:, : n_groups * group].reshape(n_rows, group, n_groups).max(axis=1)
    bound = np.partition(maxima, n_groups - kept, axis=1)[:, n_groups - kept]
    bound = np.maximum(bound, np.finfo(np.float32).min)
    bound = np.where(bound <= least, np.nextafter(least, np.float32(np.inf)), bound)
    bound[~known] = np.inf
    row, title = np.divmod(np.flatnonzero(scores >= bound[:, None]), n_titles)
    order = np.lexsort((title, -scores[row, title], row))
    counts = np.bincount(row, minlength=n_rows)
    first = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts) < kept
    best: NDArray[np.intp] = row[order][first] * n_titles + title[order][first]
    return best


def _rank_feature(
    scores: NDArray[np.float32], row: NDArray[np.intp], indptr: NDArray[np.intp], per_part: int
) -> NDArray[np.float64]:
    """Of scores that are grouped by row."""
    order = np.lexsort((-scores, row))
    ordered, of = scores[order], row[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (ordered[1:] != ordered[:-1]) | (of[1:] != of[:-1])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(order))
    middle = np.repeat((starts + ends - 1) / 2, ends - starts) - indptr[of]
    ranks = np.empty(len(order))
    ranks[order] = middle
    return np.log((1 + per_part / RANK_SCALE) / (1 + ranks / RANK_SCALE))


@dataclass(frozen=True)
class Scored:
    """Scores of the candidates of a block of members, and where they come from."""

    candidates: Candidates
    cohort: NDArray[np.intp]
    """intp, shape (n_rows,)."""

    weights: NDArray[np.float64]
    """float64, shape (n_cohorts, 2 * n_parts)."""

    parts: tuple[str, ...]

    @property
    def scores(self) -> NDArray[np.float64]:
        """float64, shape (n_candidates,): the sums of `contributions()`."""
        return np.asarray(self.contributions().sum(axis=1), np.float64)

    def contributions(self, chosen: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """What each part adds to each score; of some candidates only, if named by position.

        Both features of a part count as that part's. A part with a negative contribution is never
        a reason.

        Returns
        -------
        float64, shape (n_candidates, n_parts)
        """
        every = np.arange(len(self.candidates.titles)) if chosen is None else chosen
        cohort = self.cohort[self.candidates.row[every]]
        products = np.asarray(self.candidates.features[every] * self.weights[cohort])
        n_parts = len(self.parts)
        return np.asarray(products[:, :n_parts] + products[:, n_parts:], np.float64)

    def dense(self, n_titles: int) -> NDArray[np.float32]:
        """float32, shape (n_rows, n_titles), -inf for titles that are no candidates."""
        wide = np.full((len(self.candidates.rows), n_titles), -np.inf, np.float32)
        wide[self.candidates.row, self.candidates.titles] = self.scores
        return wide

    def best(self, k: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The first `k` titles of each member; of equal scores the lower title row first.

        Returns
        -------
        titles : intp, shape (n_rows, k); -1 where nothing is left
        places : intp, shape (n_rows, k)
            The position of each among the candidates, for `contributions`; -1 beside -1.
        """
        row, scores = self.candidates.row, self.scores
        order = np.lexsort((self.candidates.titles, -scores, row))
        rank = np.arange(len(order)) - self.candidates.indptr[row[order]]
        within = rank < k
        places = np.full((len(self.candidates.rows), k), -1, np.intp)
        places[row[order][within], rank[within]] = order[within]
        titles = np.full(places.shape, -1, np.intp)
        titles[places >= 0] = self.candidates.titles[places[places >= 0]]
        return titles, places


@dataclass(frozen=True)
class Combination:
    """The weights of every context and cohort."""

    parts: tuple[str, ...]
    weights: Mapping[Context, NDArray[np.float64]]
    """float64, shape (n_cohorts, 2 * n_parts) each: spreads first, then ranks."""

    def score(
        self,
        parts: Parts,
        rows: Rows,
        *,
        context: Context,
        excluded: sp.csr_array[np.bool_],
        allowed: NDArray[np.bool_] | None = None,
        per_part: int = PER_PART,
        cohort: NDArray[np.intp] | None = None,
        also: Rows | None = None,
        at_least: int = 0,
    ) -> Scored:
        """Candidates of a block of members and their scores; parameters as for `candidates`.

        `cohort`, intp, shape (n_rows,), is given where the history is not whole any more.

        Raises
        ------
        ConfigError
            If the parts are not those that the weights were chosen for.
        """
        if parts.names != self.parts:
            raise ConfigError(
                f"weights for the parts {', '.join(self.parts)} cannot combine "
                f"{', '.join(parts.names)}: choose weights again"
            )
        found = candidates(
            parts,
            rows,
            excluded=excluded,
            allowed=allowed,
            per_part=per_part,
            also=also,
            at_least=at_least,
        )
        own = cohorts(parts.history)[rows] if cohort is None else cohort
        return Scored(found, own, self.weights[context], self.parts)


@dataclass(frozen=True)
class Evidence:
    """Candidates of evaluated members with their outcome, from one validation split."""

    features: NDArray[np.float32]
    """float32, shape (n_candidates, 2 * n_parts)."""

    indptr: NDArray[np.intp]
    """intp, shape (n_members + 1,)."""

    cohort: NDArray[np.intp]
    """intp, shape (n_members,)."""

    target: NDArray[np.float64]
    """float64, shape (n_candidates,): one over the held-out candidates of the member, or 0."""

    @property
    def counts(self) -> NDArray[np.intp]:
        """Evaluated members per cohort: intp, shape (n_cohorts,)."""
        return np.bincount(self.cohort, minlength=len(COHORTS))


def evidence(
    parts: Parts,
    truth: sp.csr_array[np.bool_],
    *,
    allowed: NDArray[np.bool_] | None = None,
    largest: int = 5_000,
    block: int = 512,
    per_part: int = PER_PART,
) -> Evidence:
    """What a validation split says: parts of its training side, and what was held out.

    Parameters
    ----------
    truth : bool CSR, shape (n_members, n_titles)
        Held-out titles that the member had not watched before.
    largest : int
        So many evaluated members at most, evenly spread over the rows: more change no weight.
    """
    members = np.flatnonzero(np.diff(truth.indptr) > 0)
    if len(members) > largest:
        members = members[np.linspace(0, len(members) - 1, largest).round().astype(np.intp)]
    watched = parts.history.matrix().astype(np.bool_)
    group = cohorts(parts.history)
    features, sizes, kept, targets = [], [], [], []
    for start in range(0, len(members), block):
        rows = members[start : start + block]
        found = candidates(parts, rows, excluded=watched[rows], allowed=allowed, per_part=per_part)
        row = found.row
        hit = np.asarray(truth[rows].toarray())[row, found.titles]
        hits = np.bincount(row, hit, minlength=len(rows))
        useful = hits > 0
        features.append(found.features[useful[row]])
        targets.append((hit / np.maximum(hits, 1)[row])[useful[row]])
        sizes.append(np.diff(found.indptr)[useful])
        kept.append(group[rows[useful]])
    n_features = 2 * len(parts.names)
    return Evidence(
        np.concatenate([np.empty((0, n_features), np.float32), *features]),
        np.concatenate([[0], np.cumsum(np.concatenate([np.empty(0, np.intp), *sizes]))]),
        np.concatenate([np.empty(0, np.intp), *kept]),
        np.concatenate([np.empty(0), *targets]),
    )


def choose_weights(
    splits: Sequence[Evidence],
    default: NDArray[np.float64],
    *,
    shared_penalty: float = SHARED_PENALTY,
    cohort_penalty: float = COHORT_PENALTY,
    steps: int = 200,
) -> NDArray[np.float64]:
    r"""Weights of one context: the default ones, moved as far as the evidence carries.

    Minimises, over a shared distance `v` and one `d` per cohort,

    .. math:: \sum_m \left[ \log \sum_{c} e^{s(m, c)} - \overline{s(m, i)} \right]
        + a |v|^2 + b \sum_k |d_k|^2, \quad s(m, c) = (w_k + v + d_k) \cdot x(m, c)

    over evaluated members with at least one held-out candidate; the mean is over their held-out
    candidates, `w` the default. The cohort without history has no `v`, and `a` for its `d`. Without
    evaluated members the default is the result; a few hundred outweigh it.

    Parameters
    ----------
    splits : sequence of Evidence
        Several cuts in time for `next_visit`; each member's last titles for `session`.
    default : float64, shape (n_cohorts, 2 * n_parts)

    Returns
    -------
    float64, shape (n_cohorts, 2 * n_parts)

    References
    ----------
    McFadden, "Conditional logit analysis of qualitative choice behavior", 1974; Liu and Nocedal,
    "On the limited memory BFGS method", Mathematical Programming 1989.
    """
    n_cohorts, n_features = default.shape
    used = [split for split in splits if len(split.cohort)]
    if not used:
        return default.copy()

    penalties = np.full((n_cohorts + 1, 1), cohort_penalty)
    penalties[:2] = shared_penalty

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        moved = flat.reshape(n_cohorts + 1, n_features)
        weights = _moved(default, moved)
        loss, gradient = 0.0, np.zeros_like(default)
        for split in used:
            part_loss, part_gradient = loss_and_gradient(weights, split)
            loss += part_loss
            gradient += part_gradient
        loss += float((penalties * moved**2).sum())
        whole = np.vstack([gradient[1:].sum(axis=0), gradient])
        whole += 2 * penalties * moved
        return loss, whole.ravel()

    found = scipy.optimize.minimize(
        objective,
        np.zeros((n_cohorts + 1) * n_features),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps},
    )
    moved = np.asarray(found.x, np.float64).reshape(n_cohorts + 1, n_features)
    return _moved(default, moved)


def _moved(default: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Members without history have other features, and take no part in the shared distance."""
    weights = default + moved[1:]
    weights[1:] += moved[0]
    return weights


def loss_and_gradient(
    weights: NDArray[np.float64], split: Evidence
) -> tuple[float, NDArray[np.float64]]:
    """The logit's loss without penalties, and its exact gradient, shape as `weights`."""
    row = np.repeat(np.arange(len(split.cohort)), np.diff(split.indptr))
    cohort = split.cohort[row]
    scores = np.empty(len(row))
    for k in np.unique(split.cohort):
        scores[cohort == k] = split.features[cohort == k] @ weights[k]
    starts = split.indptr[:-1]
    highest = np.maximum.reduceat(scores, starts)
    chance = np.exp(scores - highest[row])
    total = np.add.reduceat(chance, starts)
    loss = float((np.log(total) + highest).sum() - (split.target * scores).sum())
    residual = chance / total[row] - split.target
    gradient = np.zeros_like(weights)
    for k in np.unique(split.cohort):
        gradient[k] = residual[cohort == k] @ split.features[cohort == k]
    return loss, gradient
