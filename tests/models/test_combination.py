"""The combination: exact sums, exact gradients, and weights that find what was planted."""

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.errors import ConfigError, DataError
from matinee.models import candidates, combination, learned_weights
from matinee.models.combination import COHORTS, Combination
from matinee.models.default_weights import WEIGHTS, default_combination
from matinee.models.history import History
from matinee.models.learned_weights import Evidence
from matinee.models.parts import ByVectors, ForEveryone, Parts, fit_parts

N_MEMBERS, N_TITLES = 60, 40


def drawn_history(seed=5, share=0.2, silent=10):
    """Members of two tastes; the last `silent` have no history."""
    random = np.random.default_rng(seed)
    taste = np.arange(N_MEMBERS)[:, None] % 2 == np.arange(N_TITLES)[None, :] % 2
    watched = random.random((N_MEMBERS, N_TITLES)) < np.where(taste, 2 * share, share / 4)
    watched[N_MEMBERS - silent :] = False
    members, titles = np.nonzero(watched)
    times = random.integers(0, 10**6, len(members)).astype("datetime64[s]")
    return History.of_signals(members, titles, None, times, shape=watched.shape)


@pytest.fixture(scope="module")
def parts():
    random = np.random.default_rng(2)
    vectors = [random.standard_normal((n, 4)).astype(np.float32) for n in (N_MEMBERS, N_TITLES)]
    return fit_parts(drawn_history(), others={"hybrid": ByVectors(*vectors)})


def drawn_weights(n_parts, seed=1):
    return np.random.default_rng(seed).normal(size=(len(COHORTS), 2 * n_parts))


def scored(parts, rows, weights, **kwargs):
    watched = parts.history.matrix().astype(np.bool_)
    return Combination(parts.names, {"session": weights}).score(
        parts, rows, context="session", excluded=watched[rows], per_part=8, **kwargs
    )


def test_contributions_of_the_parts_sum_to_the_score(parts):
    weights = drawn_weights(len(parts.names))
    result = scored(parts, np.arange(N_MEMBERS), weights)
    cohort = combination.cohorts(parts.history)[result.candidates.row]
    expected = (result.candidates.features * weights[cohort]).sum(axis=1)
    np.testing.assert_allclose(result.scores, expected, atol=1e-6)
    assert (result.contributions().sum(axis=1) == result.scores).all()
    some = np.array([7, 3])
    assert (result.contributions(some) == result.contributions()[some]).all()


def test_features_are_asinh_of_z_and_the_log_of_the_rank():
    values = np.arange(12, dtype=np.float32)
    history = History.of_signals(
        np.array([0]), np.array([11]), None, np.array([0], "datetime64[s]"), shape=(1, 12)
    )
    one = Parts({"popularity": ForEveryone(values)}, history)
    watched = history.matrix().astype(np.bool_)
    found = candidates.candidates(one, np.array([0]), excluded=watched, per_part=3)
    assert found.titles.tolist() == [8, 9, 10]
    z = (np.array([8, 9, 10]) - 5.0) / np.arange(11).std()
    np.testing.assert_allclose(found.features[:, 0], np.arcsinh(z), rtol=1e-6)
    ranks = np.log((1 + 3 / 3) / (1 + np.array([2, 1, 0]) / 3))
    np.testing.assert_allclose(found.features[:, 1], ranks, rtol=1e-6)


def test_a_member_without_history_is_scored_by_popularity_only(parts):
    result = scored(parts, np.array([N_MEMBERS - 1]), drawn_weights(len(parts.names)))
    popular = [name.startswith("popularity") for name in parts.names]
    given = result.contributions()
    assert not given[:, ~np.array(popular)].any()
    assert given[:, popular].any()


def test_only_allowed_titles_that_were_not_watched_are_candidates(parts):
    allowed = np.arange(N_TITLES) % 3 > 0
    result = scored(parts, np.arange(5), drawn_weights(len(parts.names)), allowed=allowed)
    watched = parts.history.matrix().toarray()[:5] > 0
    assert allowed[result.candidates.titles].all()
    assert not watched[result.candidates.row, result.candidates.titles].any()
    titles, places = result.best(50)
    assert (titles[:, -1] == -1).all()
    assert (np.diff(result.scores[places[0][places[0] >= 0]]) <= 0).all()


