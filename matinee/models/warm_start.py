"""The start of a warm fit: an earlier model's embeddings, matched by feature name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError
from matinee.matrices import Features


@dataclass(frozen=True)
class Side:
    """The embeddings of members or titles that the earlier model has; others start at random."""

    learned: NDArray[np.float32]
    """float32, shape (n_known, n_dimensions)."""

    columns: NDArray[np.intp]
    """intp, shape (n_known,): the column of each in the new features."""


@dataclass(frozen=True)
class Start:
    """The start of members and titles."""

    members: Side
    titles: Side


def matched(learned: NDArray[np.float32], names: Sequence[str], features: Features) -> Side:
    """The learned rows whose names are still features.

    A row of zeros was never trained, or was erased on request: it starts at random.

    Parameters
    ----------
    learned : float32, shape (n_earlier_features, n_dimensions)
    names : n_earlier_features names, in the order of `learned`
    features : Features
        The features of the new fit.

    Raises
    ------
    DataError
        If the number of names differs from the number of rows.
    """
    if len(names) != len(learned):
        raise DataError(
            f"{len(names)} names for {len(learned)} learned features: take the names of that model"
        )
    columns_by_name = {name: column for column, name in enumerate(features.names)}
    columns = np.array([columns_by_name.get(name, -1) for name in names], np.intp)
    kept = (columns >= 0) & np.any(learned, axis=1)
    return Side(np.ascontiguousarray(learned[kept], np.float32), columns[kept])
