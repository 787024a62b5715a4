"""Factors of features and titles without interactions: untrained ones are zero, cold titles get
the factors that their content lets expect."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.matrices import IDENTITY, Features

HALF_WEIGHT_COUNT = 3.0
"""A title with so many interactions has half the weight of a popular one in the regression."""

EXPECTED_SHARE = 0.5
"""The share of the expected factors that a cold title gets. Half is never worse than all or nothing
on the sets that were tried, and as good as the better of the two."""


def without_untrained(
    embeddings: NDArray[np.float32], features: Features, counts: NDArray[np.integer]
) -> NDArray[np.float32]:
    """The same embeddings, zero for features without interactions.

    Training draws a cold title only as a negative example. So its own vector and bias are the
    random start, moved down. Only its content (genres, people) was learned from other titles.

    Parameters
    ----------
    embeddings : float32, shape (n_features, n_dimensions)
        Biases included as a column.
    counts : int, shape (n_rows,)
        Interactions of each member or title in the training data.
    """
    supported = features.matrix.T @ (counts > 0).astype(np.float32) > 0
    return np.where(supported[:, None], embeddings, np.float32(0))


def with_expected_factors(
    titles: NDArray[np.float32],
    features: Features,
    counts: NDArray[np.integer],
    *,
    penalty: float,
) -> NDArray[np.float32]:
    """The same embeddings, with identity columns of cold titles filled in.

    A model with identity columns learns from content only what identities leave over. So the whole
    vectors of titles with interactions, biases included, are regressed on content. The identity of
    a cold title becomes `EXPECTED_SHARE` of the difference between its expected whole vector and
    the vector of its content.

    Parameters
    ----------
    titles : float32, shape (n_title_features, n_dimensions)
    features : Features
        One row per title. The weight of a family also scales its penalty: a column with half the
        weight has four times the penalty.
    counts : int, shape (n_titles,)
        Interactions of each title.
    penalty : float
        The ridge penalty.

    Notes
    -----
    Solves a dense system in the number of content features: 5,000 of them take 200 MB.

    References
    ----------
    Gantner et al., "Learning attribute-to-feature mappings for cold-start recommendations", ICDM
    2010.
    """
    if not penalty > 0:
        raise ConfigError(f"a ridge penalty must be above 0, got {penalty}")
    identity = features.columns_of(IDENTITY)
    cold = counts == 0
    if not identity.any() or identity.all() or cold.all() or not cold.any():
        return titles
    content = sp.csr_array(features.matrix[:, ~identity].astype(np.float64))
    vectors = (features.matrix @ titles).astype(np.float64)
    weight = counts / (counts + HALF_WEIGHT_COUNT)
    total = weight.sum()
    mean_vector, mean_content = weight @ vectors / total, weight @ content / total
    weighted = sp.csr_array(content.multiply(weight[:, None])).T
    gram = (weighted @ content).toarray() - total * np.outer(mean_content, mean_content)
    gram[np.diag_indices_from(gram)] += penalty
    slopes = np.linalg.solve(gram, weighted @ vectors - total * np.outer(mean_content, mean_vector))
    expected = mean_vector + content[cold] @ slopes - mean_content @ slopes
    filled = titles.copy()
    residual = expected - content[cold] @ titles[~identity]
    filled[np.flatnonzero(identity)[cold]] = EXPECTED_SHARE * residual
    return filled
