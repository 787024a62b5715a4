"""Audience segments: clusters of members by what they watch, stable over samples and nights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.cluster import vq
from scipy.optimize import linear_sum_assignment

from matinee.insights.cells import column_sums

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

MOST_DIMENSIONS = 10
MOST_SEGMENTS = 8
SAMPLES = 12
"""Bootstrap samples for each number of segments."""

STARTS = 4
"""Starts of k-means, of which the best is taken."""

MOST_CLUSTERED = 20_000
"""Members that clusters are found on; the others join the nearest."""

CLOSE = 0.05
"""Numbers of segments whose stabilities differ by less are as stable as each other."""

LEAST_STABILITY = 0.5
"""The least stability of segments that are shown: with less, another sample has others."""

SMALLEST_OVERLAP = 0.25
"""The least share of members in common (Jaccard) with which a segment keeps its number."""


def profiles(watched: sp.csr_array[np.float64], blocks: Sequence[Floats]) -> Floats:
    """The coordinates in which members are compared.

    Each block describes titles. A member's value is the mean over the titles watched. Blocks are
    centred and scaled to the same total variance, so that each counts alike, and then reduced to
    their principal components.

    Parameters
    ----------
    watched : float64 CSR, shape (n_members, n_titles)
        1 for each title that a member watched; every member has one or more.
    blocks : float64 arrays, shape (n_titles, n_of_block)

    Returns
    -------
    float64, shape (n_members, n_dimensions), at most `MOST_DIMENSIONS`
    """
    counts = np.maximum(np.asarray(watched.sum(axis=1)).ravel(), 1)
    parts = []
    for block in blocks:
        mean = np.asarray(watched @ block) / counts[:, None]
        mean -= mean.mean(axis=0)
        spread = np.sqrt((mean**2).sum() / max(1, len(mean)))
        parts.append(mean / spread if spread > 0 else mean)
    joined = np.hstack(parts)
    values, vectors = np.linalg.eigh(joined.T @ joined)
    kept = np.flatnonzero(values > values[-1] * 1e-9)[::-1][:MOST_DIMENSIONS]
    axes = vectors[:, kept]
    # An axis has no direction: the largest part is positive, so that the same data give the same.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.asarray(joined @ axes)


@dataclass(frozen=True)
class Clustering:
    """The segment of each member, and how stable each number of segments is."""

    labels: Labels
    """intp, shape (n_members,): 0 to k - 1, the largest segment first."""
    stability: dict[int, float]
    """Number of segments -> mean adjusted Rand index over bootstrap samples."""

    @cached_property
    def k(self) -> int:
        """The number of segments; 0 where there are none."""
        return int(self.labels.max(initial=-1)) + 1


def cluster(points: Floats, *, smallest: int, seed: int) -> Clustering:
    """Segments of at least `smallest` members, as many as are stable.

    Each number of segments is clustered on bootstrap samples of the members, and each sample's
    clusters are compared with those of all members. Of the most stable numbers the largest is
    taken. There are no segments where none has `LEAST_STABILITY`.

    Parameters
    ----------
    points : float64, shape (n_members, n_dimensions)
    smallest : int
        Numbers of segments that leave a segment with fewer members are not considered.

    References
    ----------
    Hennig, "Cluster-wise assessment of cluster stability", CSDA 52, 2007. Hubert and Arabie,
    "Comparing partitions", Journal of Classification 2, 1985.
    """
    random = np.random.default_rng(seed)
    step = max(1, -(-len(points) // MOST_CLUSTERED))
    sample = points[::step]
    found: dict[int, tuple[float, Labels]] = {}
    for k in range(2, min(MOST_SEGMENTS, len(points) // max(1, smallest)) + 1):
        labels = nearest(points, _centres(sample, k, random, starts=STARTS))
        if np.bincount(labels, minlength=k).min() < smallest:
            continue
        scores = []
        for _ in range(SAMPLES):
            drawn = sample[random.integers(len(sample), size=len(sample))]
            centres = _centres(drawn, k, random, starts=2)
            scores.append(adjusted_rand(labels[::step], nearest(sample, centres)))
        found[k] = float(np.mean(scores)), labels
    stability = {k: score for k, (score, _) in found.items()}
    best = max(stability.values(), default=0.0)
    if best < LEAST_STABILITY:
        return Clustering(np.full(len(points), -1, np.intp), stability)
    k = max(k for k, score in stability.items() if score >= best - CLOSE)
    return Clustering(by_size(found[k][1]), stability)


def _centres(points: Floats, k: int, random: np.random.Generator, *, starts: int) -> Floats:
    """Centres of k-means with the least inertia of several starts."""
    best, least = points[:k], np.inf
    for _ in range(starts):
        first = _spread_out(points, k, random)
        centres, labels = vq.kmeans2(points, first, minit="matrix", iter=30, missing="warn")
        inertia = float(((points - centres[labels]) ** 2).sum())
        if inertia < least:
            best, least = centres, inertia
    return best


def _spread_out(points: Floats, k: int, random: np.random.Generator) -> Floats:
    """First centres by k-means++ (Arthur and Vassilvitskii, 2007)."""
    chosen = [int(random.integers(len(points)))]
    distance = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(k - 1):
        total = distance.sum()
        share = distance / total if total > 0 else np.full(len(points), 1 / len(points))
        chosen.append(int(random.choice(len(points), p=share)))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen].copy()


def nearest(points: Floats, centres: Floats) -> Labels:
    """The nearest centre of each point: intp, shape (n,)."""
    distance = (centres**2).sum(axis=1)[None, :] - 2.0 * points @ centres.T
    return np.asarray(distance.argmin(axis=1), np.intp)


def by_size(labels: Labels) -> Labels:
    """The same partition, numbered from the largest segment.

    >>> by_size(np.array([2, 0, 2, 1, 1, 2])).tolist()
    [0, 2, 0, 1, 1, 0]
    """
    order = np.argsort(-np.bincount(labels), kind="stable")
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    return rank[labels]


def adjusted_rand(left: Labels, right: Labels) -> float:
    """How alike two partitions are: 1 if equal, 0 on average by chance (Hubert and Arabie, 1985).

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    table = overlap(left, right)

    def pairs(counts: Floats) -> float:
        return float((counts * (counts - 1) / 2).sum())

    together, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = rows * columns / max(1.0, pairs(np.array([float(len(left))])))
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def overlap(left: Labels, right: Labels) -> Floats:
    """Members in each pair of segments: float64, shape (n_left, n_right)."""
    shape = int(left.max(initial=-1)) + 1, int(right.max(initial=-1)) + 1
    return (
        np.bincount(left * shape[1] + right, minlength=shape[0] * shape[1])
        .reshape(shape)
        .astype(np.float64)
    )


