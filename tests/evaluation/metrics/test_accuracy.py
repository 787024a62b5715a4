"""Metrics equal values computed by hand, and keep their properties."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import ConfigError
from matinee.evaluation.metrics import PER_MEMBER, auc, average_precision, ndcg, precision, recall
from matinee.matrices import has_interactions


def truth_of(*rows, titles=6):
    matrix = np.zeros((len(rows), titles), np.bool_)
    for row, held_out in enumerate(rows):
        matrix[row, held_out] = True
    return sp.csr_array(matrix)


ALL = pytest.mark.parametrize("metric", PER_MEMBER.values(), ids=PER_MEMBER)


@ALL
def test_a_perfect_slate_scores_one(metric):
    assert metric(np.array([[2, 4]]), truth_of([2, 4])).tolist() == [1.0]


@ALL
def test_a_slate_of_wrong_titles_and_an_empty_one_score_zero(metric):
    assert metric(np.array([[0, 1], [-1, -1]]), truth_of([2], [5])).tolist() == [0.0, 0.0]


@ALL
def test_a_member_without_held_out_titles_is_not_evaluated(metric):
    assert np.isnan(metric(np.array([[0, 1]]), truth_of([]))).tolist() == [True]


@ALL
def test_slates_of_other_members_are_an_error(metric):
    with pytest.raises(ConfigError, match="2 slates for 1 members of the truth"):
        metric(np.array([[0], [1]]), truth_of([1]))


def test_values_by_hand():
    slates, truth = np.array([[3, 0, 5, 1]]), truth_of([0, 1, 2])
    gain, ideal = 1 / np.log2(3) + 1 / np.log2(5), 1 + 1 / np.log2(3) + 1 / 2
    assert ndcg(slates, truth) == pytest.approx([gain / ideal])
    assert recall(slates, truth) == pytest.approx([2 / 3])
    assert precision(slates, truth) == pytest.approx([2 / 4])
    assert average_precision(slates, truth) == pytest.approx([(1 / 2 + 2 / 4) / 3])


def random_case(seed):
    random = np.random.default_rng(seed)
    truth = sp.csr_array(random.random((5, 12)) < 0.3)
    slates = np.stack([random.permutation(12)[:4] for _ in range(5)])
    slates[random.random(slates.shape) < 0.2] = -1
    return random, slates, truth


@given(st.integers(0, 999))
def test_metrics_lie_between_zero_and_one_and_members_do_not_mix(seed):
    _, slates, truth = random_case(seed)
    for metric in PER_MEMBER.values():
        values = metric(slates, truth)
        evaluated = has_interactions(truth)
        assert np.isnan(values).tolist() == (~evaluated).tolist()
        assert ((values[evaluated] >= 0) & (values[evaluated] <= 1)).all()
        for member in range(5):
            alone = metric(slates[[member]], truth[[member]])
            np.testing.assert_array_equal(alone, values[[member]])


@given(st.integers(0, 999))
def test_a_hit_moved_up_never_lowers_a_metric(seed):
    _, slates, truth = random_case(seed)
    held_out = truth.toarray()
    better = slates.copy()
    for row, slate in enumerate(slates):
        hits = [title for title in slate if title >= 0 and held_out[row, title]]
        better[row] = hits + [title for title in slate if title not in hits or title < 0]
    for metric in PER_MEMBER.values():
        before, after = metric(slates, truth), metric(better, truth)
        assert (np.isnan(before) | (after >= before - 1e-12)).all()


@given(st.integers(0, 999))
def test_auc_is_the_share_of_pairs_in_order(seed):
    random, _, truth = random_case(seed)
    scores = random.integers(0, 4, (5, 12)).astype(float)
    excluded = sp.csr_array((random.random((5, 12)) < 0.3) & ~truth.toarray())
    for member, value in enumerate(auc(scores, truth, excluded=excluded)):
        held_out = truth.toarray()[member]
        others = ~held_out & ~excluded.toarray()[member]
        above = np.sign(scores[member][held_out][:, None] - scores[member][others])
        if above.size:
            assert value == pytest.approx((above.mean() + 1) / 2)
        else:
            assert np.isnan(value)


def test_auc_cannot_exclude_held_out_titles():
    with pytest.raises(ConfigError, match="a title of the truth is excluded from the AUC"):
        auc(np.ones((1, 6)), truth_of([1]), excluded=truth_of([1]))
