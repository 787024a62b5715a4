"""Discrete Laplace noise for counts, drawn with integers and fractions only.

Floating-point samplers leak information through rounding (Mironov, CCS 2012). The samplers are
algorithms 1 and 2 of Canonne, Kamath and Steinke, The Discrete Gaussian for Differential Privacy,
NeurIPS 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

RandomBelow = Callable[[int], int]
"""A uniform whole number below its argument: `secrets.randbelow`, or a seeded one in tests."""


def discrete_laplace(scale: Fraction, random_below: RandomBelow) -> int:
    """A whole number z with probability proportional to exp(-|z| / scale); scale above 0.

    Added to a count that one member changes by at most c, with scale c / epsilon, it makes any
    result at most exp(epsilon) times as likely with the member as without.
    """
    t, s = scale.numerator, scale.denominator
    while True:
        low = random_below(t)
        if not _bernoulli_exp(Fraction(low, t), random_below):
            continue
        high = 0
        while _bernoulli_exp(Fraction(1), random_below):
            high += 1
        size = (low + t * high) // s
        is_negative = random_below(2) == 1
        if is_negative and size == 0:  # else zero would be twice as likely
            continue
        return -size if is_negative else size


def _bernoulli_exp(gamma: Fraction, random_below: RandomBelow) -> bool:
    """True with probability exp(-gamma), for a gamma from 0 to 1."""
    turn = 1
    while random_below(gamma.denominator * turn) < gamma.numerator:
        turn += 1
    return turn % 2 == 1
