"""The audience of a title: planted tastes that must be found, calibration, and refusals."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.errors import DataError
from matinee.insights import audience, title_brief
from matinee.insights.audience import Audience, Instant, Log

N_MEMBERS, N_TITLES, GENRES = 150, 60, 3


@dataclass(frozen=True)
class World:
    """Members of two tastes, titles of three genres, and 90 days of viewing."""

    log: Log
    content: sp.csr_array
    taste: np.ndarray
    genre: np.ndarray

    @property
    def model(self) -> Audience:
        return audience.fit(self.log, self.content, alike, now=90.0, seed=1)


def alike(history):
    """The mean of the members who share a title: enough of a model of who watches what."""
    shared = (history @ history.T).toarray()
    np.fill_diagonal(shared, 0)
    weights = shared / np.maximum(shared.sum(axis=1, keepdims=True), 1)
    scores = np.asarray(weights @ history.toarray())
    return lambda rows: scores[rows]


def world(seed=1):
    """Each member watches each title at most once, mostly those of their own genre.

    The last ten titles come after day 62, so the last window has new ones.
    """
    random = np.random.default_rng(seed)
    taste, genre = np.arange(N_MEMBERS) % 2, np.arange(N_TITLES) % GENRES
    activity = random.gamma(3, 1 / 3, N_MEMBERS)
    hazard = 0.008 * activity[:, None] * np.where(taste[:, None] == genre, 3.0, 0.3)
    day = random.exponential(1 / hazard)
    day[:, -10:] += 62.5
    member, title = np.nonzero(day < 90)
    content = np.zeros((N_TITLES, GENRES + 1), np.float32)
    content[np.arange(N_TITLES), genre] = 1.0
    content[:, -1] = 0.2
    order = np.argsort(day[member, title])
    log = Log(member[order], title[order], day[member, title][order], (N_MEMBERS, N_TITLES))
    return World(log, sp.csr_array(content), taste, genre)


@pytest.fixture(scope="module")
def made():
    return world()


@pytest.fixture(scope="module")
def model(made):
    return made.model


def chances(made, model, title, log=None):
    instant = Instant.of(log or made.log, made.content, alike, instant=90.0, days=model.days)
    return model.probability(instant.window(np.arange(N_MEMBERS)), title)


@pytest.mark.parametrize("kind", ["warm", "cold"])
def test_members_with_the_taste_of_a_title_come_first_and_probabilities_are_true(model, kind):
    held = model.held_out[kind]
    assert held.auc > 0.7
    assert held.lift > 1.2
    predicted = sum(one.predicted * one.cases for one in held.calibration) / held.pairs
    assert predicted == pytest.approx(held.viewings / held.pairs, rel=0.35)
    observed = [one.observed for one in held.calibration]
    assert np.mean(observed[5:]) > 2 * np.mean(observed[:5])


def test_who_has_watched_it_or_has_no_history_gets_nothing(made, model):
    seen = made.log.member[made.log.title == 0]
    found = chances(made, model, 0)
    assert (found[seen] == 0).all()
    open_ = np.setdiff1d(np.arange(N_MEMBERS), seen)
    assert (found[open_] > 0).all()
    kept = made.log.member != 5
    without = Log(made.log.member[kept], made.log.title[kept], made.log.day[kept], made.log.shape)
    assert chances(made, model, 0, without)[5] == 0


def test_a_title_that_does_not_exist_finds_its_taste(made, model):
    """A brief is one more row of content, without any viewing."""
    content = sp.csr_array(sp.vstack([made.content, made.content[[0]]]))
    log = Log(made.log.member, made.log.title, made.log.day, (N_MEMBERS, N_TITLES + 1))
    instant = Instant.of(log, content, alike, instant=90.0, days=model.days)
    found = model.probability(instant.window(np.arange(N_MEMBERS)), N_TITLES)
    assert found[made.taste == 0].mean() > 1.5 * found[made.taste == 1].mean()
    low, high = model.interval(float(found.sum()), "cold")
    assert low < found.sum() < high


def test_nothing_after_the_instant_is_used(made):
    """The fault that this sees: a leak of what comes after into what was known."""
    cut = made.log.day <= 60.0
    before = Log(made.log.member[cut], made.log.title[cut], made.log.day[cut], made.log.shape)
    rows = np.arange(N_MEMBERS)
    windows = [
        Instant.of(log, made.content, alike, instant=60.0, days=28.0).window(rows)
        for log in (made.log, before)
    ]
    for name in ("activity", "freshness", "popularity", "demand", "likeness", "affinity", "seen"):
        np.testing.assert_array_equal(getattr(windows[0], name), getattr(windows[1], name))
    assert windows[0].watched.any()
    assert not windows[1].watched.any()


def test_members_in_blocks_get_the_same_as_all_at_once(made, model):
    instant = Instant.of(made.log, made.content, alike, instant=90.0, days=model.days)
    whole = model.probability(instant.window(np.arange(N_MEMBERS)), 3)
    parts = [model.probability(instant.window(rows), 3) for rows in np.split(np.arange(150), 3)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-9)


def test_the_spread_of_poisson_counts_is_nearly_none_and_that_of_titles_is_found():
    random = np.random.default_rng(1)
    expected = np.full(4000, 30.0)
    assert audience.spread(random.poisson(expected), expected) < 0.1
    wild = expected * np.exp(random.normal(0, 0.5, 4000))
    assert audience.spread(random.poisson(wild), expected) == pytest.approx(0.5, abs=0.05)


def test_demand_by_content_is_that_of_the_genre_and_never_of_the_title_itself():
    content = sp.csr_array(np.repeat(np.eye(2, dtype=np.float32), 10, axis=0))
    popularity = np.r_[np.full(10, 3.0), np.full(10, 1.0)]
    known = np.ones(20, np.bool_)
    known[[0, 19]] = False
    found = audience.expected_demand(popularity, content, known)
    assert found[0] > 2.5
    assert found[19] < 1.5
    wild = popularity.copy()
    wild[5] = 0.0
    moved = audience.expected_demand(wild, content, known)
    assert moved[5] == pytest.approx(found[5])
    assert moved[4] != pytest.approx(found[4])


def test_too_few_viewings_are_refused(made):
    few = np.arange(20)
    log = Log(made.log.member[few], made.log.title[few], made.log.day[few], made.log.shape)
    with pytest.raises(DataError, match="an audience is learned from 50: wait for more logs"):
        audience.fit(log, made.content, alike, now=90.0, seed=1)


def test_the_brief_beats_plain_rules_for_new_titles_or_says_so(made, model):
    genres = [f"g{one}" for one in made.genre]
    tested = title_brief.back_test(model, made.content, genres)
    assert tested.titles == 10
    assert tested.inside >= 0.7
    assert tested.brief < 1.0


def test_likeness_and_overlap_by_hand():
    import doctest

    result = doctest.testmod(title_brief)
    assert (result.attempted > 0, result.failed) == (True, 0)