def test_a_title_that_a_linear_model_knows_nothing_of_is_not_its_candidate():
    known, least = np.array([True, True, False]), np.zeros(3, np.float32)
    scores = np.array([[0, 0, 3, 0, 0, 2], [1, 1, 3, 1, 0, 2], [1, 2, 3, 4, 5, 6]], np.float32)
    best = candidates._best(scores, 4, known, least)
    assert sorted(best.tolist()) == [2, 5, 6, 7, 8, 11]


def test_members_with_few_candidates_get_further_open_titles():
    history = History.of_signals(
        np.array([0, 1]), np.array([3, 3]), None, np.zeros(2, "datetime64[s]"), shape=(2, 6)
    )
    few = Parts({"popularity": ForEveryone(np.array([0, 0, 0, 9, 0, 0], np.float32))}, history)
    watched = history.matrix().astype(bool)
    allowed = np.array([True, True, False, True, True, True])
    for at_least, expected in ((0, []), (3, [0, 1, 4]), (50, [0, 1, 4, 5])):
        found = candidates.candidates(
            few, np.array([0]), excluded=watched[[0]], allowed=allowed, at_least=at_least
        )
        assert found.titles.tolist() == expected


def test_no_candidates_give_an_empty_list():
    history = History.of_signals(
        np.array([0]), np.array([0]), None, np.zeros(1, "datetime64[s]"), shape=(1, 1)
    )
    alone = Parts({"popularity": ForEveryone(np.ones(1, np.float32))}, history)
    weights = np.ones((len(combination.COHORTS), 2))
    chosen = Combination(("popularity",), {"session": weights})
    watched = history.matrix().astype(bool)
    result = chosen.score(alone, np.array([0]), context="session", excluded=watched, at_least=5)
    titles, places = result.best(3)
    assert titles.tolist() == places.tolist() == [[-1, -1, -1]]


def test_the_best_of_many_titles_are_those_of_a_full_sort():
    random = np.random.default_rng(9)
    scores = random.integers(0, 200, (30, 999)).astype(np.float32)
    scores[:, ::3] = -np.inf
    best = candidates._best(scores, 10, np.ones(30, np.bool_), np.zeros(30, np.float32))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    assert best.tolist() == (np.arange(30)[:, None] * 999 + order).ravel().tolist()


def test_cohorts_split_by_length_and_by_the_last_tenth():
    counts = [0, 3, 20, 60, 0, 3, 20, 60]
    members = np.repeat(np.arange(8), counts)
    titles = np.concatenate([np.arange(count) for count in counts])
    times = np.arange(len(members)).astype("datetime64[s]")
    times[(members >= 4) & (titles == 0)] = np.datetime64(10**6, "s")
    history = History.of_signals(members, titles, None, times, shape=(8, 60))
    names = [COHORTS[k] for k in combination.cohorts(history)]
    lengths = ["1-9", "10-49", "50+"]
    assert names[0] == names[4] == "no history"
    assert names[1:4] == [f"{length} titles, dormant" for length in lengths]
    assert names[5:] == [f"{length} titles, active" for length in lengths]


