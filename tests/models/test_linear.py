"""Linear models of title on title: correct on a plain pattern, and equal in both forms."""

import sys

import numpy as np
import pytest
import scipy.sparse as sp

from matinee.errors import ConfigError
from matinee.models import linear
from matinee.research import als


def checkerboard(size=12):
    """Members like the titles of their own parity, but not the one with their own number."""
    member, title = np.divmod(np.arange(size * size), size)
    likes = ((member + title) % 2 == 0) & (member != title)
    return sp.csr_array(likes.reshape(size, size).astype(np.float32))


def drawn(members=40, titles=25):
    random = np.random.default_rng(3)
    likes = (random.random((members, titles)) < 0.2) * random.random((members, titles))
    return sp.csr_array(likes.astype(np.float32))


def left_out_title_is_first(scores, likes):
    unseen = np.where(likes.toarray() > 0, -np.inf, scores)
    return unseen.argmax(axis=1).tolist() == list(range(len(unseen)))


def test_each_model_ranks_the_left_out_title_first():
    likes = checkerboard()
    members, titles = als.fit(likes, dimensions=4, penalty=0.1, seed=1)
    query_factors, title_factors = linear.linear_vectors(likes, penalty=1.0, dimensions=4)
    for scores in (
        (likes @ linear.nearest_titles(likes)).toarray(),
        likes @ linear.ease(likes, penalty=1.0),
        (likes @ query_factors) @ title_factors.T,
        members @ titles.T,
    ):
        assert left_out_title_is_first(scores, likes)


def test_ease_is_the_ridge_regression_of_each_title_on_the_others():
    likes, penalty = drawn(), 2.0
    dense = likes.toarray().astype(np.float64)
    weights = linear.ease(likes, penalty=penalty)
    for title in range(3):
        others = np.delete(np.arange(dense.shape[1]), title)
        x, y = dense[:, others], dense[:, title]
        ridge = np.linalg.solve(x.T @ x + penalty * np.eye(len(others)), x.T @ y)
        np.testing.assert_allclose(weights[others, title], ridge, atol=1e-6)
    assert not np.diag(weights).any()


def test_with_all_directions_the_vectors_are_ease():
    likes = drawn()
    query_factors, title_factors = linear.linear_vectors(likes, penalty=2.0, dimensions=25)
    weights = query_factors @ title_factors.T
    np.fill_diagonal(weights, 0)
    np.testing.assert_allclose(weights, linear.ease(likes, penalty=2.0), atol=1e-5)


def test_few_directions_are_the_main_ones():
    likes = sp.csr_array(sp.random_array((300, 120), density=0.1, rng=np.random.default_rng(1)))
    values, directions = linear._main_directions(likes, 10)
    exact = np.linalg.svd(likes.toarray())[1][:10] ** 2
    np.testing.assert_allclose(values, exact, rtol=1e-3)
    np.testing.assert_allclose(directions.T @ directions, np.eye(10), atol=1e-9)


def test_equal_likes_give_equal_vectors():
    one, two = (linear.linear_vectors(drawn(), penalty=2.0, dimensions=5) for _ in range(2))
    assert one.query_factors.tobytes() == two.query_factors.tobytes()


def test_a_title_without_interactions_has_no_neighbours_and_no_weights():
    likes = drawn().toarray()
    likes[:, 4] = 0
    likes = sp.csr_array(likes)
    assert not linear.nearest_titles(likes).toarray()[:, 4].any()
    assert not linear.ease(likes, penalty=1.0)[:, 4].any()
    assert not linear.linear_vectors(likes, penalty=1.0, dimensions=5).title_factors[4].any()


def test_neighbours_are_limited_and_shrunk_by_joint_interactions():
    likes = sp.csr_array(np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1]], np.float32))
    weights = linear.nearest_titles(likes, neighbours=1, shrinkage=2.0).toarray()
    assert (weights > 0).sum(axis=0).tolist() == [1, 1, 1]
    assert weights[1, 0] == pytest.approx(1.0 * 2 / (2 + 2))


@pytest.mark.parametrize("penalty", [0.0, -1.0])
def test_a_penalty_must_be_positive(penalty):
    with pytest.raises(ConfigError, match=f"a ridge penalty must be above 0, got {penalty}"):
        linear.ease(drawn(), penalty=penalty)


def test_without_the_library_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(ConfigError, match=r"the peer `als` needs the library implicit: `pip inst"):
        als.fit(drawn(), seed=1)
