"""Attributes of titles as the columns of one sparse matrix: genre, theme, pair of themes, ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

JOIN = " + "
"""Between the two themes of a narrative."""


@dataclass(frozen=True)
class Attributes:
    """Which title has which value of which family; a column is a value of a family."""

    families: tuple[str, ...]
    values: tuple[str, ...]
    matrix: sp.csr_array[np.float64]
    """float64 CSR, shape (n_titles, n_columns): 1 where a title has the value."""

    @classmethod
    def of(cls, lists: Mapping[str, Sequence[Sequence[str]]]) -> Attributes:
        """The columns of each family in the order of its values.

        Parameters
        ----------
        lists : mapping
            Family -> the values of each title. A title may have several, or none.

        >>> Attributes.of({"genre": [["Drama"], ["Comedy", "Drama"]]}).matrix.toarray().tolist()
        [[0.0, 1.0], [1.0, 1.0]]
        """
        families: list[str] = []
        values: list[str] = []
        rows: list[NDArray[np.intp]] = []
        columns: list[NDArray[np.intp]] = []
        n_titles = len(next(iter(lists.values())))
        for family, of_titles in lists.items():
            pairs = [(row, one) for row, some in enumerate(of_titles) for one in set(some)]
            names = sorted({one for _, one in pairs})
            number = {one: len(values) + place for place, one in enumerate(names)}
            rows.append(np.array([row for row, _ in pairs], np.intp))
            columns.append(np.array([number[one] for _, one in pairs], np.intp))
            families += [family] * len(names)
            values += names
        row, column = np.concatenate(rows), np.concatenate(columns)
        shape = (n_titles, len(values))
        matrix = sp.coo_array((np.ones(len(row)), (row, column)), shape=shape).tocsr()
        return cls(tuple(families), tuple(values), matrix)

    def of_family(self, family: str) -> NDArray[np.intp]:
        """The columns of one family."""
        return np.array([n for n, one in enumerate(self.families) if one == family], np.intp)


def narratives(themes: Sequence[Sequence[str]]) -> list[list[str]]:
    """Every pair of themes of each title.

    >>> narratives([["heist", "cosy"], ["cosy"]])
    [['cosy + heist'], []]
    """
    return [[JOIN.join(pair) for pair in combinations(sorted(set(some)), 2)] for some in themes]
