"""The hybrid model: trained by LightFM, stored as arrays. No other module imports LightFM.

A member's vector is the sum of the vectors of the member's features, and so is a title's; the
score is their dot product plus the title's bias. Which model it is follows from the features
alone: identity only is collaborative filtering, content only is content-based, both are the hybrid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import numpy as np
import scipy.sparse as sp
from annotated_types import Ge, Gt
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass as validated_dataclass

from matinee.errors import DataError, GateError
from matinee.matrices import IDENTITY, Features
from matinee.models import cold_start
from matinee.models.warm_start import Start, matched

Progress = Callable[[int, int], None]
"""Called after each epoch with (done, total)."""

LARGEST_FEATURE = 10.0
"""Larger feature values are an error: with 1e6 LightFM learns vectors of 4e11 without an error."""

LARGEST_LEARNED = 100.0
"""Parameters normally stay below 10. Divergence can stay finite: 4.6e19 was measured."""

SETTLED = 4.0
"""The Adagrad gradient sum of a feature that starts from an earlier model."""


@validated_dataclass(frozen=True)
class Hyperparameters:
    """Everything that determines a fit besides its data. The manifest holds all of it."""

    components: Annotated[int, Gt(0)] = 64
    """Dimensions of a vector. Quality grows up to about 128, time in proportion."""

    epochs: Annotated[int, Gt(0)] = 30
    """Passes over the interactions."""

    loss: Literal["warp", "bpr", "logistic"] = "warp"
    """WARP samples titles that score above a positive one: it optimises the head of the slate."""

    learning_rate: Annotated[float, Gt(0)] = 0.03
    """The initial learning rate of Adagrad."""

    title_alpha: Annotated[float, Ge(0)] = 2e-5
    member_alpha: Annotated[float, Ge(0)] = 4e-5
    """L2 penalties."""

    max_sampled: Annotated[int, Gt(0)] = 40
    """The most negative titles that WARP samples for one interaction."""

    member_shrinkage: Annotated[float, Ge(0)] = 3.0
    """A member with so many interactions is shrunk halfway to the mean member; see `shrunk`."""

    cold_start_penalty: Annotated[float, Gt(0)] = 0.3
    """The ridge penalty of the cold-start model; see `cold_start.with_expected_factors`."""

    seed: Annotated[int, Ge(0)] = 20260101

    def stored(self) -> dict[str, Any]:
        """The hyperparameters as a release holds them."""
        return {STORED_NAMES.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Hyperparameters:
        """Hyperparameters from the JSON of a release.

        Raises
        ------
        TypeError
            If a name is unknown.
        ValueError
            If a value is out of range.
        """
        if not isinstance(stored, Mapping):
            raise TypeError(f"hyperparameters are an object of names, got {type(stored).__name__}")
        return cls(**field_names(stored))


STORED_NAMES = {"cold_start_penalty": "newcomer_penalty"}
"""Hyperparameter -> its key in releases, where they differ: keys of releases do not change."""

REMOVED = {
    *("linear_dimensions", "linear_penalty", "linear_share", "recent_titles"),
    *("trend_weight", "trend_half_life_days", "cold_start_content", "newcomer_content"),
}
"""Hyperparameters of older releases that no model has any more."""


def field_names(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a release by the names of the fields.

    >>> field_names({"newcomer_penalty": 0.3, "epochs": 30, "trend_weight": 0.1})
    {'cold_start_penalty': 0.3, 'epochs': 30}
    """
    fields = {key: name for name, key in STORED_NAMES.items()}
    return {fields.get(key, key): value for key, value in stored.items() if key not in REMOVED}


