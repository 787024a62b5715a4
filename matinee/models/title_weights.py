"""A linear model of title on title, whole or as a product, and the scores that it gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_BLOCK = 128

_PAIRS = 8_192


@dataclass(frozen=True)
class TitleWeights:
    """A weight matrix of title on title, whole or as a product of two smaller ones."""

    left: NDArray[np.float32] | sp.csr_array[np.float32]
    """Shape (n_titles, n_titles), the matrix itself; or (n_titles, n_dimensions)."""

    right: NDArray[np.float32] | None = None
    """float32, shape (n_dimensions, n_titles), or None when `left` is the whole matrix."""

    diagonal: NDArray[np.float32] | None = None
    """float32, shape (n_titles,): the diagonal of `left @ right`, which is taken off."""

    def scores(self, queries: sp.csr_array[np.float32]) -> NDArray[np.float32]:
        """`queries @ B`: float32, shape (n_rows, n_titles).

        A row's scores depend, in the last bit, on its place in a block of 128, not on other rows.
        """
        image = queries @ self.left
        if self.right is None:
            dense = image.toarray() if sp.issparse(image) else image
            return np.asarray(dense, np.float32)
        assert self.diagonal is not None  # noqa: S101 - a product always has one
        dense = image.toarray() if sp.issparse(image) else image
        scores = product(np.asarray(dense, np.float32), self.right)
        row = np.repeat(np.arange(queries.shape[0]), np.diff(queries.indptr))
        scores[row, queries.indices] -= queries.data * self.diagonal[queries.indices]
        return scores

    def pairs(self, sources: NDArray[np.intp], targets: NDArray[np.intp]) -> NDArray[np.float64]:
        """`B[sources, targets]`, one weight for each pair: float64, shape (n_pairs,)."""
        if self.right is None:
            if sp.issparse(self.left):
                return entries(self.left, sources, targets)
            return np.asarray(self.left[sources, targets], np.float64)
        weights = np.empty(len(sources), np.float64)
        for start in range(0, len(sources), _PAIRS):
            block = slice(start, start + _PAIRS)
            columns = self.right[:, targets[block]]
            if sp.issparse(self.left):
                rows = sp.csr_array(self.left[sources[block]])
                pair = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
                products = rows.data * columns[rows.indices, pair].astype(np.float64)
                weights[block] = np.bincount(pair, products, minlength=rows.shape[0])
            else:
                dense = np.asarray(self.left[sources[block]], np.float64)
                weights[block] = np.einsum("ij,ji->i", dense, columns)
        weights[sources == targets] = 0.0
        return weights

    def between(self, sources: NDArray[np.intp], targets: NDArray[np.intp]) -> NDArray[np.float64]:
        """`B[sources][:, targets]`: what each watched title adds to the score of each target.

        Times the query's weights of `sources`, the columns add up to the raw scores.

        Returns
        -------
        float64, shape (n_sources, n_targets)
        """
        rows = self.left[sources]
        if self.right is None:
            part = rows[:, targets]
            return np.asarray(part.toarray() if sp.issparse(part) else part, np.float64)
        wide = rows.toarray() if sp.issparse(rows) else rows
        weights: NDArray[np.float64] = wide.astype(np.float64) @ self.right[:, targets]
        weights[sources[:, None] == targets[None, :]] = 0.0
        return weights


def entries(
    matrix: sp.csr_array[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float64]:
    """`matrix[rows, columns]` of a CSR matrix with ascending columns: float64, shape (n,)."""
    keys = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    keys = keys * matrix.shape[1] + matrix.indices
    if not len(keys):
        return np.zeros(len(rows))
    wanted = rows * matrix.shape[1] + columns
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, matrix.data[place], 0.0).astype(np.float64)


def product(rows: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows @ right`, always in blocks of one size, so that a row's result is its own."""
    result = np.empty((len(rows), right.shape[1]), np.float32)
    block = np.zeros((_BLOCK, rows.shape[1]), np.float32)
    for start in range(0, len(rows), _BLOCK):
        size = min(_BLOCK, len(rows) - start)
        block[:size] = rows[start : start + size]
        block[size:] = 0.0
        result[start : start + size] = (block @ right)[:size]
    return result
