"""The hybrid's scores of cold titles, with a ridge of each member's history on content.

LightFM learns the embeddings of genres and themes beside those of identities, which explain most of
what it sees. Of titles without interactions it knows the content only, and a plain ridge on the
content orders them better. The two together are better than either: docs/research/combination.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.matrices import Features
from matinee.models.history import History
from matinee.models.parts import ByVectors, Rows
from matinee.models.title_weights import product

CONTENT = ("kind", "genre", "theme", "language", "country", "decade")
"""Feature families of the ridge; people are many, and each is in few titles."""

PENALTY = 100.0
"""Of the ridge, in titles."""

RIDGE_SHARE = 2.0
"""Standard deviations of the ridge for each of the hybrid."""


@dataclass(frozen=True)
class WithColdTitles:
    """A model of dot products whose cold titles are ordered by content too."""

    warm: ByVectors
    """Gives all scores; those of warm titles stay as they are."""

    learned: NDArray[np.float32]
    """What a watched title adds to a member's weight of each feature, shape (n_titles, d)."""

    content: NDArray[np.float32]
    """The features of the cold titles, shape (d, n_cold)."""

    queries: sp.csr_array[np.float32]
    """Shape (n_members, n_titles)."""

    cold: NDArray[np.intp]
    """Titles without interactions, intp, shape (n_cold,)."""

    needs_history: bool = False
    same_for_all: bool = False

    def of(self, rows: Rows, history: History) -> WithColdTitles:
        """The same for other members: the profiles of `rows`, with histories of their own."""
        warm = replace(self.warm, members=self.warm.members[rows])
        return replace(self, warm=warm, queries=history.matrix())

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        scores = self.warm.scores(rows)
        if not len(self.cold):
            return scores
        own = scores[:, self.cold].astype(np.float64)
        by_content = product(self.queries[rows] @ self.learned, self.content).astype(np.float64)
        both = _standard(own) + RIDGE_SHARE * _standard(by_content)
        # Mean and spread stay, so that cold titles stand to warm ones as they did.
        mixed = own.mean(axis=1, keepdims=True) + own.std(axis=1, keepdims=True) * _standard(both)
        known = by_content.std(axis=1) > 0
        scores[np.ix_(known, self.cold)] = mixed[known]
        return scores


def with_cold_titles(
    vectors: tuple[NDArray[np.float32], NDArray[np.float32]],
    titles: Features,
    history: History,
    *,
    is_cold: NDArray[np.bool_] | None = None,
) -> WithColdTitles:
    """The hybrid as a part of a combination.

    Parameters
    ----------
    vectors : (member_vectors, title_vectors)
        float32, shapes (n_members, n_dimensions) and (n_titles, n_dimensions).
    titles : Features
        What is known of the titles; of families outside of `CONTENT` nothing is used.
    is_cold : bool, shape (n_titles,), optional
        Titles without interactions, where `history` is not that of all members.
    """
    if is_cold is None:
        is_cold = np.bincount(history.titles, minlength=history.shape[1]) == 0
    content = sp.csr_array(titles.matrix[:, titles.columns_of(*CONTENT)]).astype(np.bool_)
    content = sp.csr_array(content.astype(np.float64))
    of_warm = sp.csr_array(content.multiply(~is_cold[:, None]))
    gram = (of_warm.T @ of_warm).toarray()
    gram[np.diag_indices_from(gram)] += PENALTY
    learned = scipy.linalg.solve(gram, of_warm.T.toarray(), assume_a="pos").T
    cold = np.flatnonzero(is_cold)
    return WithColdTitles(
        ByVectors(*vectors),
        np.ascontiguousarray(learned, np.float32),
        np.ascontiguousarray(content[cold].toarray().T, np.float32),
        history.matrix(),
        cold,
    )


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row with mean 0 and spread 1; rows without spread are 0."""
    centred = values - values.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    result: NDArray[np.float64] = np.zeros_like(centred)
    np.divide(centred, spread, out=result, where=spread > 0)
    return result
