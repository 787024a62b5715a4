"""What is popular in a country: for members of whom nothing is known, or nothing may be used.

For the latter there is one list for each country and maturity limit. Every release holds all of
them, and says of each member which one is theirs, so that somebody who withdraws their consent gets
it at the next read, from the release that is live.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import hybrid, popularity, releases
from matinee.columns import MEMBER_ID, RANK, REASON, ROW_KIND, SCORE, SOURCE, TITLE_ID
from matinee.matrices import IDENTITY
from matinee.pipeline import training
from matinee.pipeline.frames import Frame
from matinee.vocabulary import Vocabulary

if TYPE_CHECKING:
    from matinee.pipeline.scoring import Scorer

LISTS = "fallback/part-lists.parquet"
MEMBERS = "fallback/part-members.parquet"
LIST = "list_index"

GROUP = ("country", "maximum_age")
"""What decides which titles may be shown. Plan does not, so lists are the same in every plan."""


def described(model: hybrid.HybridModel, features: training.Described) -> NDArray[np.bool_]:
    """Members of whom the model knows something besides their acts, bool, shape (n_members,)."""
    learned: NDArray[np.bool_] = np.any(model.member_embeddings, axis=1)
    speaks = learned & ~features.members.columns_of(IDENTITY)
    told: NDArray[np.bool_] = features.members.matrix @ speaks.astype(np.float32) > 0
    return told


def strangers(
    model: hybrid.HybridModel,
    features: training.Described,
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


def write(folder: Path, scorer: Scorer) -> None:
    """Leave `fallback/` in a release being put together."""
    (folder / "fallback").mkdir()
    members = scorer.catalogue.members
    groups = (
        members.group_by(list(GROUP)).aggregate([]).sort_by([(one, "ascending") for one in GROUP])
    )
    names = pa.array([f"\0{row:09}" for row in range(len(groups))])  # no member is called so
    lists = scorer.slates(groups.add_column(0, MEMBER_ID, names)).table
    numbers = pc.index_in(lists[MEMBER_ID], value_set=names)
    columns = [RANK, TITLE_ID, SCORE, ROW_KIND, REASON, SOURCE]
    pq.write_table(lists.select(columns).add_column(0, LIST, numbers), folder / LISTS)
    place = {key: row for row, key in enumerate(_keys(groups))}
    of_member = pa.array([place[key] for key in _keys(members)], pa.int32())
    pq.write_table(
        pa.table({MEMBER_ID: members[MEMBER_ID], LIST: of_member}),
        folder / MEMBERS,
        compression="zstd",
    )


def read(release: releases.Release, member_id: str) -> pa.Table | None:
    """A member's non-profiled list with the columns of a slate; None in releases without."""
    held = {record["file"] for record in release.manifest["files"]}
    if not {LISTS, MEMBERS} <= held:
        return None
    table = release.table(MEMBERS)
    at = pc.index(table[MEMBER_ID], member_id).as_py()
    lists = release.table(LISTS)
    number = table[LIST][at].as_py() if at >= 0 else -1
    rows = lists.filter(pc.equal(lists[LIST], number))
    names = pa.array([member_id] * len(rows), pa.string())
    return rows.drop_columns([LIST]).add_column(0, MEMBER_ID, names).cast(releases.SLATE_SCHEMA)


def _keys(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(table[name].to_pylist() for name in GROUP), strict=True))
