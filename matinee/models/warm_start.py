"""Where an earlier model left off: what it knew of tonight's features, found by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError
from matinee.matrices import Features


@dataclass(frozen=True)
class Side:
    """The learned part of one side's features; those that are new start anew."""

    learned: NDArray[np.float32]
    """float32, shape (n_known, n_dimensions)."""

    columns: NDArray[np.intp]
    """Tonight's column of each."""


@dataclass(frozen=True)
class Start:
    """Both sides."""

    members: Side
    titles: Side


def taken_up(learned: NDArray[np.float32], names: Sequence[str], features: Features) -> Side:
    """The learned rows whose names are features still.

    A row of zeros was never learned, or is of somebody who asked to be forgotten: it starts anew.

    Parameters
    ----------
    learned : float32, shape (n_earlier_features, n_dimensions)
    names : n_earlier_features names, in its order
    features : Features
        Tonight's.

    Raises
    ------
    DataError
        If there are not as many names as rows.
    """
    if len(names) != len(learned):
        raise DataError(f"{len(names)} names for {len(learned)} learned features: another model's")
    tonight = {name: column for column, name in enumerate(features.names)}
    columns = np.array([tonight.get(name, -1) for name in names], np.intp)
    kept = (columns >= 0) & np.any(learned, axis=1)
    return Side(np.ascontiguousarray(learned[kept], np.float32), columns[kept])
