"""The small-cell rule on arrays, as the dbt macros `has_enough_members`, `suppress_small_cells`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True)
class CellRule:
    """No total of fewer than `minimum` members, or of which one member makes up 1/`divisor`."""

    minimum: int
    divisor: int

    def allows(self, cells: sp.csr_array[np.float64]) -> NDArray[np.bool_]:
        """Which cells may be shown.

        Parameters
        ----------
        cells : float64 CSR, shape (n_members, n_cells)
            What each member adds to each cell; nothing is negative.

        Returns
        -------
        bool, shape (n_cells,)

        >>> CellRule(2, 2).allows(sp.csr_array([[1.0, 9.0, 1.0], [1.0, 1.0, 0.0]])).tolist()
        [True, False, False]
        """
        columns = cells.tocsc()
        columns.eliminate_zeros()
        count = np.diff(columns.indptr)
        total = column_sums(columns)
        largest = np.zeros(columns.shape[1])
        filled = np.flatnonzero(count)
        if len(filled):
            largest[filled] = np.maximum.reduceat(columns.data, columns.indptr[filled])
        # The sums of the two orders of rows differ in the last bits; a whole second is far more.
        allowed: NDArray[np.bool_] = (count >= self.minimum) & (
            largest * self.divisor <= total * (1 + 1e-9)
        )
        return allowed

    def complemented(
        self, allowed: NDArray[np.bool_], totals: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """`allowed` without the smallest value where one alone is suppressed.

        Of values that add up to a total that is shown, one suppressed value is the difference.

        >>> CellRule(2, 2).complemented(np.array([True, True, False]), np.array([9.0, 5.0, 1.0]))
        array([ True, False, False])
        """
        hidden = ~allowed & (totals > 0)
        if hidden.sum() != 1 or not allowed.any():
            return allowed
        shown = np.flatnonzero(allowed)
        smallest = shown[np.argmin(totals[shown])]
        kept = allowed.copy()
        kept[smallest] = False
        return kept


def column_sums(cells: Any) -> NDArray[np.float64]:
    """The sum of each column of a sparse matrix: float64, shape (n_cells,)."""
    return np.asarray(cells.sum(axis=0), np.float64).ravel()


def column_counts(cells: Any) -> NDArray[np.float64]:
    """The rows of each column that are above 0: float64, shape (n_cells,)."""
    return column_sums(cells > 0)
