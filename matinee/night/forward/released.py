"""The parts of a published combination, opened from the files of a release alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices, releases
from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.models.feature_families import Described
from matinee.models.fits import HYBRID, ITEM_KNN, hybrid_part
from matinee.models.history import History
from matinee.models.hybrid import HybridModel
from matinee.models.parts import Parts
from matinee.night.combine import Chosen
from matinee.night.model_files import load_model, load_parts, read_array, read_matrix
from matinee.night.score import COHORTS, ELIGIBLE, INTERACTIONS, MEMBER_MATRIX, TITLE_MATRIX
from matinee.releases import non_profiled
from matinee.vocabulary import Vocabulary


@dataclass(frozen=True)
class Released:
    """What a release ranked with; rows of every matrix follow its vocabularies."""

    members: Vocabulary
    titles: Vocabulary
    model: HybridModel
    features: Described
    parts: Parts
    """Those of the combination, and item-kNN where a context publishes it."""

    chosen: Chosen
    cohorts: NDArray[np.intp]
    """intp, shape (n_members,)."""

    seen: sp.csr_array[np.bool_]
    nameable: sp.csr_array[np.bool_]
    """bool CSR, shape (n_members, n_titles): titles that reasons may name."""

    allowed: NDArray[np.bool_]
    """bool, shape (n_groups, n_titles): by country and maturity limit."""

    groups: NDArray[np.intp]
    """intp, shape (n_members,): the number of each member's group; -1 for closed accounts."""

    @classmethod
    def of(cls, release: releases.Release) -> Released:
        """Open a release, its arrays mapped into memory.

        Raises
        ------
        StorageError
            If a file is missing.
        IntegrityError
            If one is damaged.
        """
        members = Vocabulary.from_ids(release.table("vocabulary/members.parquet")[MEMBER_ID])
        titles = Vocabulary.from_ids(release.titles()[TITLE_ID])
        folder = release.path / "model"
        model = load_model(folder, hyperparameters=release.path / "hyperparameters.json")
        of_members, of_titles = (
            matrices.Features(
                read_matrix(folder, name, shape=(len(rows), len(learned))),
                tuple(features["name"].to_pylist()),
                tuple(features["family"].to_pylist()),
            )
            for name, rows, learned, features in (
                (MEMBER_MATRIX, members, model.member_embeddings, features_of(release, "member")),
                (TITLE_MATRIX, titles, model.title_embeddings, features_of(release, "title")),
            )
        )
        history, seen, nameable = _queries(release, members, titles)
        chosen = Chosen.read(release.path)
        names = chosen.parts
        if ITEM_KNN in (chosen.model("next_visit"), chosen.model("session")):
            names = (*names, ITEM_KNN)
        features = Described(of_members, of_titles)
        own = {HYBRID: hybrid_part(model, features, history)}
        lists = release.table(non_profiled.MEMBERS)
        columns = (lists[name].to_pylist() for name in (MEMBER_ID, non_profiled.LIST))
        numbers = dict(zip(*columns, strict=True))
        return cls(
            members=members,
            titles=titles,
            model=model,
            features=features,
            parts=load_parts(folder, names, history, own),
            chosen=chosen,
            cohorts=np.asarray(read_array(folder, COHORTS), np.intp),
            seen=seen,
            nameable=nameable,
            allowed=read_array(release.path / "fallback", ELIGIBLE),
            groups=np.array([numbers.get(name, -1) for name in members.ids.to_pylist()], np.intp),
        )


def features_of(release: releases.Release, side: str) -> pa.Table:
    """The names and families of a side's features: `member` or `title`."""
    return release.table(f"vocabulary/{side}_features.parquet")


def _queries(
    release: releases.Release, members: Vocabulary, titles: Vocabulary
) -> tuple[History, sp.csr_array[np.bool_], sp.csr_array[np.bool_]]:
    """The interactions of a release, the titles that each member has seen and may be named."""
    table = release.table(f"model/{INTERACTIONS}")
    shape = len(members), len(titles)
    rows, columns = members.rows(table[MEMBER_ID]), titles.rows(table[TITLE_ID])
    counts, seen, nameable = (
        table[name].to_numpy() for name in ("is_interaction", "is_seen", "is_nameable")
    )
    times = table["interacted_at"].to_numpy().astype("datetime64[us]").astype(np.int64)
    history = History(rows[counts], columns[counts], times[counts], shape)
    seen_titles, named = (
        matrices.seen(rows[kept], columns[kept], shape=shape) for kept in (seen, nameable)
    )
    return history, seen_titles, named
