"""Pairs of themes beyond their parts: found where planted, near 0 where there are none."""

import numpy as np
import pytest

from matinee.insights.interactions import interactions


def catalogue(seed, titles=600, parts=10, effects=()):
    """Titles with two parts each; parts have effects, and pairs those that are planted."""
    random = np.random.default_rng(seed)
    has = np.zeros((titles, parts))
    for row in has:
        row[random.choice(parts, 2, replace=False)] = 1.0
    names = [(i, j) for i in range(parts) for j in range(i + 1, parts)]
    pairs = np.column_stack([has[:, i] * has[:, j] for i, j in names])
    outcome = has @ random.normal(0, 0.5, parts) + random.normal(0, 0.6, titles)
    for name, effect in effects:
        outcome += effect * pairs[:, names.index(name)]
    return outcome, has, pairs, names


def test_planted_pairs_come_first_and_last_and_are_sure():
    outcome, parts, pairs, names = catalogue(1, effects=[((2, 5), 1.5), ((1, 7), -1.5)])
    found = interactions(outcome, parts, pairs)
    best, worst = int(found.mean.argmax()), int(found.mean.argmin())
    assert (names[best], names[worst]) == ((2, 5), (1, 7))
    sure = np.flatnonzero(found.wrong_sign <= 0.005)
    assert {names[one] for one in sure} == {(2, 5), (1, 7)}
    relative, low, high = found.relative()
    assert low[best] > 0 > high[worst]
    assert 0.5 < relative[best] < np.expm1(1.5)  # drawn towards 0


@pytest.mark.parametrize("seed", range(10))
def test_without_interactions_no_pair_is_sure(seed):
    outcome, parts, pairs, _ = catalogue(seed)
    assert (interactions(outcome, parts, pairs).wrong_sign > 0.005).all()


def test_a_pair_of_few_titles_is_drawn_towards_zero():
    outcome, parts, pairs, names = catalogue(2, effects=[((0, 1), 1.5), ((2, 3), 1.5)])
    rare = names.index((2, 3))
    kept = np.flatnonzero((pairs[:, rare] == 0) | (np.cumsum(pairs[:, rare]) <= 2))
    found = interactions(outcome[kept], parts[kept], pairs[kept])
    assert found.mean[rare] < found.mean[names.index((0, 1))]
    assert found.deviation[rare] > found.deviation[names.index((0, 1))]
