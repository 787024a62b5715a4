"""The demand for new titles: what was planted is found, and watched titles have none."""

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.errors import ConfigError
from matinee.models.history import History
from matinee.models.new_titles import expected_demand, kin_popularity

N_TITLES, N_EVENTS = 300, 6000


@pytest.fixture(scope="module")
def planted():
    """Titles come out one after the other; those of kind 0 are watched four times as often."""
    random = np.random.default_rng(4)
    kinds = np.zeros((N_TITLES, 2), np.float32)
    kinds[np.arange(N_TITLES), np.arange(N_TITLES) % 2] = 1
    launch = np.arange(N_TITLES) / N_TITLES * 1.2
    pull = np.where(kinds[:, 0] > 0, 4.0, 1.0)
    titles = []
    for moment in np.arange(N_EVENTS) / N_EVENTS:
        out = (launch <= moment) * pull * np.exp(-5 * (moment - launch))
        titles.append(random.choice(N_TITLES, p=out / out.sum()))
    times = np.datetime64("2000-01-01", "s") + np.arange(N_EVENTS) * 3600 * 12
    members = np.arange(N_EVENTS)
    history = History.of_signals(members, np.array(titles), None, times, shape=(N_EVENTS, N_TITLES))
    years = 2000 + np.floor(launch * N_EVENTS / 730.5)
    return history, sp.csr_array(kinds), years


def test_a_kind_that_was_watched_more_is_expected_to_be(planted):
    history, kinds, years = planted
    none = sp.csr_array((N_TITLES, 1), dtype=np.float32)
    demand = expected_demand(history, kinds=kinds, kin=none, release_years=years)
    cold = np.bincount(history.titles, minlength=N_TITLES) == 0
    assert not demand[~cold].any()
    soon = cold & (years == years[cold].min())
    of_kind = [demand[soon & (kinds.toarray()[:, kind] > 0)].mean() for kind in (0, 1)]
    assert 2 < of_kind[0] / of_kind[1] < 8


def test_popularity_of_kin_is_that_of_the_best_column_shrunk():
    kin = sp.csr_array(np.array([[1, 0], [1, 1], [1, 0], [0, 0]], np.float32))
    counts = np.array([6, 3, 0, 9])
    assert kin_popularity(counts, kin).tolist() == [3.0, 3.0, 3.0, 0.0]


def test_kinds_of_another_catalogue_are_refused(planted):
    history, kinds, years = planted
    with pytest.raises(ConfigError, match="kinds has 10 rows for 300 titles"):
        expected_demand(history, kinds=kinds[:10], kin=kinds, release_years=years)


def test_kinds_of_another_number_of_titles_are_refused(planted):
    history, kinds, years = planted
    with pytest.raises(ConfigError, match=r"kinds has 299 rows for 300 titles: one each is needed"):
        expected_demand(history, kinds=kinds[:299], kin=kinds, release_years=years)
