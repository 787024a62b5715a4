"""Learns the weights of a combination from what validation splits hold out: a conditional logit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.models.candidates import PER_PART, candidates
from matinee.models.combination import COHORTS, cohorts
from matinee.models.parts import Parts

SHARED_PENALTY = 20.0
"""On the shared distance from the default weights, in members: see `choose_weights`."""

COHORT_PENALTY = 80.0
"""On each cohort's own distance from the shared one."""


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
    described: NDArray[np.bool_] | None = None,
    largest: int = 5_000,
    block: int = 512,
    per_part: int = PER_PART,
) -> Evidence:
    """What a validation split says: parts of its training side, and what was held out.

    Parameters
    ----------
    truth : bool CSR, shape (n_members, n_titles)
        Held-out titles that the member had not watched before.
    described : bool, shape (n_members,), optional
        Members with a profile. Lists of others without history are made of those parts only that
        are the same for all. None: all members have one.
    largest : int
        So many evaluated members at most, evenly spread over the rows: more change no weight.
    """
    members = np.flatnonzero(np.diff(truth.indptr) > 0)
    if len(members) > largest:
        members = members[np.linspace(0, len(members) - 1, largest).round().astype(np.intp)]
    watched = parts.history.matrix().astype(np.bool_)
    group = cohorts(parts.history)
    unknown = np.zeros(len(group), np.bool_) if described is None else (group == 0) & ~described
    personal = np.tile([not part.same_for_all for part in parts.by_name.values()], 2)
    features, sizes, kept, targets = [], [], [], []
    for start in range(0, len(members), block):
        rows = members[start : start + block]
        found = candidates(parts, rows, excluded=watched[rows], allowed=allowed, per_part=per_part)
        row = found.row
        found.features[np.ix_(unknown[rows][row], personal)] = 0.0
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
