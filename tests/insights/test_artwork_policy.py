"""Take rates, the artwork policy and its audit: planted truths that must be found, and laws."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from benchmarks import artwork
from matinee.errors import DataError
from matinee.insights import artwork_audit, artwork_policy, take_rates
from matinee.insights.artwork_policy import BEST, SEGMENT, TITLE, UNIFORM
from matinee.insights.take_rates import ALL_SEGMENTS, Log


def log(*cells):
    """A log of (title, segment, asset, impressions, clicks, propensity)."""
    columns = [[] for _ in range(5)]
    for title, segment, asset, shown, clicks, propensity in cells:
        for column, value in zip(columns[:3], (title, segment, asset), strict=True):
            column += [value] * shown
        columns[3] += [True] * clicks + [False] * (shown - clicks)
        columns[4] += [propensity] * shown
    kinds = (np.intp, np.intp, np.intp, np.bool_, np.float64)
    return Log(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))


TWO = np.array([0, 0])
"""Two assets of one title."""


def row(rates, *, segment, asset):
    (found,) = np.flatnonzero((rates.segment == segment) & (rates.asset == asset))
    return int(found)


def test_rates_by_hand():
    """Shown 8 and 2 times by propensity; 2 clicks each: replay 1/4 and 1, IPS over all 10 rows."""
    rates = take_rates.take_rates(log((0, 0, 0, 8, 2, 0.8), (0, 0, 1, 2, 2, 0.2)), TWO)
    places = [row(rates, segment=0, asset=asset) for asset in (0, 1)]
    assert rates.impressions[places].tolist() == [8, 2]
    assert rates.replayed[places].tolist() == rates.snips[places].tolist() == [0.25, 1.0]
    assert rates.ips[places] == pytest.approx([0.25, 1.0])
    assert rates.effective[places] == pytest.approx([8, 2])
    assert rates.doubly_robust[places] == pytest.approx([0.25, 1.0])
    assert (rates.mean[places[0]] > 0.25, rates.mean[places[1]] < 1.0) == (True, True)


def test_propensities_that_differ_are_weighted_out():
    """Half the rows of asset 0 are from a policy that nearly always shows it to who clicks."""
    logged = log((0, 0, 0, 90, 90, 0.9), (0, 0, 0, 10, 0, 0.1), (0, 0, 1, 10, 5, 0.1))
    rates = take_rates.take_rates(logged, TWO)
    place = row(rates, segment=0, asset=0)
    assert rates.replayed[place] == pytest.approx(0.9)
    assert rates.snips[place] == pytest.approx(0.5)
    assert rates.effective[place] == pytest.approx(200**2 / (90 / 0.81 + 10 / 0.01))


def test_prior_strength_is_where_the_likelihood_of_scipy_is_highest():
    random = np.random.default_rng(1)
    trials = random.integers(20, 400, 300)
    clicks = random.binomial(trials, random.beta(100 * 0.1, 100 * 0.9, 300))
    found = take_rates.strength(clicks, trials, np.full(300, 0.1))
    of_scipy = [
        betabinom.logpmf(clicks, trials, m * 0.1, m * 0.9).sum() for m in take_rates.STRENGTHS
    ]
    assert found == take_rates.STRENGTHS[int(np.argmax(of_scipy))]
    assert 50 < found < 200


def test_an_asset_of_another_title_and_a_missing_propensity_are_refused():
    with pytest.raises(DataError, match="impression 0 shows asset 1 of title 0 as one of title 7"):
        take_rates.take_rates(log((7, 0, 1, 1, 0, 0.5)), TWO)
    with pytest.raises(DataError, match="1 of 1 impressions have no propensity"):
        log((0, 0, 0, 1, 0, 0.0))


def test_the_planted_best_asset_is_found_and_the_policy_beats_chance():
    found = [artwork.planted(seed, titles=20, impressions=200_000) for seed in range(5)]
    clear, correct = (
        sum(getattr(one, name) for one in found) for name in ("with_verdict", "correct")
    )
    assert clear > 80
    assert correct >= 0.9 * clear
    assert all(one.of_random < one.value < one.of_best for one in found)


def test_without_a_better_asset_few_pairs_get_a_verdict():
    """The fault that this sees: a posterior that is too sure of itself."""
    found = [artwork.planted(seed, titles=20, impressions=200_000, lift=1.0) for seed in range(5)]
    assert sum(one.with_verdict for one in found) <= 0.03 * sum(one.pairs for one in found)
    assert all(one.value == pytest.approx(one.of_random) for one in found)


def clear_best():
    """Asset 1 is better in segment 0; segment 1 has two impressions only; title 1 has none."""
    cells = [(0, 0, 0, 2000, 60, 0.5), (0, 0, 1, 2000, 300, 0.5), (0, 1, 0, 2, 0, 0.5)]
    rates = take_rates.take_rates(log(*cells), np.array([0, 0, 1, 1]))
    return rates, artwork_policy.policy(rates, seed=1)


def test_thin_support_takes_the_fallback_and_says_so():
    rates, policy = clear_best()
    best = row(rates, segment=0, asset=1)
    assert (policy.verdict[best], policy.basis[best]) == (BEST, SEGMENT)
    assert policy.probability[best] == pytest.approx(0.95)
    thin = row(rates, segment=1, asset=1)
    assert (policy.verdict[thin], policy.basis[thin]) == ("no verdict: few clicks", TITLE)
    assert policy.probability[thin] == pytest.approx(0.95)
    never = row(rates, segment=ALL_SEGMENTS, asset=2)
    assert (policy.verdict[never], policy.basis[never]) == ("no verdict: few clicks", UNIFORM)
    assert policy.probability[never] == 0.5


def test_an_asset_that_may_not_be_shown_has_no_probability_even_if_it_is_the_best():
    rates, _ = clear_best()
    servable = np.array([True, False, True, True])
    policy = artwork_policy.policy(rates, seed=1, servable=servable)
    assert policy.probability[row(rates, segment=0, asset=1)] == 0
    assert policy.probability[row(rates, segment=0, asset=0)] == 1
    assert policy.verdict[row(rates, segment=0, asset=1)] == "not servable"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_probabilities_sum_to_one_and_keep_the_floor(seed):
    made = artwork.world(seed, titles=5, impressions=2_000)
    rates = take_rates.take_rates(made.log, made.assets)
    policy = artwork_policy.policy(rates, seed=seed)
    sums = np.bincount(artwork_policy.groups(rates), policy.probability)
    assert sums == pytest.approx(np.ones(len(sums)))
    assert policy.probability.min() >= artwork_policy.FLOOR / 3 - 1e-12


def test_a_picture_stays_until_it_is_old_or_the_evidence_is_strong():
    rates, policy = clear_best()
    group = artwork_policy.groups(rates)
    before = np.full(len(group), 0.5)
    young, old = np.full(len(group), 3), np.full(len(group), artwork_policy.STABLE_DAYS)
    kept = artwork_policy.keep_stable(policy, before, young, group)
    own, other = row(rates, segment=1, asset=1), row(rates, segment=0, asset=1)
    weak = np.where(policy.verdict == BEST, "no clear best", policy.verdict)
    weak_policy = artwork_policy.replace(policy, verdict=weak)
    stays = artwork_policy.keep_stable(weak_policy, before, young, group)
    assert stays.probability.tolist() == before.tolist()
    assert stays.changed_days.tolist() == young.tolist()
    assert kept.probability[own] == 0.5  # no verdict of its own
    # Both were as probable as each other before: nothing is overturned.
    assert kept.probability[other] == 0.5
    wrong = before.copy()
    wrong[[row(rates, segment=0, asset=0), other]] = 0.9, 0.1
    turned = artwork_policy.keep_stable(policy, wrong, young, group)
    assert (turned.probability[other], turned.changed_days[other]) == (pytest.approx(0.95), 0)
    aged = artwork_policy.keep_stable(policy, before, old, group)
    assert aged.probability.tolist() == policy.probability.tolist()
    fresh = np.where(rates.asset == 1, np.nan, 1.0)
    new = artwork_policy.keep_stable(policy, fresh, young, group)
    assert new.probability[other] == pytest.approx(0.95)  # an asset came


def test_the_audit_finds_a_group_that_sees_other_pictures_and_no_other():
    """80 members see one of two assets; of group x four fifths see the first, of y one fifth."""
    random = np.random.default_rng(1)
    x = np.arange(80) < 40
    first = random.random(80) < np.where(x, 0.8, 0.2)
    shown = sp.csr_array(np.stack([first, ~first], axis=1).astype(float))
    groups = {
        "age": ["x" if one else "y" for one in x],
        "gender": random.permutation(["f"] * 40 + ["m"] * 40).tolist(),
        "country": ["US"] * 78 + ["DE", None],
    }
    rows = artwork_audit.audit(shown, TWO, groups, least_members=20, seed=1)
    by_group = {(row.attribute, row.group): row for row in rows}
    assert {key for key, row in by_group.items() if row.is_notable} == {("age", "x"), ("age", "y")}
    assert by_group["age", "x"].distance == pytest.approx(abs(first[x].mean() - first.mean()))
    assert ("country", "DE") not in by_group
    assert rows[0].attribute == "age"