@dataclass(frozen=True)
class HybridModel:
    """A trained model: scoring needs only NumPy."""

    member_embeddings: NDArray[np.float32]
    """float32, shape (n_member_features, components)."""

    title_embeddings: NDArray[np.float32]
    """float32, shape (n_title_features, components + 1). The last column is the feature's bias."""

    hyperparameters: Hyperparameters

    def member_vectors(self, features: Features) -> NDArray[np.float32]:
        """float32, shape (n_members, n_dimensions + 1); the last column is 1, against the bias.

        A member's own bias is left out: it does not change the order.
        """
        vectors = self._vectors("member", features, self.member_embeddings)
        return np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])

    def title_vectors(self, features: Features) -> NDArray[np.float32]:
        """float32, shape (n_titles, n_dimensions + 1); the last column is the title's bias."""
        return self._vectors("title", features, self.title_embeddings)

    def _vectors(
        self, side: str, features: Features, embeddings: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        n_features = features.matrix.shape[1]
        if n_features != len(embeddings):
            raise DataError(
                f"the model knows {len(embeddings)} {side} features, got {n_features}: "
                "build the features with the vocabulary that the model was trained on"
            )
        vectors: NDArray[np.float32] = features.matrix @ embeddings
        return vectors

    def start(
        self,
        member_names: Sequence[str],
        title_names: Sequence[str],
        member_features: Features,
        title_features: Features,
    ) -> Start:
        """The start of a warm fit; the names are those of this model's features.

        Biases are left out: in older releases they contain the trend of their day.
        """
        own = self.hyperparameters.components
        return Start(
            matched(self.member_embeddings[:, :own], member_names, member_features),
            matched(self.title_embeddings[:, :own], title_names, title_features),
        )


def fit(
    interactions: sp.coo_array[np.float32],
    member_features: Features,
    title_features: Features,
    hyperparameters: Hyperparameters,
    *,
    start: Start | None = None,
    progress: Progress | None = None,
) -> HybridModel:
    """Fit on one thread, the same bit for bit every time.

    Parameters
    ----------
    interactions : float32 COO, shape (n_members, n_titles)
        Positive weights with a mean near 1, in any order.
    member_features, title_features : Features
        One row per member and title of `interactions`.
    start : Start, optional
        The embeddings of an earlier model to start from.
    progress : callable, optional
        Called after every epoch.

    Raises
    ------
    DataError
        If shapes disagree, or a feature value or weight is out of bounds.
    GateError
        If training diverged.

    Notes
    -----
    LightFM releases the interpreter lock, so fits run in parallel threads.
    """
    from lightfm import LightFM

    _check(interactions, member_features, title_features)
    order = np.lexsort([interactions.col, interactions.row])
    weights = _matrix(interactions, order, interactions.data[order])
    positives = _matrix(interactions, order, np.ones(len(order), np.float32))
    of_members, of_titles = _for_lightfm(member_features), _for_lightfm(title_features)
    model = LightFM(
        no_components=hyperparameters.components,
        loss=hyperparameters.loss,
        learning_schedule="adagrad",
        learning_rate=hyperparameters.learning_rate,
        item_alpha=hyperparameters.title_alpha,
        user_alpha=hyperparameters.member_alpha,
        max_sampled=hyperparameters.max_sampled,
        random_state=hyperparameters.seed,
    )
    if start is not None:
        _start_from(model, start, len(member_features.names), len(title_features.names))
    for epoch in range(hyperparameters.epochs):
        try:
            with np.errstate(invalid="ignore"):  # reported below, with what to do
                model.fit_partial(
                    positives,
                    user_features=of_members,
                    item_features=of_titles,
                    sample_weight=weights,
                    epochs=1,
                    num_threads=1,
                )
        except ValueError as error:
            if "diverged" not in str(error):
                raise
            raise GateError(
                f"training diverged in epoch {epoch + 1}: {error}; "
                f"learning_rate is {hyperparameters.learning_rate}"
            ) from None
        _refuse_divergence(model, epoch, hyperparameters)
        if progress is not None:
            progress(epoch + 1, hyperparameters.epochs)

    member_counts = np.bincount(interactions.row, minlength=interactions.shape[0])
    title_counts = np.bincount(interactions.col, minlength=interactions.shape[1])
    members = cold_start.without_untrained(model.user_embeddings, member_features, member_counts)
    members = shrunk(members, member_features, member_counts, hyperparameters.member_shrinkage)
    titles = np.hstack([model.item_embeddings, model.item_biases[:, None]])
    titles = cold_start.without_untrained(titles, title_features, title_counts)
    titles = cold_start.with_expected_factors(
        titles, title_features, title_counts, penalty=hyperparameters.cold_start_penalty
    )
    return HybridModel(members, titles, hyperparameters)


def shrunk(
    embeddings: NDArray[np.float32],
    features: Features,
    counts: NDArray[np.integer],
    strength: float,
) -> NDArray[np.float32]:
    """The same embeddings, with identities shrunk toward their mean.

    An identity with `n` interactions keeps `n / (n + strength)` of its distance from the mean of
    all identities with interactions. One without interactions becomes the mean, so that a cold
    member gets popular titles. Measured on MovieTweetings, where half of the members have three
    ratings or fewer: NDCG@10 .128 without, .143 with a strength of 3, popularity .137; no loss on
    MovieLens.

    `counts` are the interactions of each member. A strength of 0 changes cold members only.
    """
    identity = features.columns_of(IDENTITY)
    known = (features.matrix.T @ counts.astype(np.float64))[identity]
    if not known.any():
        return embeddings
    own = embeddings[identity].astype(np.float64)
    mean = own[known > 0].mean(axis=0)
    kept = np.divide(known, known + strength, out=np.zeros(len(known)), where=known > 0)[:, None]
    result = embeddings.copy()
    result[identity] = mean + kept * (own - mean)
    return result


def _matrix(
    interactions: sp.coo_array[np.float32], order: NDArray[np.intp], data: NDArray[np.float32]
) -> Any:
    """In the order given, as the matrix class that LightFM needs."""
    rows = interactions.row[order].astype(np.int32)
    columns = interactions.col[order].astype(np.int32)
    return sp.coo_matrix((data.astype(np.float32), (rows, columns)), shape=interactions.shape)


def _for_lightfm(features: Features) -> Any:
    """With 32-bit indices: LightFM's compiled part reads no others."""
    matrix = features.matrix
    parts = matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return sp.csr_matrix(parts, shape=matrix.shape)


def _start_from(model: Any, start: Start, n_member_features: int, n_title_features: int) -> None:
    """Replace LightFM's random start by the embeddings of an earlier model."""
    model._initialize(model.no_components, n_title_features, n_member_features)
    members, titles = start.members, start.titles
    model.user_embeddings[members.columns] = members.learned
    model.item_embeddings[titles.columns] = titles.learned
    # Adagrad divides a step by the root of this sum: trained features then move less than new ones.
    model.user_embedding_gradients[members.columns] += SETTLED
    model.item_embedding_gradients[titles.columns] += SETTLED


def _check(
    interactions: sp.coo_array[np.float32], member_features: Features, title_features: Features
) -> None:
    if interactions.nnz == 0:
        raise DataError(
            "no interactions to learn from: no member has a positive signal before the cut; check "
            "the signals of the training frame"
        )
    for side, features, size in (
        ("member", member_features, interactions.shape[0]),
        ("title", title_features, interactions.shape[1]),
    ):
        if features.matrix.shape[0] != size:
            raise DataError(
                f"{features.matrix.shape[0]} rows of {side} features for {size} {side}s of the "
                "interactions: build both with one vocabulary"
            )
        largest = np.abs(features.matrix.data).max(initial=0)
        if not largest <= LARGEST_FEATURE:
            worst = int(features.matrix.indices[np.argmax(np.abs(features.matrix.data))])
            raise DataError(
                f"{side} feature {features.names[worst]} reaches {largest:g}, the limit is "
                f"{LARGEST_FEATURE:g}: normalise it, or training diverges"
            )
    wrong = ~((interactions.data > 0) & np.isfinite(interactions.data))
    if wrong.any():
        raise DataError(
            f"{wrong.sum()} of {interactions.nnz} interaction weights are not positive numbers: "
            "leave out pairs without a positive signal"
        )


def _refuse_divergence(model: Any, epoch: int, hyperparameters: Hyperparameters) -> None:
    for learned in (model.user_embeddings, model.item_embeddings, model.item_biases):
        largest = np.abs(learned).max()
        if not largest <= LARGEST_LEARNED:
            raise GateError(
                f"training diverged in epoch {epoch + 1}: a parameter reached {largest:g}, the "
                f"limit is {LARGEST_LEARNED:g}; lower learning_rate "
                f"({hyperparameters.learning_rate}) or the weights of features and interactions"
            )
