"""Linear models of title on title: equal to the textbook, from either side and in every form."""

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.errors import ConfigError
from matinee.models import linear
from matinee.models.history import History


def checkerboard(size=12):
    """Members watch the titles of their own parity, but not the one with their own number."""
    member, title = np.divmod(np.arange(size * size), size)
    watched = ((member + title) % 2 == 0) & (member != title)
    return sp.csr_array(watched.reshape(size, size).astype(np.float32))


def drawn(members, titles, share=0.2):
    random = np.random.default_rng(3)
    return sp.csr_array((random.random((members, titles)) < share).astype(np.float32))


def whole(weights, n_titles):
    every = np.arange(n_titles)
    return weights.between(every, every)


def textbook_ease(interactions, penalty):
    dense = interactions.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + penalty * np.eye(dense.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize(
    "fit",
    [
        lambda rows: linear.ease(rows, penalty=1.0),
        lambda rows: linear.low_rank_ease(rows, penalty=1.0, dimensions=4),
        linear.rp3beta,
        lambda rows: linear.item_knn(rows, shrinkage=1.0),
    ],
)
def test_each_model_ranks_the_left_out_title_first(fit):
    rows = checkerboard()
    scores = np.where(rows.toarray() > 0, -np.inf, fit(rows).scores(rows))
    assert scores.argmax(axis=1).tolist() == list(range(12))


@pytest.mark.parametrize("shape", [(60, 25), (20, 45)])
def test_ease_is_the_textbook_inverse_from_either_side(shape):
    rows = drawn(*shape, share=0.08)
    assert (np.diff(rows.indptr) == 1).any()
    weights = linear.ease(rows, penalty=2.0)
    assert (weights.right is None) == (shape[0] > shape[1])
    expected = textbook_ease(rows, 2.0)
    np.testing.assert_allclose(whole(weights, shape[1]), expected, atol=1e-6)
    np.testing.assert_allclose(weights.scores(rows), rows @ expected, atol=1e-5)


def test_a_low_rank_form_with_all_directions_is_ease():
    rows = drawn(40, 25)
    weights = linear.low_rank_ease(rows, penalty=2.0, dimensions=25)
    np.testing.assert_allclose(whole(weights, 25), textbook_ease(rows, 2.0), atol=1e-5)
    np.testing.assert_allclose(weights.scores(rows), rows @ textbook_ease(rows, 2.0), atol=1e-5)


def test_rp3beta_is_what_the_paper_says():
    x = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0]], float)
    of_members, of_titles, alpha, beta = x.sum(axis=1), x.sum(axis=0), 0.7, 0.3
    expected = np.zeros((3, 3))
    for source in range(3):
        for target in range(3):
            if source != target:
                walks = sum(
                    (x[u, source] / of_titles[source]) ** alpha
                    * (x[u, target] / of_members[u]) ** alpha
                    for u in range(4)
                )
                expected[source, target] = walks / of_titles[target] ** beta
    weights = linear.rp3beta(sp.csr_array(x.astype(np.float32)), alpha=alpha, beta=beta)
    np.testing.assert_allclose(whole(weights, 3), expected, atol=1e-6)


def test_neighbours_are_the_largest_and_of_equal_ones_the_first():
    rows = sp.csr_array(np.ones((3, 5), np.float32))
    kept = whole(linear.rp3beta(rows, neighbours=2), 5) > 0
    assert np.flatnonzero(kept[0]).tolist() == [1, 2]
    assert np.flatnonzero(kept[4]).tolist() == [0, 1]
    kept = whole(linear.item_knn(rows, neighbours=2), 5) > 0
    assert np.flatnonzero(kept[:, 4]).tolist() == [0, 1]


def test_item_knn_is_the_shrunk_cosine():
    rows = drawn(30, 8, share=0.4)
    both = (rows.T @ rows).toarray()
    length = np.sqrt(np.diag(both))
    expected = both / (length[:, None] * length + 5.0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(whole(linear.item_knn(rows, shrinkage=5.0), 8), expected, atol=1e-6)


def test_successors_are_pairs_in_order_with_skips_and_a_little_of_the_reverse():
    members, titles = np.array([0, 0, 0, 1, 1]), np.array([2, 0, 1, 0, 2])
    times = np.array([1, 2, 3, 1, 2], "datetime64[s]")
    history = History.of_signals(members, titles, None, times, shape=(2, 3))
    weights = linear.successors(
        history, window=2, half_life_titles=1.0, backward=0.25, shrinkage=0.5
    )
    pairs = np.array([[0, 1, 1], [0, 0, 0], [1, 0.5, 0]])  # 2 -> 0 -> 1 and 0 -> 2
    pairs += 0.25 * pairs.T
    count = np.array([2.0, 1.0, 2.0])
    expected = pairs / (count[:, None] ** 0.5 * count**0.3 + 0.5)
    np.testing.assert_allclose(whole(weights, 3), expected, atol=1e-6)


def test_what_watched_titles_add_is_the_score():
    rows = drawn(20, 45)
    query = rows.copy()
    query.data = np.random.default_rng(1).random(len(query.data)).astype(np.float32)
    targets = np.flatnonzero(rows[[3]].toarray()[0] == 0)
    for weights in (linear.ease(rows, penalty=2.0), linear.rp3beta(rows)):
        sources, values = query[[3]].indices, query[[3]].data
        added = values @ weights.between(sources, targets)
        np.testing.assert_allclose(added, weights.scores(query)[3, targets], atol=1e-5)


def test_scores_of_a_member_do_not_depend_on_the_others_in_the_call():
    rows = drawn(20, 45)
    weights = linear.ease(rows, penalty=2.0)
    others = sp.csr_array(sp.vstack([rows[:5], rows[5:][::-1]], format="csr"))
    assert (weights.scores(rows)[:5] == weights.scores(others)[:5]).all()


def test_a_penalty_of_zero_is_refused():
    with pytest.raises(ConfigError, match="penalty must be above 0, got 0"):
        linear.ease(drawn(4, 4), penalty=0)


def test_a_matrix_that_cannot_be_inverted_names_the_cure():
    with pytest.raises(ConfigError, match="not positive definite: raise the ridge penalty"):
        linear._inverse(np.array([[1.0, 2.0], [2.0, 1.0]]))
