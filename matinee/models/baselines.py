"""The models that published lists are compared with: each part alone, and item-kNN."""

from __future__ import annotations

from collections.abc import Iterable

from matinee.models.default_weights import WEIGHTS
from matinee.models.fits import HYBRID, ITEM_KNN
from matinee.models.parts import NEW_TITLES

LIGHTFM = "lightfm"
"""The LightFM hybrid alone: `hybrid` is the name of the published lists."""


def baselines_of(parts: Iterable[str]) -> dict[str, str]:
    """Part -> its name as a baseline. The demand for new titles ranks too few titles to be one.

    >>> baselines_of(["ease", "hybrid", "new_titles"])
    {'ease': 'ease', 'hybrid': 'lightfm'}
    """
    names = {HYBRID: LIGHTFM}
    return {part: names.get(part, part) for part in parts if part != NEW_TITLES}


def part_of(baseline: str) -> str:
    """The part that a baseline is.

    >>> part_of("lightfm"), part_of("ease")
    ('hybrid', 'ease')
    """
    return HYBRID if baseline == LIGHTFM else baseline


BASELINES = tuple(sorted(baselines_of([*WEIGHTS["next_visit"], ITEM_KNN]).values()))
"""Their names."""
