"""Writes fitted models into a folder, and reads them with their arrays mapped into memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import IntegrityError, StorageError
from matinee.models.fits import ITEM_KNN
from matinee.models.history import History
from matinee.models.hybrid import HybridModel, Hyperparameters
from matinee.models.parts import ByTitles, ForEveryone, Part, Parts, query_of
from matinee.models.title_weights import TitleWeights
from matinee.provenance import parse_json

_ARRAYS = ("member_embeddings", "title_embeddings")

SAME_FOR_ALL = "same_for_all"
"""The array of popularity and of new titles, a row for each of these parts in their order."""

LINEAR = {
    "rp3beta": "rp3beta",
    "rp3beta-recent": "rp3beta",
    "ease": "ease",
    "ease-recent": "ease",
    "successors": "successors",
    ITEM_KNN: ITEM_KNN,
}
"""Part -> the weight matrix that it queries; parts of one matrix differ in the query."""

_CSR = ("data", "indices", "indptr")


def save_model(model: HybridModel, folder: Path) -> None:
    """Write the hybrid's arrays as `.npy` and its hyperparameters as JSON into a folder."""
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(model, name), allow_pickle=False)
    text = json.dumps(model.hyperparameters.stored(), indent=2, sort_keys=True)
    (folder / "hyperparameters.json").write_text(text + "\n")


def load_model(folder: Path, *, hyperparameters: Path | None = None) -> HybridModel:
    """Open a saved hybrid, its arrays mapped into memory; a release has the JSON elsewhere.

    Raises
    ------
    StorageError
        If a file is missing.
    IntegrityError
        If a file is not what `save_model` writes.
    """
    try:
        members, titles = (read_array(folder, name) for name in _ARRAYS)
        stored = parse_json((hyperparameters or folder / "hyperparameters.json").read_bytes())
        numbers = Hyperparameters.from_stored(stored)
    except OSError as error:
        raise StorageError(f"no model in {folder}: {error}; fit and save one first") from None
    except (ValueError, TypeError, EOFError) as error:
        raise IntegrityError(f"the model in {folder} is damaged: {error}") from None
    width = numbers.components + int(stored.get("linear_dimensions", 0))  # of older releases
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
    return HybridModel(members, titles, numbers)


def save_parts(parts: Parts, folder: Path) -> None:
    """Write what the parts learned, apart from the hybrid, into an existing folder."""
    shared = [part.values for part in parts.by_name.values() if isinstance(part, ForEveryone)]
    save_array(folder, SAME_FOR_ALL, np.stack(shared))
    for name, part in parts.by_name.items():
        if not isinstance(part, ByTitles) or LINEAR[name] != name:
            continue
        weights = part.weights
        if sp.issparse(weights.left):
            save_matrix(folder, f"{name}_left", weights.left)
        else:
            save_array(folder, f"{name}_left", weights.left)
        if weights.right is not None and weights.diagonal is not None:
            save_array(folder, f"{name}_right", weights.right)
            save_array(folder, f"{name}_diagonal", weights.diagonal)


def load_parts(
    folder: Path, names: Sequence[str], history: History, others: dict[str, Part]
) -> Parts:
    """Open saved parts in the order of `names`; `others` are those that are not saved here.

    Parameters
    ----------
    history : History
        That they were fitted on: members' queries are taken from it.

    Raises
    ------
    StorageError
        If a file is missing.
    """
    try:
        weights = {
            matrix: _load_weights(folder, matrix, n_titles=history.shape[1])
            for matrix in dict.fromkeys(LINEAR[name] for name in names if name in LINEAR)
        }
        shared = iter(read_array(folder, SAME_FOR_ALL))
        by_name: dict[str, Part] = {}
        for name in names:
            if name in LINEAR:
                by_name[name] = ByTitles(weights[LINEAR[name]], query_of(name, history))
            else:
                by_name[name] = others[name] if name in others else ForEveryone(next(shared))
    except OSError as error:
        raise StorageError(f"no parts in {folder}: {error}; fit and save them first") from None
    return Parts(by_name, history)


def _load_weights(folder: Path, name: str, *, n_titles: int) -> TitleWeights:
    left: Any
    if (folder / f"{name}_left.npy").exists():
        left = read_array(folder, f"{name}_left")
    else:
        right_rows = n_titles
        if (folder / f"{name}_right.npy").exists():
            right_rows = len(read_array(folder, f"{name}_right"))
        left = read_matrix(folder, f"{name}_left", shape=(n_titles, right_rows))
    if not (folder / f"{name}_right.npy").exists():
        return TitleWeights(left)
    return TitleWeights(
        left, read_array(folder, f"{name}_right"), read_array(folder, f"{name}_diagonal")
    )


def save_matrix(folder: Path, name: str, matrix: sp.csr_array[Any]) -> None:
    """Write a sparse matrix as three arrays."""
    for part in _CSR:
        save_array(folder, f"{name}_{part}", getattr(matrix, part))


def read_matrix(folder: Path, name: str, *, shape: tuple[int, int]) -> sp.csr_array[np.float32]:
    """A sparse matrix that `save_matrix` left, mapped into memory."""
    data, indices, indptr = (read_array(folder, f"{name}_{part}") for part in _CSR)
    return sp.csr_array((data, indices, indptr), shape=shape)


def save_array(folder: Path, name: str, array: NDArray[Any]) -> None:
    """Whole numbers in 32 bits: the same on every machine, and half the size."""
    if np.issubdtype(array.dtype, np.integer):
        array = array.astype(np.int32)
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """One array of a model, mapped into memory."""
    array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return array
