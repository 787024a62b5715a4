"""The propensities of the homepage are the probabilities of its draws."""

import numpy as np
import pytest

from matinee.simulator import Simulation, homepage
from matinee.simulator.homepage import TitleSampler


@pytest.fixture(scope="module")
def catalogue():
    return Simulation(members=1, titles=60, days=1, seed=4).catalogue


def test_probabilities_of_a_shelf_sum_to_one(catalogue):
    eligible = catalogue.eligible(0).reshape(-1, len(catalogue))
    for kind in range(len(homepage.ROW_KINDS)):
        weights = homepage.shelf_weights(catalogue, 0, kind)
        probabilities = homepage.distributions(weights, eligible)
        has_any = eligible.any(axis=1)
        np.testing.assert_allclose(probabilities.sum(axis=1)[has_any], 1.0)
        assert (probabilities[~eligible] == 0).all()


def test_a_sampler_draws_with_the_probabilities_it_returns():
    probabilities = np.array([[0.5, 0.3, 0.15, 0.05]])
    n = 200_000
    placed = np.tile([3, 0], (n, 1))
    uniform = (np.arange(n) + 0.5) / n
    title, probability = TitleSampler.from_probabilities(probabilities).draw(
        np.zeros(n, int), placed, uniform
    )
    counts = np.bincount(title, minlength=4) / n
    np.testing.assert_allclose(counts, [0, 0.3 / 0.45, 0.15 / 0.45, 0], atol=1e-4)
    np.testing.assert_allclose(probability, np.where(title == 1, 0.3 / 0.45, 0.15 / 0.45))


def test_an_exhausted_sampler_draws_nothing():
    sampler = TitleSampler.from_probabilities(np.array([[0.6, 0.4]]))
    title, probability = sampler.draw(np.array([0]), np.array([[0, 1]]), np.array([0.5]))
    assert title.tolist() == [-1]
    assert probability.tolist() == [1.0]


def test_logged_propensities_match_the_draws(catalogue):
    n = 60_000
    segment = np.full(n, 3)  # adults of the first country
    shelves = homepage.choose_shelves(np.zeros(n, int), np.zeros(n, bool))
    pages = homepage.render(catalogue, 0, segment, shelves, np.random.default_rng(5))
    # The mean of 1 / propensity is the number of eligible titles if propensities are exact.
    eligible = int(catalogue.eligible(0)[0, 3].sum())
    inverse = (1 / pages.propensity).mean(axis=0)
    placed = np.arange(homepage.SLOTS)
    np.testing.assert_allclose(inverse, eligible - placed, rtol=0.05)
    assert (np.sort(pages.titles, axis=1)[:, 1:] != np.sort(pages.titles, axis=1)[:, :-1]).all()


def test_exploration_and_artwork_have_their_rates(catalogue):
    n = 40_000
    shelves = homepage.choose_shelves(np.zeros(n, int), np.zeros(n, bool))
    pages = homepage.render(catalogue, 0, np.full(n, 3), shelves, np.random.default_rng(6))
    first = pages.is_exploration[:, 0].mean()
    assert first == pytest.approx(homepage.EXPLORATION, abs=0.01)
    shares = np.bincount(pages.artwork.ravel(), minlength=3) / pages.artwork.size
    np.testing.assert_allclose(shares, homepage.ARTWORK_PROPENSITY, atol=0.01)
    assert homepage.ARTWORK_PROPENSITY.sum() == pytest.approx(1.0)
