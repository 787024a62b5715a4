"""The model: LightFM learns it, arrays are it. Nothing else in the house knows LightFM.

A member's vector is the sum of the vectors of the member's features, and so is a title's; the
score is their dot product plus the title's bias. Which model it is follows from the features
alone: identity only is collaborative filtering, content only is content-based, both are the hybrid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import scipy.sparse as sp
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass as validated_dataclass

from matinee import blending, newcomers, peers, provenance
from matinee.continuing import Start, taken_up
from matinee.errors import DataError, GateError, IntegrityError, StorageError
from matinee.matrices import IDENTITY, Features

Progress = Callable[[int, int], None]
"""Called after each epoch with (done, total)."""

LARGEST_FEATURE = 10.0
"""Feature values beyond it are refused: LightFM takes 1e6 and silently learns vectors of 4e11."""

LARGEST_LEARNED = 100.0
"""A healthy parameter stays below 10. Divergence can stay finite: 4.6e19 was seen."""

SETTLED = 4.0
"""What Adagrad is told that a feature taken up from an earlier model has been through."""

_ARRAYS = ("member_embeddings", "title_embeddings")


@validated_dataclass(frozen=True)
class Hyperparameters:
    """All that decides a fit besides its data. Goes whole into the manifest."""

    components: Annotated[int, Gt(0)] = 64
    """Dimensions of a vector. More helps up to about 128 and costs time in proportion."""

    epochs: Annotated[int, Gt(0)] = 30
    """Passes over the interactions."""

    loss: Literal["warp", "bpr", "logistic"] = "warp"
    """WARP looks for a title wrongly above a liked one, so it works on the head of the slate."""

    learning_rate: Annotated[float, Gt(0)] = 0.03
    """The start of Adagrad's."""

    title_alpha: Annotated[float, Ge(0)] = 2e-5
    member_alpha: Annotated[float, Ge(0)] = 4e-5
    """L2 penalties."""

    max_sampled: Annotated[int, Gt(0)] = 40
    """Titles WARP tries before it takes a liked one to be well placed."""

    member_shrinkage: Annotated[float, Ge(0)] = 3.0
    """A member of so many liked titles is taken to be half like themselves, half like everybody."""

    linear_dimensions: Annotated[int, Ge(0)] = 128
    """Main directions that the linear model of title on title keeps; 0 for LightFM alone."""

    linear_penalty: Annotated[float, Gt(0)] = 400.0
    """Its ridge. What fewer likes speak for is nearly silent."""

    linear_share: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Its part of the spread of scores; see `blending`."""

    recent_titles: Annotated[float, Gt(0)] = 5.0
    """To the linear model a title liked so many titles ago speaks half as loud as the last one."""

    trend_weight: Annotated[float, Ge(0)] = 0.1
    """What a title's trend adds to its bias, in the spread of scores; a night looks for its own."""

    trend_half_life_days: Annotated[float, Gt(0)] = 3.0
    """What is liked these days: an act so long ago counts half."""

    newcomer_penalty: Annotated[float, Gt(0)] = 0.3
    """The ridge of what a title's content says of it before anybody has met it."""

    newcomer_content: Annotated[float, Ge(0), Le(1)] = 0.0
    """How much of the order of such titles is content's alone; a night looks for 0 or 1."""

    seed: Annotated[int, Ge(0)] = 20260101


