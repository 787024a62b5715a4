"""Fits the parts of a combination on a frame: the LightFM hybrid, linear models and popularity."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from matinee.models import hybrid, linear
from matinee.models.cold_titles import with_cold_titles
from matinee.models.feature_families import Described, described
from matinee.models.frame import Frame
from matinee.models.history import History
from matinee.models.new_titles import expected_demand
from matinee.models.parts import ByTitles, Part, Parts, fit_parts
from matinee.models.warm_start import Start

HYBRID = "hybrid"
"""The name of the LightFM hybrid as a part."""

ITEM_KNN = "item_knn"
"""The name of a baseline that is no part of the combination."""

KINDS = ("kind", "genre", "country")
KIN = ("director", "actor", "theme")
"""Feature families that let the demand for a new title be expected; see `new_titles`."""


WORD = re.compile(r"[^\W\d_]{3,}")
"""A word of a name: three letters or more."""

MOST_NAMES = 30
"""A word of more names joins no series of titles."""


@dataclass(frozen=True)
class Fit:
    """What one frame taught."""

    frame: Frame
    model: hybrid.HybridModel
    features: Described
    parts: Parts


def fit_hybrid(
    frame: Frame,
    hyperparameters: hybrid.Hyperparameters,
    *,
    start: Callable[[Described], Start] | None = None,
    progress: hybrid.Progress | None = None,
) -> tuple[hybrid.HybridModel, Described]:
    """The LightFM hybrid of a frame, and the features that it learned with."""
    features = described(frame)
    model = hybrid.fit(
        frame.interactions(),
        features.members,
        features.titles,
        hyperparameters,
        start=start(features) if start else None,
        progress=progress,
    )
    return model, features


def fit_all(
    frame: Frame,
    hyperparameters: hybrid.Hyperparameters,
    *,
    start: Callable[[Described], Start] | None = None,
    progress: hybrid.Progress | None = None,
) -> Fit:
    """Every part of the combination, fitted on a frame."""
    one_thread()
    model, features = fit_hybrid(frame, hyperparameters, start=start, progress=progress)
    fitted = fit_parts(
        frame.history,
        others={HYBRID: hybrid_part(model, features, frame.history)},
        new_titles=new_titles(frame, features),
    )
    return Fit(frame, model, features, fitted)


def one_thread() -> None:
    """Keep BLAS to one thread from now on.

    With two threads the last bits of scores depend on the number of cores, and the release's
    digest would depend on them too.
    """
    threadpool_limits(1, user_api="blas")


def hybrid_part(model: hybrid.HybridModel, features: Described, history: History) -> Part:
    """The hybrid as a part of a combination.

    It also scores for members without interactions, by their profile.
    """
    vectors = model.member_vectors(features.members), model.title_vectors(features.titles)
    return with_cold_titles(vectors, features.titles, history)


def with_item_knn(parts: Parts) -> Parts:
    """The same parts and item-kNN."""
    matrix = parts.history.matrix()
    return Parts(
        {**parts.by_name, ITEM_KNN: ByTitles(linear.item_knn(matrix), matrix)}, parts.history
    )


def new_titles(frame: Frame, features: Described) -> NDArray[np.float32]:
    """The demand that each listed title without interactions is expected to get."""
    titles = features.titles
    words = _words(frame)
    kin = sp.hstack([titles.matrix[:, titles.columns_of(*KIN)], words], format="csr")
    demand = expected_demand(
        frame.history,
        kinds=titles.matrix[:, titles.columns_of(*KINDS)],
        kin=sp.csr_array(kin),
        release_years=frame.title_features["release_year"].to_numpy().astype(np.float64),
    )
    return np.where(frame.in_catalogue, demand, np.float32(0))


def _words(frame: Frame) -> sp.csr_array[np.float32]:
    """Which title has which rare word in its name: sequels share them."""
    names = frame.title_features["name"].to_pylist()
    found = [sorted(set(WORD.findall((name or "").lower()))) for name in names]
    row = np.repeat(np.arange(len(found)), [len(own) for own in found])
    words, column = np.unique([word for own in found for word in own] or [""], return_inverse=True)
    shape = len(names), len(words)
    matrix = sp.csr_array((np.ones(len(row), np.float32), (row, column[: len(row)])), shape=shape)
    support = np.bincount(matrix.indices, minlength=len(words))
    return sp.csr_array(matrix[:, (support > 1) & (support <= MOST_NAMES)])
