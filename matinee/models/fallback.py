"""What is popular in a country: for members of whom nothing is known, or nothing may be used."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID
from matinee.matrices import IDENTITY
from matinee.models import feature_families, hybrid, popularity
from matinee.models.frame import Frame
from matinee.vocabulary import Vocabulary


def described(model: hybrid.HybridModel, features: feature_families.Described) -> NDArray[np.bool_]:
    """Members of whom the model knows something besides their acts, bool, shape (n_members,)."""
    learned: NDArray[np.bool_] = np.any(model.member_embeddings, axis=1)
    speaks = learned & ~features.members.columns_of(IDENTITY)
    told: NDArray[np.bool_] = features.members.matrix @ speaks.astype(np.float32) > 0
    return told


def strangers(
    model: hybrid.HybridModel,
    features: feature_families.Described,
    interactions: sp.coo_array[np.float32],
) -> NDArray[np.intp]:
    """Members whom the model knows nothing of: they are served what is popular."""
    acted = np.bincount(interactions.row, minlength=interactions.shape[0]) > 0
    return np.flatnonzero(~acted & ~described(model, features))


def popular(
    frame: Frame, members: pa.ChunkedArray, of_member: pa.ChunkedArray
) -> tuple[list[str | None], NDArray[np.float64]]:
    """Countries, the last one standing for "unknown", and each title's popularity in each.

    `members` are ascending ids, `of_member` their countries.
    """
    countries = sorted({name for name in of_member.to_pylist() if name})
    place = {name: row for row, name in enumerate(countries)}
    of_row = np.array([*(place.get(name, -1) for name in of_member.to_pylist()), -1])
    # Whose account is closed still tells what is popular, but no longer where: row -1.
    groups = of_row[Vocabulary.from_ids(members).rows(frame.signals[MEMBER_ID])].astype(np.intp)
    scores = popularity.group_popularity(
        groups,
        frame.rows(frame.signals)[1],
        frame.weights,
        frame.ages,
        half_life_days=frame.popular_half_life_days,
        shape=(len(countries) + 1, len(frame.titles)),
    )
    return [*countries, None], scores
