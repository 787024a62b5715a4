"""What a title that does not exist yet would be beside the titles there are, on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.insights.audience import Audience

NEIGHBOURS = 3
"""Titles that the naive rule looks at."""


def likeness(content: sp.csr_array[np.float32], title: int) -> NDArray[np.float64]:
    """The cosine of each title's content with that of one title; 1 for itself.

    Parameters
    ----------
    content : float32 CSR, shape (n_titles, n_features)

    Returns
    -------
    float64, shape (n_titles,)

    Examples
    --------
    >>> likeness(sp.csr_array(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])), 0).tolist()
    [1.0, 1.0, 0.0]
    """
    lengths = np.sqrt(np.asarray(content.multiply(content).sum(axis=1), np.float64).ravel())
    products = np.asarray((content @ content[[title]].T).toarray(), np.float64).ravel()
    cosines: NDArray[np.float64] = products / np.maximum(lengths * lengths[title], 1e-12)
    return cosines


def overlap(
    chance: NDArray[np.floating], watched: sp.csr_array[np.float32], counted: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """How much more likely the viewers of each title are to watch the new one than others are.

    Parameters
    ----------
    chance : float, shape (n_members,)
        To watch the new title.
    watched : float32 CSR, shape (n_members, n_titles)
        Who watched what of late.
    counted : bool, shape (n_members,)
        The members to compare with.

    Returns
    -------
    float64, shape (n_titles,)
        Mean chance of a title's viewers by the mean of all; 0 without viewers.

    Examples
    --------
    >>> watched = sp.csr_array(np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> overlap(np.array([0.3, 0.1]), watched, np.array([True, True])).round(6).tolist()
    [1.5, 0.5]
    """
    viewers = np.asarray(watched.sum(axis=0), np.float64).ravel()
    mean = float(chance[counted].mean()) if counted.any() else 0.0
    total = np.asarray(watched.T @ chance, np.float64)
    return np.divide(total, viewers * mean, out=np.zeros(len(viewers)), where=viewers * mean > 0)


@dataclass(frozen=True)
class BackTest:
    """Predictions for titles that were new in the held-out weeks, beside two plain rules.

    Errors are mean absolute log ratios of predicted and actual viewers: 0.7 is a factor of 2.
    """

    titles: int
    brief: float
    genre_mean: float
    """By the mean of the titles with the same first genre."""
    naive: float
    """By the mean of the three titles with the most attributes in common: a person's rule."""
    inside: float
    """The share of titles within the 95 % interval of the brief."""


def back_test(
    model: Audience, content: sp.csr_array[np.float32], genres: list[str | None]
) -> BackTest | None:
    """How far predictions were off for the new titles of the held-out window; None without any.

    Parameters
    ----------
    content : float32 CSR, shape (n_titles, n_features)
    genres : the first genre of each title
    """
    made = model.last
    new, warm = np.flatnonzero(made.is_new), np.flatnonzero(made.count > 0)
    if not len(new) or not len(warm):
        return None
    known, log = made.is_known, made.log
    of_known = made.after & known[log.member]
    actual = np.bincount(log.title[of_known], minlength=log.shape[1])[new].astype(np.float64)
    expected = made.expected_viewers(model.early_cold, new)
    viewers = np.expm1(made.popularity)
    shared = (content > 0).astype(np.float32)
    common = (shared[new] @ shared[warm].T).toarray()
    alike = warm[np.argsort(-common, axis=1, kind="stable")[:, :NEIGHBOURS]]
    labels = np.array([genre or "" for genre in genres])
    of_genre = [viewers[warm[labels[warm] == labels[title]]] for title in new.tolist()]
    means = [float(one.mean()) if len(one) else float(viewers[warm].mean()) for one in of_genre]
    bounds = [model.interval(one, "cold") for one in expected.tolist()]
    inside = [low <= one <= high for one, (low, high) in zip(actual, bounds, strict=True)]
    rows = np.column_stack([actual, expected, means, viewers[alike].mean(axis=1)])
    table = np.log(rows + 0.5)
    errors = np.abs(table[:, 1:] - table[:, :1]).mean(axis=0)
    brief, genre_mean, naive = (float(one) for one in errors)
    return BackTest(len(new), brief, genre_mean, naive, float(np.mean(inside)))
