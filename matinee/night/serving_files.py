"""Leaves `serving/` in a release being put together: what the API answers from, without parsing."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matinee import warehouse
from matinee.columns import IS_INTERACTION, IS_NAMEABLE, IS_SEEN, MEMBER_ID, REASON, TITLE_ID
from matinee.models.combination import Context
from matinee.models.fits import HYBRID
from matinee.night import evaluate, shelves
from matinee.night.night import Night
from matinee.night.scorer import CONTEXTS, Block, Scorer
from matinee.provenance import canonical_json
from matinee.releases import serving_files as files
from matinee.slates import ai_labels, ranking
from matinee.slates.dayparts import daypart_tastes
from matinee.slates.shelf_proposals import PARTS

SLATES: dict[Context, str] = {"next_visit": "slate", "session": "session"}
"""Context -> the array of its lists."""

ENOUGH_IMPRESSIONS = 1_000
"""Of a kind of shelf, before what members take from it decides its place on the page."""

PSEUDO_TAKES = 20.0
"""Takes as expected that are added to those observed."""

GROUP = "group_"
"""Before the names of arrays of the lists for all, with a row for each country and age limit."""


class ServingWriter:
    """Takes the slates of all members block by block; `finish` writes what else is needed."""

    def __init__(self, folder: Path, scorer: Scorer) -> None:
        self._folder = folder / files.FOLDER
        self._folder.mkdir()
        self._scorer = scorer
        self._sentences: dict[str, int] = {}
        self._blocks: dict[str, list[NDArray[Any]]] = {}

    def add(self, blocks: dict[Context, Block], *, prefix: str = "") -> None:
        """The lists of some members in every context."""
        for context, block in blocks.items():
            name = prefix + SLATES[context]
            rows = block.lists.rows.astype(np.int32)
            self._keep(name, rows)
            self._keep(f"{name}_reason", self._numbered(rows, block.table[REASON]))
        visit = blocks["next_visit"]
        self._keep(f"{prefix}source", visit.source.astype(np.int8))
        self._keep(f"{prefix}pool", visit.lists.pool.astype(np.int32))
        self._keep(f"{prefix}pool_score", visit.lists.pool_scores)

    def finish(self, night: Night, interactions: pa.Table) -> None:
        """Write every file.

        Parameters
        ----------
        interactions : pa.Table
            As `model/interactions.parquet` has them.
        """
        members = self._scorer.catalogue.members
        groups = shelves.groups(self._scorer)
        self._add_groups(groups)
        for name, arrays in self._blocks.items():
            self._save(name, np.concatenate(arrays))
        ids = members[MEMBER_ID].combine_chunks()
        files.write_members(self._folder, ids)
        files.write_texts(
            self._folder, files.SENTENCES, (json.dumps(text).encode() for text in self._sentences)
        )
        group = shelves.group_of(members, groups)
        self._save("group", group.astype(np.int32))
        self._save("vector", self._vectors(ids))
        self._history(ids, interactions)
        episodes = self._unfinished(night, ids)
        self._clocks(night, ids, group)
        genres = self._dayparts(night, ids, group, groups)
        self._titles(night)
        self._json(
            files.CONTENTS,
            {
                "countries": groups["country"].to_pylist(),
                "maximum_ages": groups["maximum_age"].to_pylist(),
                "sources": {one: self._scorer.labels(one) for one in CONTEXTS},
                "popularity": list(self._scorer.ranker.popular_in(None)),
                "genres": genres,
                "episodes": episodes,
                "takes": _takes(night),
            },
        )

    def _keep(self, name: str, values: NDArray[Any]) -> None:
        self._blocks.setdefault(name, []).append(values)

    def _numbered(self, rows: NDArray[np.int32], reasons: pa.ChunkedArray) -> NDArray[np.int32]:
        """The number of each place's sentence; -1 where there is no title."""
        encoded = reasons.combine_chunks().dictionary_encode()
        known = self._sentences
        numbers = [known.setdefault(text, len(known)) for text in encoded.dictionary.to_pylist()]
        whole = np.full(rows.shape, -1, np.int32)
        whole[rows != ranking.NONE] = np.array(numbers, np.int32)[encoded.indices.to_numpy()]
        return whole

    def _add_groups(self, groups: pa.Table) -> None:
        """The lists of members whose data is not used: one for each country and age limit."""
        names = pa.array([f"\0{row:09}" for row in range(len(groups))])  # no member is called so
        self.add(
            self._scorer.slates(groups.add_column(0, MEMBER_ID, names), CONTEXTS), prefix=GROUP
        )

    def _vectors(self, ids: pa.Array) -> NDArray[np.float32]:
        """The hybrid's vectors; zeros for members who are not in the frame."""
        hybrid = self._scorer.ranker.parts.by_name[HYBRID]
        vectors = hybrid.warm.members  # type: ignore[attr-defined] # by the name of the part
        rows = self._scorer.frame.members.rows(ids)
        return np.where(rows[:, None] >= 0, vectors[rows], np.float32(0))

    def _history(self, ids: pa.Array, table: pa.Table) -> None:
        """What each member did with which title, by time; what has no time comes first."""
        member = _rows(table[MEMBER_ID], ids)
        seconds = pc.fill_null(table["interacted_at"].cast(pa.timestamp("us")).cast(pa.int64()), 0)
        flags = sum(
            table[name].to_numpy().astype(np.uint8) * bit
            for name, bit in (
                ("is_seen", IS_SEEN),
                ("is_interaction", IS_INTERACTION),
                ("is_nameable", IS_NAMEABLE),
            )
        )
        columns = {
            "title": self._scorer.frame.titles.rows(table[TITLE_ID]).astype(np.int32),
            "time": seconds.to_numpy() // 1_000_000,
            "flags": np.asarray(flags, np.uint8),
        }
        self._list("history", member, columns, size=len(ids))

    def _unfinished(self, night: Night, ids: pa.Array) -> list[str]:
        """What members may continue, newest first; returns the labels of episodes."""
        table = warehouse.query(
            "select * from continue_watching order by member_id, played_at desc, title_id",
            home=night.home,
        )
        labels = pc.fill_null(table["episode_label"], "").combine_chunks().dictionary_encode()
        names: list[str] = labels.dictionary.to_pylist()
        titles = self._scorer.frame.titles.rows(table[TITLE_ID])
        columns = {
            "title": titles.astype(np.int32),
            "progress": table["progress_milli"].to_numpy().astype(np.int16),
            "position": table["position_seconds"].to_numpy().astype(np.int32),
            "time": _seconds(table["played_at"]),
            "episode": labels.indices.to_numpy().astype(np.int32),
        }
        self._list("unfinished", _rows(table[MEMBER_ID], ids), columns, size=len(ids))
        return names

    def _list(
        self, name: str, member: NDArray[np.intp], columns: dict[str, NDArray[Any]], *, size: int
    ) -> None:
        """Rows of members in their order, grouped by member; rows of others are left out."""
        known = np.flatnonzero((member >= 0) & (columns["title"] >= 0))
        order = known[np.argsort(member[known], kind="stable")]
        if "flags" in columns:
            order = known[np.lexsort((known, columns["time"][known], member[known]))]
        self._save(f"{name}_ends", np.cumsum(np.bincount(member[known], minlength=size)))
        for column in files.LISTS_BY_MEMBER[name]:
            self._save(f"{name}_{column}", columns[column][order])

    def _clocks(self, night: Night, ids: pa.Array, group: NDArray[np.intp]) -> None:
        """The last known offset of each member; the most frequent of the group without one."""
        table = warehouse.query("select * from member_clocks order by member_id", home=night.home)
        rows = _rows(table[MEMBER_ID], ids)
        known = rows >= 0
        offset, acted_at = np.zeros(len(ids), np.int16), np.zeros(len(ids), np.int64)
        is_known = np.zeros(len(ids), np.bool_)
        offset[rows[known]] = table["utc_offset_minutes"].to_numpy()[known]
        acted_at[rows[known]] = _seconds(table["acted_at"])[known]
        is_known[rows[known]] = True
        usual = np.zeros(int(group.max(initial=-1)) + 1, np.int16)
        for one in range(len(usual)):
            values, counts = np.unique(offset[is_known & (group == one)], return_counts=True)
            usual[one] = values[counts.argmax()] if len(values) else 0
        self._save("utc_offset", np.where(is_known, offset, usual[group]).astype(np.int16))
        self._save("acted_at", acted_at)
        self._save(f"{GROUP}utc_offset", usual)

    def _dayparts(
        self, night: Night, ids: pa.Array, group: NDArray[np.intp], groups: pa.Table
    ) -> list[str]:
        """Which genres each member and each country watches more at which part of the day."""
        table = warehouse.query(
            "select * from member_daypart_genres order by member_id, is_weekend, daypart, genre",
            home=night.home,
        )
        genres = sorted(pc.unique(table["genre"]).to_pylist())
        countries = groups["country"].combine_chunks()
        place = pc.index_in(countries, value_set=pc.unique(countries), skip_nulls=False)
        part = pc.index_in(table["daypart"], value_set=pa.array(PARTS)).to_numpy()
        own, shared = daypart_tastes(
            member=_rows(table[MEMBER_ID], ids),
            part=part + len(PARTS) * table["is_weekend"].to_numpy(),
            genre=pc.index_in(table["genre"], value_set=pa.array(genres, pa.string())).to_numpy(),
            seconds=table["watched_seconds"].cast(pa.float64()).to_numpy(),
            country=place.to_numpy()[group],
            shape=(len(ids), 2 * len(PARTS), len(genres)),
        )
        self._save("daypart_taste", own.astype(np.float16))
        shared = shared[place.to_numpy()] if len(shared) else shared
        self._save(f"{GROUP}daypart_taste", shared.astype(np.float16))
        return genres

    def _titles(self, night: Night) -> None:
        """What is said of each title, and when and where it may be shown."""
        scorer = self._scorer
        hybrid = scorer.ranker.parts.by_name[HYBRID]
        self._save("similar", scorer.similar[0].astype(np.int32))
        self._save("title_vector", hybrid.warm.titles)  # type: ignore[attr-defined]
        self._save("cold", hybrid.cold.astype(np.int32))  # type: ignore[attr-defined]
        artwork: dict[str, dict[str, str | None]] = {}
        assets = ai_labels.approved(warehouse.query(evaluate.ARTWORK, home=night.home))
        for row in assets.to_pylist():
            artwork.setdefault(row[TITLE_ID], row)
        titles = scorer.catalogue.titles
        labels = zip(titles.to_pylist(), scorer.catalogue.labels, strict=True)
        self._json(files.TITLES, [_title(row, label, artwork) for row, label in labels])
        windows = scorer.catalogue.windows.select(["title_id", "country", "starts_on", "ends_on"])
        rows = [
            {name: _text(value) for name, value in row.items()}
            for row in windows.sort_by(
                [(name, "ascending") for name in windows.schema.names]
            ).to_pylist()
        ]
        self._json(files.WINDOWS, rows)
        self._json(files.POLICY, [rule.stored() for rule in scorer.catalogue.rules])

    def _save(self, name: str, values: NDArray[Any]) -> None:
        np.save(self._folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)

    def _json(self, name: str, document: object) -> None:
        (self._folder / f"{name}.json").write_bytes(canonical_json(document))


