"""A baseline from a library: implicit's alternating least squares. Only this module uses it.

An optional extra, `matinee[peers]`: only `matinee benchmark` needs it, a night does not.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from matinee.errors import ConfigError


def fit(
    likes: sp.csr_array[np.float32],
    *,
    dimensions: int = 64,
    penalty: float = 10.0,
    confidence: float = 1.0,
    iterations: int = 15,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Vectors of members and of titles, whose dot products are the scores.

    Parameters
    ----------
    likes : float32 CSR, shape (n_members, n_titles)
    confidence : float
        How much surer a like of weight 1 makes than nothing seen.

    Raises
    ------
    ConfigError
        If the library is not installed.

    References
    ----------
    Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008.
    """
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ImportError:
        raise ConfigError(
            "the baseline `als` needs the library implicit: `pip install matinee[peers]`, "
            "or leave it out with --models"
        ) from None
    parts = likes.data, likes.indices.astype(np.int32), likes.indptr.astype(np.int32)
    # Set here, for the library brings a BLAS of its own, which no earlier limit knew.
    with threadpool_limits(1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=dimensions,
            regularization=penalty,
            alpha=confidence,
            iterations=iterations,
            num_threads=1,
            random_state=seed,
        )
        model.fit(sp.csr_matrix(parts, shape=likes.shape), show_progress=False)
    return np.asarray(model.user_factors), np.asarray(model.item_factors)