@dataclass(frozen=True)
class HybridModel:
    """What was learned, ready to score with NumPy alone."""

    member_embeddings: NDArray[np.float32]
    """float32, shape (n_member_features, components + linear_dimensions)."""

    title_embeddings: NDArray[np.float32]
    """float32, shape (n_title_features, components + linear_dimensions + 1). The last column is
    the feature's bias."""

    hyperparameters: Hyperparameters

    def member_vectors(self, features: Features) -> NDArray[np.float32]:
        """float32, shape (n_members, n_dimensions + 1); the last column is 1, to meet the bias.

        A member's own bias is left out: it changes no order.
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

    def with_trend(
        self, lift: NDArray[np.float32], *, weight: float, half_life_days: float
    ) -> HybridModel:
        """The same, with `lift` in its biases: one number a feature, for a weight of 1."""
        titles = np.array(self.title_embeddings)
        titles[:, -1] += np.float32(weight) * lift
        told: dict[str, Any] = {"trend_weight": weight, "trend_half_life_days": half_life_days}
        return HybridModel(self.member_embeddings, titles, replace(self.hyperparameters, **told))

    def save(self, folder: Path) -> None:
        """Write the arrays as `.npy` and the hyperparameters as JSON into an existing folder."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        text = json.dumps(asdict(self.hyperparameters), indent=2, sort_keys=True)
        (folder / "hyperparameters.json").write_text(text + "\n")

    def start(
        self,
        member_names: Sequence[str],
        title_names: Sequence[str],
        member_features: Features,
        title_features: Features,
    ) -> Start:
        """Where tonight's fit may go on from; the names are those of this model's features.

        Biases are learned anew: these have the trend of their day in them.
        """
        own = self.hyperparameters.components
        return Start(
            taken_up(self.member_embeddings[:, :own], member_names, member_features),
            taken_up(self.title_embeddings[:, :own], title_names, title_features),
        )

    @classmethod
    def load(cls, folder: Path, *, hyperparameters: Path | None = None) -> HybridModel:
        """Open a saved model, its arrays mapped into memory; a release has the JSON elsewhere.

        Raises
        ------
        StorageError
            If a file is missing.
        IntegrityError
            If a file is not what `save` writes.
        """
        try:
            members, titles = (
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in _ARRAYS
            )
            stored = (hyperparameters or folder / "hyperparameters.json").read_text()
            told = Hyperparameters(**provenance.parse_json(stored))
        except OSError as error:
            raise StorageError(f"no model in {folder}: {error}; fit and save one first") from None
        except (ValueError, TypeError, EOFError) as error:
            raise IntegrityError(f"the model in {folder} is damaged: {error}") from None
        width = told.components + told.linear_dimensions
        expected = (width, width + 1)
        found = (members.shape[-1], titles.shape[-1])
        if found != expected:
            raise IntegrityError(
                f"the model in {folder} is damaged: vectors of {found} dimensions, "
                f"its hyperparameters say {expected}"
            )
        for name, learned in zip(_ARRAYS, (members, titles), strict=True):
            if wrong := int((~np.isfinite(learned)).sum()):
                raise IntegrityError(
                    f"the model in {folder} is damaged: {wrong} numbers of {name}.npy are NaN or "
                    "infinite; run again, or roll back if it is a release's"
                )
        return cls(members, titles, told)