def _takes(night: Night) -> dict[str, float]:
    """Kind of shelf -> log ratio of takes to what its places explain, where enough were shown."""
    table = warehouse.query("select * from shelf_takes order by shelf_kind", home=night.home)
    return {
        row["shelf_kind"]: round(
            math.log(
                (row["take_count"] + PSEUDO_TAKES) / (row["expected_take_count"] + PSEUDO_TAKES)
            ),
            4,
        )
        for row in table.to_pylist()
        if row["impression_count"] >= ENOUGH_IMPRESSIONS
    }


def _title(
    row: dict[str, Any], label: str, artwork: dict[str, dict[str, str | None]]
) -> dict[str, Any]:
    asset = artwork.get(row[TITLE_ID], {})
    return {
        "id": row[TITLE_ID],
        "name": label,
        "kind": row["title_kind"],
        "year": row["released_on"].year if row["released_on"] else None,
        "added_on": _text(row["added_on"]),
        "minimum_age": row["minimum_age"],
        "is_retired": bool(row["is_retired"]),
        "runtime_seconds": row["runtime_seconds"],
        "language": row["language"],
        "genres": row["genres"] or [],
        "themes": row["themes"] or [],
        "people": [*(row["directors"] or []), *(row["actors"] or [])],
        "asset_id": asset.get("asset_id"),
        "asset_disclosure": asset.get("disclosure_label"),
        "ai_use": row["ai_use"],
        "ai_disclosure": row["ai_disclosure"],
    }


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _rows(names: pa.ChunkedArray, ids: pa.Array) -> NDArray[np.intp]:
    rows = pc.fill_null(pc.index_in(names, value_set=ids), -1).to_numpy()
    return np.asarray(rows, np.intp)


def _seconds(times: pa.ChunkedArray) -> NDArray[np.int64]:
    microseconds: NDArray[np.int64] = times.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    return microseconds // 1_000_000
