"""Whom and what nobody has met: random starts fall silent, and a title is taken for its content."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.matrices import IDENTITY, Features
from matinee.models.blending import spread

HALF_KNOWN = 3.0
"""A title of so many likes has half a say in what its content means."""

BELIEVED = 0.5
"""How much of what is expected is believed. Halfway is as good as the better of all and nothing on
every set that was tried, and is never the worse."""

NEARLY_NOTHING = 1e-4
"""A ridge, in mean squares of a dimension: enough for dimensions that no member uses."""


def without_untrained(
    embeddings: NDArray[np.float32], features: Features, counts: NDArray[np.integer]
) -> NDArray[np.float32]:
    """The same embeddings, zero for features that no interaction ever spoke for.

    A title that nobody has met yet was only ever drawn as the wrong answer, so its own vector and
    bias are the random start, pushed down. What is known about it (genres, people) was learned
    from others and is all that should speak.

    Parameters
    ----------
    embeddings : float32, shape (n_features, n_dimensions)
        Biases included as a column.
    counts : int, shape (n_rows,)
        Interactions of each member or title in the training data.
    """
    supported = features.matrix.T @ (counts > 0).astype(np.float32) > 0
    return np.where(supported[:, None], embeddings, np.float32(0))


def foreseen(
    titles: NDArray[np.float32],
    features: Features,
    counts: NDArray[np.integer],
    *,
    penalty: float,
) -> NDArray[np.float32]:
    """The same embeddings, with the identities of titles that nobody met filled in.

    A model that knows identities learns of content only what identities leave over. So whole
    vectors of titles that were met, biases and all dimensions of a blend included, are regressed on
    content, and a newcomer's identity is half of what its whole vector then lacks.

    Parameters
    ----------
    titles : float32, shape (n_title_features, n_dimensions)
    features : Features
        One row a title. The weight of a family is also how far it is trusted here: a column that
        is half as large is penalised four times as much.
    counts : int, shape (n_titles,)
        How many liked each title.
    penalty : float
        The ridge.

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
    new = counts == 0
    if not identity.any() or identity.all() or new.all() or not new.any():
        return titles
    content = sp.csr_array(features.matrix[:, ~identity].astype(np.float64))
    vectors = (features.matrix @ titles).astype(np.float64)
    trusted = counts / (counts + HALF_KNOWN)
    total = trusted.sum()
    usual, like = trusted @ vectors / total, trusted @ content / total
    weighed = sp.csr_array(content.multiply(trusted[:, None])).T
    gram = (weighed @ content).toarray() - total * np.outer(like, like)
    gram[np.diag_indices_from(gram)] += penalty
    slopes = np.linalg.solve(gram, weighed @ vectors - total * np.outer(like, usual))
    expected = usual + content[new] @ slopes - like @ slopes
    filled = titles.copy()
    lacking = expected - content[new] @ titles[~identity]
    filled[np.flatnonzero(identity)[new]] = BELIEVED * lacking
    return filled


def told_by_content(
    members: NDArray[np.float32],
    titles: NDArray[np.float32],
    content_members: NDArray[np.float32],
    content_titles: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Newcomers' vectors by which a model's own members order them as content alone does.

    What content says of a member is told, as well as a linear map can, from the model's own vector
    of that member. The newcomers' scores keep the mean and the spread that `titles` gave them, so
    that they are neither above nor below other titles for it.

    Parameters
    ----------
    members, titles : float32, shape (n_members, n_dimensions) and (n_titles, n_dimensions)
        Whole vectors of members who did something and of newcomers, biases last, against a 1.
    content_members, content_titles
        The same of a model of content alone, with dimensions of its own.
    """
    own, before = members.astype(np.float64), titles.astype(np.float64)
    gram = own.T @ own
    gram[np.diag_indices_from(gram)] += NEARLY_NOTHING * np.trace(gram) / len(gram)
    told = np.linalg.solve(gram, own.T @ content_members.astype(np.float64))
    said = content_titles @ told.T
    far = spread(own, said)
    said *= spread(own, before) / far if far > 0 else 0.0
    usual = own.mean(axis=0)
    said[:, -1] += usual @ (before - said).mean(axis=0)
    found: NDArray[np.float32] = said.astype(np.float32)
    return found
