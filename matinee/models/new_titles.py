"""The demand for titles that nobody has watched yet, expected from earlier titles of like kind."""

from __future__ import annotations

import numpy as np
import scipy.optimize
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.models.history import History

CUTS = 6
"""Earlier instants that the expectation is learned from."""

WINDOW = 0.1
"""Between two cuts, as a share of all interactions; demand is counted in such a window."""

AGE_BOUNDS = (0, 1, 2, 3, 6, 11)
"""Ages in years at which a group begins; below, of titles announced; above, of classics."""

PENALTY = 3.0


def expected_demand(
    history: History,
    *,
    kinds: sp.csr_array[np.float32],
    kin: sp.csr_array[np.float32],
    release_years: NDArray[np.floating],
) -> NDArray[np.float32]:
    r"""Interactions that each title without any is expected to get in the next window.

    At each of six earlier cuts the titles without an interaction before it are counted in the
    window after it. A Poisson regression with a ridge explains the counts by age, kind and the
    popularity of kin: :math:`E[n_j] = e^{x_j \cdot \beta}`.

    Parameters
    ----------
    history : History
    kinds : float32 CSR, shape (n_titles, n_kinds)
        Few broad columns: genres, countries, the kind of title.
    kin : float32 CSR, shape (n_titles, n_features)
        Many narrow columns: people, rare words of the name. A title's kin is as popular as its
        best column, and a column as the mean of its titles, shrunk by one title without demand.
    release_years : float, shape (n_titles,)
        NaN where unknown.

    Returns
    -------
    float32, shape (n_titles,): 0 for titles with interactions

    Notes
    -----
    The titles of a cut are those of today's catalogue. A catalogue that lists only titles which
    somebody watched some day flatters the result; one with dates does not: leave titles out of
    `kinds` and so on that the catalogue did not list.
    """
    n_titles = history.shape[1]
    for name, rows in (("kinds", kinds.shape[0]), ("kin", kin.shape[0])):
        if rows != n_titles:
            raise ConfigError(f"{name} has {rows} rows for {n_titles} titles: one each is needed")
    size = len(history.members)
    window = max(1, round(WINDOW * size))
    designs, counts = [], []
    for step in range(1, CUTS + 1):
        end = size - (step - 1) * window
        cut = np.searchsorted(history.times, history.times[max(end - window, 0)])
        if cut == 0:
            break
        before = np.bincount(history.titles[:cut], minlength=n_titles)
        after = np.bincount(history.titles[cut:end], minlength=n_titles)
        cold = before == 0
        design = _design(before, history.times[cut], kinds, kin, release_years)
        designs.append(design[cold])
        counts.append(after[cold] * (window / max(end - cut, 1)))
    before = np.bincount(history.titles, minlength=n_titles)
    cold = before == 0
    demand = np.zeros(n_titles, np.float32)
    if not designs or not cold.any():
        return demand
    slopes = _poisson(np.concatenate(designs), np.concatenate(counts))
    now = _design(before, history.times[-1], kinds, kin, release_years)[cold]
    demand[cold] = np.exp(np.minimum(now @ slopes, np.log(window)))
    return demand


def _design(
    counts: NDArray[np.integer],
    instant: np.int64,
    kinds: sp.csr_array[np.float32],
    kin: sp.csr_array[np.float32],
    release_years: NDArray[np.floating],
) -> NDArray[np.float64]:
    """One column for all, the groups of age, popularity of kin alone and by recency, kinds."""
    year = instant / (365.2425 * 24 * 3600 * 1e6) + 1970
    age = np.floor(year) - release_years
    group = np.where(np.isnan(age), len(AGE_BOUNDS) + 1, np.searchsorted(AGE_BOUNDS, age, "right"))
    ages = np.eye(len(AGE_BOUNDS) + 2)[group.astype(np.intp)]
    popular = np.log1p(kin_popularity(counts, kin))[:, None]
    recent = (age <= 1)[:, None]
    every = np.ones((len(counts), 1))
    return np.hstack([every, ages, popular, popular * recent, kinds.toarray()])


def kin_popularity(
    counts: NDArray[np.integer], kin: sp.csr_array[np.float32]
) -> NDArray[np.float64]:
    """The popularity of each title's most popular column: float64, shape (n_titles,)."""
    if not kin.shape[1]:
        return np.zeros(len(counts))
    carried = kin.astype(np.bool_).astype(np.float64)
    known = carried.T @ (counts > 0).astype(np.float64)
    of_column = (carried.T @ counts.astype(np.float64)) / (known + 1.0)
    carried.data = of_column[carried.indices]
    best = carried.max(axis=1)
    return np.asarray(best.toarray()).ravel().astype(np.float64)


def _poisson(design: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slopes of a Poisson regression with a ridge on all but the first column."""
    ridge = np.full(design.shape[1], PENALTY)
    ridge[0] = 0.0

    def objective(slopes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logarithm = np.minimum(design @ slopes, 20.0)
        rate = np.exp(logarithm)
        loss = float((rate - counts * logarithm).sum() + 0.5 * (ridge * slopes**2).sum())
        return loss, design.T @ (rate - counts) + ridge * slopes

    start = np.zeros(design.shape[1])
    start[0] = np.log(max(counts.mean(), 1e-6))
    found = scipy.optimize.minimize(
        objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}
    )
    return np.asarray(found.x, np.float64)
