"""How rates of viewing changed from week to week.

What changed after a release may have changed for other reasons: an association, not a cause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.insights.multiple_tests import margins, p_values

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """A rate of one week, by member: float64, shape (n_members,) each."""

    part: Floats
    whole: Floats

    @property
    def value(self) -> float:
        """The rate of all members; NaN where the whole is 0."""
        total = float(self.whole.sum())
        return float(self.part.sum()) / total if total else float("nan")


@dataclass(frozen=True)
class Change:
    """A relative change with its 95 % interval."""

    value: float
    low: float
    high: float
    p: float


def change(before: Ratio, after: Ratio, control: tuple[Ratio, Ratio] | None = None) -> Change:
    """The relative change of a rate between two weeks of the same members.

    Parameters
    ----------
    control : (before, after), optional
        A rate that a release does not change, such as that of slots filled at random: its change is
        taken out (difference in differences, of logarithms).

    Notes
    -----
    The standard error is by linearisation, clustered by member, so a member who is there in both
    weeks is compared with themselves.
    """
    signed = [(after, 1.0), (before, -1.0)]
    if control is not None:
        signed += [(control[1], -1.0), (control[0], 1.0)]
    if any(one.part.sum() <= 0 or one.whole.sum() <= 0 for one, _ in signed):
        return Change(*[float("nan")] * 4)
    log = sum(sign * np.log(one.value) for one, sign in signed)
    influence = sum(
        sign * (one.part / one.part.sum() - one.whole / one.whole.sum()) for one, sign in signed
    )
    n = int((np.sum([one.whole for one, _ in signed], axis=0) > 0).sum())
    error = np.sqrt((np.asarray(influence) ** 2).sum() * n / max(1, n - 1))
    arrays = np.array([float(log)]), np.array([float(error)]), np.array([max(1.0, n - 1.0)])
    half = float(margins(arrays[1], arrays[2])[0])
    return Change(
        float(np.expm1(log)),
        float(np.expm1(log - half)),
        float(np.expm1(log + half)),
        float(p_values(*arrays)[0]),
    )
