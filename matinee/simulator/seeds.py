"""One random stream per purpose and day, so that a longer run only adds days."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """Purposes of random numbers; the number of a purpose is never reused."""

    TITLES = 0
    MEMBERS = 1
    ACCOUNTS = 2
    BEHAVIOUR = 3
    DELIVERY = 4
    DIRT = 5
    FAVOURITES = 6
    ACCOUNT_CHANGES = 7
    WORDS = 8
    SERVED = 9


def stream(seed: int, purpose: Purpose, day: int, *number: int) -> np.random.Generator:
    """The generator of a purpose on a day, counted from 0, or of one event of that day."""
    key = (purpose, day, *number)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def arrivals(at_first: int, per_day: float, day: int, *, every: int = 1) -> int:
    """Arrivals on `day`: `at_first` on day 0, then those of the last `every` days together."""
    if day == 0:
        return at_first
    return int(at_first * per_day * day) - int(at_first * per_day * max(day - every, 0))
