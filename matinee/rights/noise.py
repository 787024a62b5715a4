"""Noise that hides what one member adds to a count, drawn from whole numbers and fractions only.

Floating point would leak through its gaps (Mironov, CCS 2012). The samplers are algorithms 1 and 2
of Canonne, Kamath and Steinke, The Discrete Gaussian for Differential Privacy, NeurIPS 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

Draw = Callable[[int], int]
"""A uniform whole number below its argument: `secrets.randbelow`, or a seeded one in tests."""


def discrete_laplace(scale: Fraction, draw: Draw) -> int:
    """A whole number z with probability proportional to exp(-|z| / scale); scale above 0.

    Added to a count that one member changes by at most c, with scale c / epsilon, it makes any
    answer at most exp(epsilon) times as likely with the member as without.
    """
    t, s = scale.numerator, scale.denominator
    while True:
        low = draw(t)
        if not _happens(Fraction(low, t), draw):
            continue
        high = 0
        while _happens(Fraction(1), draw):
            high += 1
        size = (low + t * high) // s
        is_negative = draw(2) == 1
        if is_negative and size == 0:  # or zero would come twice as often
            continue
        return -size if is_negative else size


def _happens(gamma: Fraction, draw: Draw) -> bool:
    """True with probability exp(-gamma), for a gamma from 0 to 1."""
    turn = 1
    while draw(gamma.denominator * turn) < gamma.numerator:
        turn += 1
    return turn % 2 == 1
