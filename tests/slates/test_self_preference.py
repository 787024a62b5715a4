"""The audit of own productions: blames what viewing does not explain, and nothing else."""

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.evaluation.gate import Status
from matinee.slates.self_preference import SelfPreference, self_preference


def service(shown_own, *, seed=1, members=300, titles=100, own=20, watched_own=0.2):
    """Slates with a share of own titles, and viewing with another; the first titles are own."""
    random = np.random.default_rng(seed)

    def draw(share, count):
        weight = np.where(np.arange(titles) < own, share / own, (1 - share) / (titles - own))
        return np.array(
            [random.choice(titles, count, replace=False, p=weight) for _ in range(members)]
        )

    slates, watched = draw(shown_own, 10), draw(watched_own, 10)
    row = np.repeat(np.arange(members), 10)
    viewing = sp.coo_array((np.ones(len(row)), (row, watched.ravel())), shape=(members, titles))
    is_own = np.arange(titles) < own
    return slates, viewing.tocsr(), is_own


def audit(*world, stratum=None):
    slates, viewing, is_own = world
    stratum = np.zeros(len(is_own), np.intp) if stratum is None else stratum
    return self_preference(slates, viewing, is_own=is_own, stratum=stratum)


def test_slates_that_show_what_is_watched_pass():
    found = audit(*service(0.2))
    assert 0.9 < found.ratio < 1.1
    assert found.low < found.ratio < found.high
    assert found.verdict(Status.FAIL, places=10).status is Status.PASS


@pytest.mark.parametrize("worst", [Status.WARN, Status.FAIL])
def test_own_productions_that_are_shown_twice_as_much_get_the_verdict_that_is_set(worst):
    verdict = audit(*service(0.45)).verdict(worst, places=10)
    assert verdict.status is worst
    assert verdict.text.startswith("own_exposure@10 vs viewing  2.")
    assert "limit 1.25" in verdict.text


def test_an_excess_that_may_be_chance_is_a_warning():
    found = SelfPreference(0.3, 0.2, ratio=1.5, low=0.9, high=2.1, members=30, titles=6)
    assert found.verdict(Status.FAIL, places=10).status is Status.WARN


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    ratios = [audit(*service(0.2, seed=seed, members=60)) for seed in range(60)]
    assert sum(one.low <= 1 <= one.high for one in ratios) >= 52


def test_new_titles_that_are_mostly_own_are_compared_with_new_titles():
    """Slates show new titles only; among these, viewing is as much own as the slates are."""
    slates, viewing, is_own = service(0.5, watched_own=0.2)
    new = np.r_[np.ones(20), np.ones(20), np.zeros(60)].astype(np.intp)
    random = np.random.default_rng(3)
    slates = np.array([random.choice(40, 10, replace=False) for _ in range(len(slates))])
    watched = np.array([random.choice(40, 4, replace=False) for _ in range(len(slates))])
    row = np.repeat(np.arange(len(slates)), 4)
    more = sp.coo_array((np.ones(len(row)), (row, watched.ravel())), shape=viewing.shape)
    both = (viewing + more).tocsr()
    blind = audit(slates, both, is_own)
    aware = audit(slates, both, is_own, stratum=new)
    assert aware.ratio < blind.ratio


def test_a_service_without_own_titles_has_no_verdict():
    slates, viewing, _ = service(0.2)
    assert audit(slates, viewing, np.zeros(100, bool)) is None