def match(labels: Labels, before: Labels) -> Labels:
    """The number before of each segment, -1 for a new one.

    The pairs that have most members in common, of all ways to pair segments one to one. A pair with
    a Jaccard index below `SMALLEST_OVERLAP` is no pair.

    Parameters
    ----------
    labels, before : intp, shape (n_members,)
        Of the same members; -1 where a member was in no segment.

    References
    ----------
    Kuhn, "The Hungarian method for the assignment problem", 1955.

    >>> match(np.array([0, 0, 0, 1, 1]), np.array([7, 7, 7, 2, -1])).tolist()
    [7, 2]
    """
    known = (labels >= 0) & (before >= 0)
    k = int(labels.max(initial=-1)) + 1
    matched = np.full(k, -1, np.intp)
    if not known.any():
        return matched
    together = np.zeros((k, int(before.max()) + 1))
    np.add.at(together, (labels[known], before[known]), 1.0)
    sizes = together.sum(axis=1)[:, None] + together.sum(axis=0)[None, :] - together
    jaccard = np.divide(together, sizes, out=np.zeros_like(together), where=sizes > 0)
    rows, columns = linear_sum_assignment(-jaccard)
    enough = jaccard[rows, columns] >= SMALLEST_OVERLAP
    matched[rows[enough]] = columns[enough]
    return matched


def log_odds(inside: Floats, everywhere: Floats, *, prior: float = 100.0) -> Floats:
    """How much more often each term is inside than outside: z-scores of log-odds with a prior.

    The prior is `prior` counts, spread as the terms are everywhere. So a rare term needs more than
    one lucky count.

    Parameters
    ----------
    inside, everywhere : float64, shape (n_terms,)
        Counts in the segment, and in all segments.

    References
    ----------
    Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16, 2008: equations 15 to 22.
    """
    outside = everywhere - inside
    pseudo = prior * everywhere / max(1.0, float(everywhere.sum()))
    first, second = inside + pseudo, outside + pseudo
    rest = [inside.sum() + prior - first, outside.sum() + prior - second]
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.log(first / rest[0]) - np.log(second / rest[1])
        z = difference / np.sqrt(1 / first + 1 / second)
    return np.where(np.isfinite(z), z, 0.0)


def term_counts(watched: sp.csr_array[np.float64], terms: sp.csr_array[np.float64]) -> Floats:
    """How often members watched a title with each term: float64, shape (n_terms,)."""
    return column_sums(sp.csr_array(watched) @ terms)
