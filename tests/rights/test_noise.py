"""Noise has the discrete Laplace distribution."""

import math
import random
from collections import Counter
from fractions import Fraction

import pytest

from matinee.rights import noise


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(3), Fraction(12, 5)])
def test_frequencies_match_the_discrete_laplace_distribution(scale):
    draws = 40_000
    seeded = random.Random(7)  # noqa: S311
    counted = Counter(noise.discrete_laplace(scale, seeded.randrange) for _ in range(draws))
    step = math.exp(-1 / scale)
    for number in range(-4, 5):
        expected = draws * (1 - step) / (1 + step) * step ** abs(number)
        assert abs(counted[number] - expected) < 4 * math.sqrt(expected), number


def test_one_seed_gives_one_sequence_of_whole_numbers():
    def sequence():
        seeded = random.Random(1)  # noqa: S311
        return [noise.discrete_laplace(Fraction(6), seeded.randrange) for _ in range(20)]

    assert sequence() == sequence()
    assert all(isinstance(number, int) for number in sequence())
