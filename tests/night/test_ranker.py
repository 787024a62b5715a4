"""Lists come from one path: scores are sums of parts, in the country and limits of members."""

from dataclasses import replace

import numpy as np
import pytest

from matinee.models.combination import COHORTS
from matinee.night import combine
from matinee.night.ranker import NOT_IN_FRAME
from matinee.night.scorer import COMBINATION, CONTEXTS
from matinee.slates import ranking
from tests import worlds


@pytest.fixture(scope="module")
def scorer():
    return worlds.scorer()


def lists(scorer, rows, country=None, allowed=None, context="next_visit"):
    everything = np.ones(scorer.frame.shape[1], bool)
    (found,) = scorer.ranker.lists(
        np.array(rows),
        country=country,
        allowed=everything if allowed is None else allowed,
        contexts=(context,),
    ).values()
    return found


def test_scores_are_the_sums_of_contributions_and_descend(scorer):
    found = lists(scorer, np.arange(60))
    np.testing.assert_allclose(found.contributions.sum(axis=2), found.scores, rtol=1e-5)
    assert (np.diff(found.scores, axis=1) <= 1e-6).all()


def test_nothing_seen_and_nothing_forbidden_is_listed(scorer):
    allowed = np.arange(48) % 2 == 0
    found = lists(scorer, np.arange(60), allowed=allowed)
    listed = found.rows != ranking.NONE
    assert allowed[found.rows[listed]].all()
    member = np.nonzero(listed)[0]
    assert not scorer.ranker.seen.toarray()[member, found.rows[listed]].any()


def test_a_list_does_not_depend_on_the_other_members_of_a_block(scorer):
    whole, one = lists(scorer, np.arange(60)), lists(scorer, [17])
    assert whole.rows[17].tolist() == one.rows[0].tolist()
    np.testing.assert_allclose(whole.scores[17], one.scores[0], rtol=1e-5)


def test_members_who_are_not_in_the_frame_share_the_list_of_their_country(scorer):
    found = lists(scorer, [NOT_IN_FRAME, NOT_IN_FRAME], country="SE")
    assert found.rows[0].tolist() == found.rows[1].tolist()
    linear = [name in ("ease", "rp3beta", "hybrid") for name in scorer.ranker.parts.names]
    assert not found.contributions[:, :, linear].any()


def test_what_is_popular_in_a_country_comes_first_there():
    scorer = worlds.scorer()
    countries, scores = scorer.ranker.popular
    in_sweden = {name: one.copy() for name, one in scores.items()}
    for one in in_sweden.values():
        one[countries.index("SE"), 7] = 1.0
    scorer.ranker.__dict__["popular"] = countries, in_sweden
    assert lists(scorer, [NOT_IN_FRAME], country="SE").rows[0, 0] == 7
    assert lists(scorer, [NOT_IN_FRAME], country="DE").rows[0, 0] != 7


def test_both_contexts_have_lists_of_their_own(scorer):
    visit, session = (lists(scorer, np.arange(60), context=context) for context in CONTEXTS)
    assert visit.rows.tolist() != session.rows.tolist()


def test_calibration_reorders_members_with_a_history_only(scorer):
    rows = np.array([0, 1, 59, NOT_IN_FRAME])
    before = lists(scorer, rows)
    after = scorer.ranker.calibrated(rows, before, weight=0.9)
    assert np.sort(after.rows).tolist() == np.sort(before.rows).tolist()
    assert after.rows[2:].tolist() == before.rows[2:].tolist()
    assert after.rows[:2].tolist() != before.rows[:2].tolist()
    by_title = {
        (member, title): score
        for member in range(4)
        for title, score in zip(before.rows[member], before.scores[member], strict=True)
    }
    for member in range(4):
        for title, score in zip(after.rows[member], after.scores[member], strict=True):
            assert by_title[member, title] == score


def test_a_baseline_orders_lists_as_its_part_alone_does(scorer):
    names = scorer.ranker.parts.names
    weights = scorer.ranker.combination.weights["next_visit"]
    alone = combine.baseline_weights(weights, names, "ease", names)
    chosen = replace(scorer.ranker.combination, weights={"next_visit": alone})
    found = lists(replace(scorer, ranker=replace(scorer.ranker, combination=chosen)), np.arange(59))
    scores = np.array(scorer.ranker.parts.by_name["ease"].scores(np.arange(59)))
    scores[scorer.ranker.seen[:59].toarray()] = -np.inf
    expected = -np.sort(-scores, axis=1)[:, :8]
    listed = np.take_along_axis(scores, found.rows[:, :8], 1)
    np.testing.assert_allclose(listed, expected, atol=1e-6)
    assert alone[0].tolist() == weights[0].tolist()  # members without history


def test_the_weights_of_the_combination_keep_their_parts_when_another_is_added():
    weights = np.arange(len(COHORTS) * 4, dtype=float).reshape(len(COHORTS), 4)
    placed = combine.baseline_weights(weights, ("a", "b"), COMBINATION, ("a", "b", "knn"))
    assert placed[:, [0, 1, 3, 4]].tolist() == weights.tolist()
    assert not placed[:, [2, 5]].any()
