"""Writes a fitted model into a folder, and reads it with its arrays mapped into memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from matinee.errors import IntegrityError, StorageError
from matinee.models.hybrid import HybridModel, Hyperparameters

_ARRAYS = ("member_embeddings", "title_embeddings")


def save_model(model: HybridModel, folder: Path) -> None:
    """Write the arrays as `.npy` and the hyperparameters as JSON into an existing folder."""
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(model, name), allow_pickle=False)
    text = json.dumps(model.hyperparameters.stored(), indent=2, sort_keys=True)
    (folder / "hyperparameters.json").write_text(text + "\n")


def load_model(folder: Path, *, hyperparameters: Path | None = None) -> HybridModel:
    """Open a saved model, its arrays mapped into memory; a release has the JSON elsewhere.

    Raises
    ------
    StorageError
        If a file is missing.
    IntegrityError
        If a file is not what `save_model` writes.
    """
    try:
        members, titles = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS
        )
        stored = (hyperparameters or folder / "hyperparameters.json").read_text()
        numbers = Hyperparameters.from_stored(json.loads(stored))
    except OSError as error:
        raise StorageError(f"no model in {folder}: {error}; fit and save one first") from None
    except (ValueError, TypeError, EOFError) as error:
        raise IntegrityError(f"the model in {folder} is damaged: {error}") from None
    width = numbers.components + numbers.linear_dimensions
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
