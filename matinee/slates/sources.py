"""The source of a slate: values of the column `source`, from most to least personal."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Source(IntEnum):
    """The source of one slate; arrays hold the number, tables hold the name."""

    HYBRID = 0
    """Scores of the model, from the member's interactions."""

    COLD_MEMBER = 1
    """Scores of the model, from the profile of a member without interactions."""

    POPULAR = 2
    """Popularity in the country: the member has no interactions and no profile."""

    NON_PROFILED = 3
    """The same list for all in a country: the member did not consent to personalisation."""

    @property
    def label(self) -> str:
        """The name in tables."""
        return self.name.lower()


LABELS = tuple(source.label for source in Source)
"""Name of each source, by its number."""

MODELLED = (Source.HYBRID, Source.COLD_MEMBER)
"""Sources whose order comes from scores of the model."""


def is_modelled(source: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which slates are ordered by the model's scores: bool, shape of `source`."""
    return source <= Source.COLD_MEMBER
