"""Which genres a member watches more at one part of the day than at others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OWN_SECONDS = 4 * 3600.0
"""So much watching of a member in a part of the day counts as much as what is usual there."""

COUNTRY_SECONDS = 100 * 3600.0
"""The same of a country against all countries."""

LEAST_SHARE = 0.005
"""Added to each genre's share, so that a genre that was never watched has a finite ratio."""


def daypart_tastes(
    *,
    member: NDArray[np.intp],
    part: NDArray[np.intp],
    genre: NDArray[np.intp],
    seconds: NDArray[np.float64],
    country: NDArray[np.intp],
    shape: tuple[int, int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much more of each genre is watched in each part of the day, as a log ratio of shares.

    A member's share in a part of the day is shrunk toward their share in all parts times what is
    usual in their country at that part.

    Parameters
    ----------
    member, part, genre, seconds : shape (n,)
        Watching of one member in one part of the day and genre; member -1 is left out.
    country : intp, shape (n_members,)
    shape : (n_members, n_parts, n_genres)

    Returns
    -------
    of_members : float64, shape (n_members, n_parts, n_genres)
    of_countries : float64, shape (n_countries, n_parts, n_genres)
    """
    watched = np.zeros(shape)
    known = member >= 0
    np.add.at(watched, (member[known], part[known], genre[known]), seconds[known])
    n_countries = int(country.max(initial=-1)) + 1
    by_country = np.zeros((n_countries, *shape[1:]))
    np.add.at(by_country, country, watched)
    everywhere = _ratios(by_country.sum(axis=0, keepdims=True), np.zeros((1, *shape[1:])), 1.0)
    of_countries = _ratios(by_country, everywhere, COUNTRY_SECONDS)
    return _ratios(watched, of_countries[country], OWN_SECONDS), of_countries


def _ratios(
    watched: NDArray[np.float64], usual: NDArray[np.float64], pseudo_seconds: float
) -> NDArray[np.float64]:
    """Log ratios of shares in a part to shares in all parts, shrunk toward the `usual` ratios."""
    total = watched.sum(axis=1, keepdims=True)
    overall = total / np.maximum(total.sum(axis=2, keepdims=True), 1.0) + LEAST_SHARE
    overall /= overall.sum(axis=2, keepdims=True)
    prior = overall * np.exp(usual)
    prior /= prior.sum(axis=2, keepdims=True)
    in_part = watched.sum(axis=2, keepdims=True)
    share = (watched + pseudo_seconds * prior) / (in_part + pseudo_seconds)
    result: NDArray[np.float64] = np.log(share + LEAST_SHARE) - np.log(overall + LEAST_SHARE)
    return result