def drawn_evidence(weights, n_members, seed):
    """Members who choose one of twenty candidates by the logit of `weights`."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(n_members, 20, weights.shape[1])).astype(np.float32)
    cohort = random.integers(0, len(COHORTS), n_members)
    scores = np.einsum("mcf,mf->mc", features, weights[cohort])
    choice = (scores + random.gumbel(size=scores.shape)).argmax(axis=1)
    target = np.zeros(scores.shape)
    target[np.arange(n_members), choice] = 1
    return Evidence(
        features.reshape(-1, weights.shape[1]),
        np.arange(n_members + 1) * 20,
        cohort,
        target.ravel(),
    )


def test_the_gradient_is_that_of_finite_differences():
    weights = drawn_weights(2)
    split = drawn_evidence(weights, 30, seed=3)
    at = drawn_weights(2, seed=8)
    _, gradient = learned_weights.loss_and_gradient(at, split)
    for place in [(0, 0), (3, 1), (6, 3)]:
        step = np.zeros_like(at)
        step[place] = 1e-5
        above, _ = learned_weights.loss_and_gradient(at + step, split)
        below, _ = learned_weights.loss_and_gradient(at - step, split)
        assert gradient[place] == pytest.approx((above - below) / 2e-5, abs=1e-5)


def test_planted_weights_are_found_and_few_members_keep_the_default():
    planted = np.tile([1.5, 0.0, -0.5, 0.8], (len(COHORTS), 1))
    planted[0] = [0.0, 1.5, 0.0, 0.0]
    default = np.tile([1.0, 1.0, 0.0, 0.0], (len(COHORTS), 1))
    many = learned_weights.choose_weights([drawn_evidence(planted, 4000, seed=4)], default)
    np.testing.assert_allclose(many, planted, atol=0.25)
    few = learned_weights.choose_weights([drawn_evidence(planted, 5, seed=4)], default)
    assert np.abs(few - default).max() < 0.25 * np.abs(planted - default).max()
    none = learned_weights.choose_weights([drawn_evidence(planted, 0, seed=4)], default)
    assert (none == default).all()


def test_evidence_holds_members_with_a_held_out_candidate(parts):
    truth = np.zeros((N_MEMBERS, N_TITLES), np.bool_)
    watched = parts.history.matrix().toarray() > 0
    unseen = np.flatnonzero(~watched[3])
    truth[3, unseen] = True
    found = learned_weights.evidence(parts, sp.csr_array(truth), per_part=8)
    assert found.cohort.tolist() == [combination.cohorts(parts.history)[3]]
    assert found.target.sum() == pytest.approx(1.0)
    assert len(found.target) == found.indptr[-1] == len(found.features)


def test_equal_input_gives_equal_weights_and_scores_in_any_blocks(parts):
    evidence = drawn_evidence(drawn_weights(len(parts.names)), 50, seed=6)
    default = np.zeros((len(COHORTS), 2 * len(parts.names)))
    first, second = (learned_weights.choose_weights([evidence], default) for _ in range(2))
    assert (first == second).all()
    whole = scored(parts, np.arange(N_MEMBERS), first)
    half = scored(parts, np.arange(N_MEMBERS // 2), first)
    assert (whole.best(5)[0][: N_MEMBERS // 2] == half.best(5)[0]).all()


def test_weights_of_other_parts_are_refused(parts):
    other = Combination(("ease",), {"session": np.zeros((len(COHORTS), 2))})
    watched = parts.history.matrix().astype(np.bool_)
    with pytest.raises(
        ConfigError, match="weights for the parts ease cannot combine popularity-1000"
    ):
        other.score(parts, np.array([0]), context="session", excluded=watched[[0]])


def test_scores_that_are_not_finite_are_refused():
    history = drawn_history()
    members = np.full((N_MEMBERS, 1), np.nan, np.float32)
    broken = Parts({"hybrid": ByVectors(members, np.ones((N_TITLES, 1), np.float32))}, history)
    with pytest.raises(DataError, match="the part hybrid has scores that are not finite"):
        scored(broken, np.arange(3), np.zeros((len(COHORTS), 2)))


@pytest.mark.parametrize("context", ["next_visit", "session"])
def test_default_weights_name_every_part_and_rank_what_the_parts_agree_on(parts, context):
    everything = fit_parts(
        parts.history,
        others={"hybrid": parts.by_name["hybrid"]},
        new_titles=np.zeros(N_TITLES, np.float32),
    )
    assert set(WEIGHTS[context]) == set(everything.names)
    weights = default_combination(parts.names).weights[context]
    best = np.r_[np.full(len(parts.names), 1.5), np.full(len(parts.names), 2.0)]
    worst = np.r_[np.full(len(parts.names), -0.5), np.full(len(parts.names), -1.0)]
    assert (weights @ (best - worst) > 0.5).all()


def test_members_without_history_take_no_part_in_what_the_others_share():
    planted = np.tile([1.5, 0.0], (len(COHORTS), 1))
    split = drawn_evidence(planted, 3000, seed=4)
    keep = np.repeat(split.cohort > 0, 20)
    others = Evidence(
        split.features[keep],
        np.arange((split.cohort > 0).sum() + 1) * 20,
        split.cohort[split.cohort > 0],
        split.target[keep],
    )
    weights = learned_weights.choose_weights([others], np.zeros_like(planted))
    assert (weights[0] == 0).all()
    assert (weights[1:, 0] > 1).all()
