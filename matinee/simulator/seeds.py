"""One stream of random numbers per purpose and day, so that a longer run only adds days."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What the numbers are for; a new purpose gets a new number, never an old one."""

    TITLES = 0
    MEMBERS = 1
    ACCOUNTS = 2
    BEHAVIOUR = 3
    DELIVERY = 4
    DIRT = 5
    FAVOURITES = 6
    ACCOUNT_CHANGES = 7
    WORDS = 8


def stream(seed: int, purpose: Purpose, day: int) -> np.random.Generator:
    """The generator of one purpose on one day, counted from 0."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, day)))


def arrivals(at_first: int, per_day: float, day: int, *, every: int = 1) -> int:
    """How many come on `day`: `at_first` on day 0, then those of the last `every` days at once."""
    if day == 0:
        return at_first
    return int(at_first * per_day * day) - int(at_first * per_day * max(day - every, 0))
