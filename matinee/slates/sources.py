"""Where a slate comes from: the values of the column `source`, the best informed first."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Source(IntEnum):
    """The source of one slate; arrays hold the number, tables hold the name."""

    HYBRID = 0
    """Scores of the model, from what the member did."""

    COLD_MEMBER = 1
    """Scores of the model, from what is known of a member without interactions."""

    POPULAR = 2
    """What is popular in the country: the model knows nothing of the member."""

    NON_PROFILED = 3
    """One list for all in a country: the member did not consent to personalisation."""

    @property
    def label(self) -> str:
        """The name in tables."""
        return self.name.lower()


LABELS = tuple(source.label for source in Source)
"""Name of each source, by its number."""

MODELLED = (Source.HYBRID, Source.COLD_MEMBER)
"""Sources whose order comes from scores of the model."""


def is_modelled(source: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which slates a score of the model has ordered, bool, shape of `source`."""
    return source <= Source.COLD_MEMBER