def fit(
    interactions: sp.coo_array[np.float32],
    member_features: Features,
    title_features: Features,
    hyperparameters: Hyperparameters,
    *,
    asked: sp.csr_array[np.float32] | None = None,
    start: Start | None = None,
    progress: Progress | None = None,
) -> HybridModel:
    """Learn from who liked what, on one thread, the same to the bit every time. Without a trend.

    Parameters
    ----------
    interactions : float32 COO, shape (n_members, n_titles)
        Positive weights with a mean near 1, in any order.
    member_features, title_features : Features
        One row per member and title of `interactions`.
    asked : float32 CSR, shape (n_members, n_titles), optional
        What the linear model is asked by, which is blended in; without, it is LightFM's alone.
    start : Start, optional
        Where an earlier model left off; the epochs then go on from there.
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
    LightFM lets go of the interpreter while it works, so fits run side by side in threads.
    """
    from lightfm import LightFM

    _check(interactions, member_features, title_features)
    order = np.lexsort([interactions.col, interactions.row])
    weights = _matrix(interactions, order, interactions.data[order])
    liked = _matrix(interactions, order, np.ones(len(order), np.float32))
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
        _take_up(model, start, len(member_features.names), len(title_features.names))
    for epoch in range(hyperparameters.epochs):
        try:
            with np.errstate(invalid="ignore"):  # said below, with the cure
                model.fit_partial(
                    liked,
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
    members = newcomers.without_untrained(model.user_embeddings, member_features, member_counts)
    members = shrunk(members, member_features, member_counts, hyperparameters.member_shrinkage)
    titles = np.hstack([model.item_embeddings, model.item_biases[:, None]])
    titles = newcomers.without_untrained(titles, title_features, title_counts)
    if asked is None or hyperparameters.linear_dimensions == 0:
        hyperparameters = replace(hyperparameters, linear_dimensions=0)
    else:
        linear = peers.linear_vectors(
            sp.csr_array(interactions),
            penalty=hyperparameters.linear_penalty,
            dimensions=hyperparameters.linear_dimensions,
        )
        members, titles = blending.blended(
            members,
            titles,
            member_features,
            title_features,
            linear=linear,
            asked=asked,
            share=hyperparameters.linear_share,
        )
    titles = newcomers.foreseen(
        titles, title_features, title_counts, penalty=hyperparameters.newcomer_penalty
    )
    return HybridModel(members, titles, replace(hyperparameters, trend_weight=0.0))


def shrunk(
    embeddings: NDArray[np.float32],
    features: Features,
    counts: NDArray[np.integer],
    strength: float,
) -> NDArray[np.float32]:
    """The same embeddings, identities drawn toward their mean the more the less is known.

    An identity seen `n` times keeps `n / (n + strength)` of its distance from the mean of all that
    were seen; one never seen becomes the mean, so that a stranger is offered what most people
    like. Measured on MovieTweetings, where half the members rated three films or fewer: NDCG@10
    .128 without, .143 with a strength of 3, popularity .137; no loss on MovieLens.

    `counts` are each member's interactions; a strength of 0 changes only what was never seen.
    """
    identity = features.columns_of(IDENTITY)
    known = (features.matrix.T @ counts.astype(np.float64))[identity]
    if not known.any():
        return embeddings
    own = embeddings[identity].astype(np.float64)
    mean = own[known > 0].mean(axis=0)
    kept = np.divide(known, known + strength, out=np.zeros(len(known)), where=known > 0)[:, None]
    drawn = embeddings.copy()
    drawn[identity] = mean + kept * (own - mean)
    return drawn


def _matrix(
    like: sp.coo_array[np.float32], order: NDArray[np.intp], data: NDArray[np.float32]
) -> Any:
    """In the order given, as the matrix class that LightFM asks for."""
    rows, columns = like.row[order].astype(np.int32), like.col[order].astype(np.int32)
    return sp.coo_matrix((data.astype(np.float32), (rows, columns)), shape=like.shape)


def _for_lightfm(features: Features) -> Any:
    """In 32-bit indices, the only ones that LightFM's compiled part reads."""
    matrix = features.matrix
    parts = matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return sp.csr_matrix(parts, shape=matrix.shape)


def _take_up(model: Any, start: Start, n_member_features: int, n_title_features: int) -> None:
    """Put what was known in the place of LightFM's random start."""
    model._initialize(model.no_components, n_title_features, n_member_features)
    members, titles = start.members, start.titles
    model.user_embeddings[members.columns] = members.learned
    model.item_embeddings[titles.columns] = titles.learned
    # Adagrad steps by the root of what it saw: who is known has seen much, and moves little.
    model.user_embedding_gradients[members.columns] += SETTLED
    model.item_embedding_gradients[titles.columns] += SETTLED


def _check(
    interactions: sp.coo_array[np.float32], member_features: Features, title_features: Features
) -> None:
    if interactions.nnz == 0:
        raise DataError("no interactions to learn from: nobody liked anything before the cut")
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
            "only what was liked is learned from"
        )


def _refuse_divergence(model: Any, epoch: int, hyperparameters: Hyperparameters) -> None:
    for learned in (model.user_embeddings, model.item_embeddings, model.item_biases):
        largest = np.abs(learned).max()
        if not largest <= LARGEST_LEARNED:
            raise GateError(
                f"training diverged in epoch {epoch + 1}: a parameter reached {largest:g}, sane is "
                f"below {LARGEST_LEARNED:g}; lower learning_rate "
                f"({hyperparameters.learning_rate}) or the weights of features and interactions"
            )
