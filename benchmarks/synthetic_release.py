"""A release of any size with random lists and models, signed and promoted as a night's is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.models.hybrid import Hyperparameters
from matinee.night.combine import Chosen
from matinee.night.model_files import save_array, save_matrix
from matinee.releases import Release, Store, serving_files
from matinee.rights import consent
from matinee.settings import Settings

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)

COUNTRIES = ("DE", "FR", "GB", "IN", "JP", "US")

GENRES = tuple(f"Genre {number}" for number in range(19))

PARTS = (
    *("popularity-1000", "popularity-16000", "popularity", "rp3beta", "rp3beta-recent"),
    *("ease", "ease-recent", "successors", "hybrid", "new_titles"),
)
"""Those of a simulated night; linear models have `NEIGHBOURS` weights a title."""

NEIGHBOURS, SLATE, POOL, HISTORY, DIMENSIONS = 50, 50, 200, 30, 64

PASSED = {"rules": [{"rule": "synthetic", "passed": True, "status": "PASS"}]}


@dataclass(frozen=True)
class Size:
    """What a release holds."""

    members: int
    titles: int


def member(number: int) -> str:
    return f"m-{number:06d}"


def publish(home: Path, size: Size, *, seed: int, promote: bool = True) -> Release:
    """Write a release, sign it, and make it live."""
    store = Store.of(home)
    random = np.random.default_rng(seed)
    (home / "landing").mkdir(parents=True, exist_ok=True)
    with store.draft() as draft:
        _write(draft.path, size, random)
        at = datetime.now(UTC) + timedelta(seconds=seed)
        fields = {"created_at": at, "as_of": AS_OF, "reason": "synthetic", "gate": PASSED}
        release = store.publish(draft, fields, force=True)
    if promote:
        live = store.live()
        before = live.id if live else None
        store.promote(release.id, expected=before, at=at, by="benchmark", why="synthetic")
    consent.refresh(Settings(home=home))
    return release


def _write(folder: Path, size: Size, random: np.random.Generator) -> None:
    for name in ("serving", "model", "vocabulary", "fallback"):
        (folder / name).mkdir()
    titles = _titles(size, random)
    vectors = random.normal(0, 0.3, (size.titles, DIMENSIONS + 1)).astype(np.float32)
    _write_texts(folder / "serving", titles)
    _write_arrays(folder / "serving", size, random, vectors)
    serving_files.write_members(
        folder / "serving", pa.array([member(one) for one in range(size.members)])
    )
    _write_model(folder, size, random, vectors)


def _titles(size: Size, random: np.random.Generator) -> list[dict[str, Any]]:
    genres = random.integers(0, len(GENRES), (size.titles, 2)).tolist()
    return [
        {
            "id": f"t-{number:05d}",
            "name": f"The Film of Number {number} ({1960 + number % 60})",
            "kind": "movie" if number % 3 else "series",
            "language": "en",
            "genres": sorted({GENRES[one] for one in genres[number]}),
            "people": [f"Director {number % 997}", f"Actor {number % 2_003}"],
            "themes": ["dark", "thoughtful"],
            "year": 1960 + number % 60,
            "runtime_seconds": 5_400 + number % 1_800,
            "minimum_age": (0, 7, 12, 16)[number % 4],
            "added_on": "2025-12-20" if number % 50 == 0 else "2024-01-01",
            "is_retired": False,
            "asset_id": f"t-{number:05d}-art1",
            "asset_disclosure": None,
            "ai_use": "none",
            "ai_disclosure": None,
        }
        for number in range(size.titles)
    ]


def _write_texts(folder: Path, titles: list[dict[str, Any]]) -> None:
    sentences = [json.dumps(f"Because you watched {row['name']}").encode() for row in titles]
    serving_files.write_texts(folder, serving_files.SENTENCES, sentences)
    names = ["hybrid", "cold_member", "popular", "non_profiled"]
    contents = {
        "countries": [one for one in COUNTRIES for _ in range(2)],
        "maximum_ages": [12, None] * len(COUNTRIES),
        "episodes": ["", "S1 E1"],
        "genres": GENRES,
        "popularity": PARTS[:3],
        "sources": {"next_visit": names, "session": names},
        "takes": {},
    }
    documents = {"titles": titles, "windows": [], "contents": contents, "policy": []}
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))


def _write_arrays(
    folder: Path, size: Size, random: np.random.Generator, vectors: NDArray[np.float32]
) -> None:
    n, groups = size.members, 2 * len(COUNTRIES)
    arrays: dict[str, NDArray[Any]] = {}
    for prefix, rows in (("", n), ("group_", groups)):
        pool = _distinct(rows, POOL, size.titles, random)
        scores = -np.sort(-random.random((rows, POOL), np.float32), axis=1)
        arrays |= {f"{prefix}pool": pool, f"{prefix}pool_score": scores}
        for name in ("slate", "session"):
            arrays[prefix + name] = pool[:, :SLATE].copy()
            arrays[f"{prefix}{name}_reason"] = pool[:, :SLATE].copy()
        taste = random.normal(0, 0.2, (rows, 8, len(GENRES))).astype(np.float16)
        arrays[f"{prefix}daypart_taste"] = taste
        arrays[f"{prefix}utc_offset"] = np.full(rows, 60, np.int16)
        arrays[f"{prefix}source"] = np.full(rows, 3 if prefix else 0, np.int8)
    seconds = int(AS_OF.timestamp())
    own = _distinct(n, HISTORY, size.titles, random).ravel()
    arrays |= {
        "group": random.integers(0, groups, n).astype(np.int32),
        "acted_at": np.full(n, seconds - 86_400, np.int64),
        "vector": random.normal(0, 0.3, (n, DIMENSIONS + 1)).astype(np.float32),
        "history_ends": np.arange(1, n + 1, dtype=np.int64) * HISTORY,
        "history_title": own,
        "history_time": np.full(len(own), seconds - 86_400, np.int64),
        "history_flags": np.full(len(own), 7, np.uint8),
        "unfinished_ends": np.arange(1, n + 1, dtype=np.int64),
        "unfinished_title": own[::HISTORY].copy(),
        "unfinished_progress": np.full(n, 400, np.int16),
        "unfinished_position": np.full(n, 2_000, np.int32),
        "unfinished_time": np.full(n, seconds - 86_400, np.int64),
        "unfinished_episode": np.zeros(n, np.int32),
        "similar": _distinct(size.titles, 20, size.titles, random),
        "title_vector": vectors,
        "cold": np.zeros(0, np.int32),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _distinct(rows: int, count: int, below: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Rows of different numbers: a random start, then a random step that meets none twice."""
    start = random.integers(0, below, (rows, 1))
    step = random.integers(1, max(2, below // count), (rows, 1))
    found: NDArray[np.int32] = ((start + step * np.arange(count)) % below).astype(np.int32)
    return found


def _write_model(
    folder: Path, size: Size, random: np.random.Generator, vectors: NDArray[np.float32]
) -> None:
    model = folder / "model"
    features = [f"identity=t-{number:05d}" for number in range(size.titles)]
    table = pa.table({"name": features, "family": ["identity"] * size.titles})
    pq.write_table(table, folder / "vocabulary" / "title_features.parquet")
    save_matrix(model, "title_matrix", sp.csr_array(sp.eye(size.titles, dtype=np.float32)))
    save_array(model, "title_embeddings", vectors)
    save_array(model, "member_embeddings", np.zeros((1, DIMENSIONS), np.float32))
    save_array(model, "same_for_all", random.random((4, size.titles), np.float32))
    for name in ("rp3beta", "ease", "successors"):
        columns = np.sort(_distinct(size.titles, NEIGHBOURS, size.titles, random), axis=1)
        ends = np.arange(size.titles + 1) * NEIGHBOURS
        data = random.random(columns.size, np.float32)
        shape = (size.titles, size.titles)
        save_matrix(model, f"{name}_left", sp.csr_array((data, columns.ravel(), ends), shape=shape))
    popular = random.random((2 * len(COUNTRIES), 3, size.titles), np.float32)
    np.save(folder / "fallback" / "popular.npy", popular, allow_pickle=False)
    weights = np.tile(np.array([*([1.0] * len(PARTS)), *([0.1] * len(PARTS))]), (7, 1))
    Chosen(
        parts=PARTS,
        weights={"next_visit": weights, "session": weights},
        evaluation_weights=weights,
        halves=(weights, weights),
        evaluated={},
        calibration_weight=0.1,
    ).write(folder)
    stored = Hyperparameters(components=DIMENSIONS).stored()
    (folder / "hyperparameters.json").write_text(json.dumps(stored))
