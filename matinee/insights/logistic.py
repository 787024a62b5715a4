"""Logistic regression on standardised columns: the only module that uses scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError

PENALTY = 1.0
"""Of the ridge on standardised coefficients; it also keeps separable data finite."""


@dataclass(frozen=True)
class Logistic:
    """A fitted model."""

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    """Per standard deviation of a column, so that they compare."""
    intercept: float

    def contributions(self, columns: NDArray[np.floating]) -> NDArray[np.float64]:
        """float, shape (n, k): what each column adds to the log-odds, beside its mean.

        A NaN, for an unknown value, adds nothing.
        """
        standard = (np.asarray(columns, np.float64) - self.mean) / self.scale
        added: NDArray[np.float64] = np.nan_to_num(standard) * self.coefficients
        return added

    def probability(self, columns: NDArray[np.floating]) -> NDArray[np.float64]:
        """float, shape (n,)."""
        return np.asarray(1 / (1 + np.exp(-self.log_odds(columns))), np.float64)

    def log_odds(self, columns: NDArray[np.floating]) -> NDArray[np.float64]:
        """float, shape (n,)."""
        return np.asarray(self.contributions(columns).sum(axis=1) + self.intercept, np.float64)

    def ranked(self) -> list[tuple[str, float]]:
        """Names and coefficients, the largest by absolute value first."""
        order = np.argsort(-np.abs(self.coefficients), kind="stable")
        return [(self.names[k], float(self.coefficients[k])) for k in order]


def fit(
    columns: NDArray[np.floating],
    label: NDArray[np.bool_],
    names: Sequence[str],
    *,
    penalty: float = PENALTY,
) -> Logistic:
    """A ridge-penalised logistic regression.

    Parameters
    ----------
    columns : float, shape (n, k)
        NaN for unknown values; they count as the mean.
    label : bool, shape (n,)
    names : k names
    penalty : float
        Half of it times the squared norm of the coefficients is added to the negative
        log-likelihood.

    Raises
    ------
    DataError
        If the labels are all alike.
    """
    true = int(label.sum())
    if not 0 < true < len(label):
        raise DataError(f"{true} of {len(label)} labels are true: a regression needs both kinds")
    columns = np.asarray(columns, np.float64)
    known = np.isfinite(columns)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, columns, 0.0).sum(axis=0) / count
    deviation = np.where(known, columns - mean, 0.0)
    spread = np.sqrt((deviation**2).sum(axis=0) / count)
    scale = np.where(spread > 1e-12, spread, 1.0)
    if not columns.shape[1]:
        odds = float(np.log(true / (len(label) - true)))
        return Logistic((), mean, scale, np.empty(0), odds)

    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-8)
    model.fit(deviation / scale, label)
    return Logistic(tuple(names), mean, scale, model.coef_[0], float(model.intercept_[0]))
