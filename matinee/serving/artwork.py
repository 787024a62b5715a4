"""Which picture of a title a member sees: drawn by the release's policy, the same every time.

A draw is a hash of the member and the picture (`insights/draws.py`). So a member keeps a picture
until the policy changes, and the probability is known for the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID
from matinee.insights.draws import draw, key_of
from matinee.releases import Release
from matinee.releases.serving_files import FOLDER, MEMBERS, ServingFiles
from matinee.serving.title_json import head_of

POLICY, ASSETS = "artwork/policy.parquet", "artwork/assets.parquet"

SEGMENTS, ABOUT = "insights/segment_members.parquet", "insights/insights.json"

NO_SEGMENT = 0
"""Of members without a segment; segments are numbered from 1."""

ARTWORK = "artwork"


@dataclass(frozen=True)
class Choices:
    """The pictures of all titles for one segment; a title of one picture has it in place 0."""

    asset_ids: list[tuple[str, ...]]
    """Of each title with several pictures; empty for the others."""

    keys: NDArray[np.uint64]
    probability: NDArray[np.float64]
    """uint64 and float64, shape (n_titles, n_assets), as `draws.draw` takes them."""

    heads: list[tuple[bytes, ...]]
    """The JSON of each title with each picture, but for its reason and the closing brace."""


@dataclass
class Artwork:
    """The policy of one release."""

    release: Release
    files: ServingFiles
    heads: Sequence[bytes]
    """Of each title with its first picture."""

    _choices: dict[int, Choices] = field(default_factory=dict)

    def of(self, member_id: str | None, row: int, *, is_personal: bool) -> Pictures:
        """The pictures of one member."""
        if not is_personal or member_id is None:
            return Pictures(self.choices(NO_SEGMENT), None)
        segment = int(self._segments[row]) if 0 <= row < len(self._segments) else NO_SEGMENT
        return Pictures(self.choices(segment), key_of(member_id))

    @cached_property
    def _segments(self) -> NDArray[np.int16]:
        """The segment of each member of the release."""
        if not (self.release.path / SEGMENTS).exists():
            return np.empty(0, np.int16)
        table = self.release.table(SEGMENTS)
        members = pq.read_table(self.release.path / FOLDER / f"{MEMBERS}.parquet")[MEMBER_ID]
        place = pc.index_in(members, value_set=table[MEMBER_ID].combine_chunks())
        found = table["segment"].take(place.combine_chunks())
        segments: NDArray[np.int16] = pc.fill_null(found, NO_SEGMENT).to_numpy().astype(np.int16)
        return segments

    def choices(self, segment: int) -> Choices:
        """The pictures for a segment; those for no segment where it has none of its own."""
        if segment not in self._choices:
            own = self._policy.get(segment, {})
            self._choices[segment] = self._new({**self._policy.get(NO_SEGMENT, {}), **own})
        return self._choices[segment]

    def _new(self, pairs: Mapping[int, Sequence[tuple[str, float]]]) -> Choices:
        n_titles, most = len(self.heads), max((len(own) for own in pairs.values()), default=1)
        keys = np.zeros((n_titles, most), np.uint64)
        probability = np.zeros((n_titles, most))
        probability[:, 0] = 1.0
        asset_ids: list[tuple[str, ...]] = [()] * n_titles
        heads: list[tuple[bytes, ...]] = [(head,) for head in self.heads]
        for title, own in pairs.items():
            asset_ids[title] = tuple(name for name, _ in own)
            title_id = self.files.titles[title]["id"]
            keys[title, : len(own)] = [key_of(self._seed, title_id, name) for name, _ in own]
            chances = np.array([chance for _, chance in own])
            probability[title, : len(own)] = chances / chances.sum()
            heads[title] = tuple(self._head(title, name) for name, _ in own)
        return Choices(asset_ids, keys, probability, heads)

    @cached_property
    def _policy(self) -> dict[int, dict[int, list[tuple[str, float]]]]:
        """Segment -> title -> its pictures with their probabilities, where there are several."""
        if not (self.release.path / POLICY).exists():
            return {}
        table = self.release.table(POLICY)
        table = table.filter(pc.equal(table["asset_kind"], ARTWORK))
        columns = (
            table[name].to_pylist() for name in ("title_id", "segment", "asset_id", "probability")
        )
        rows: dict[int, dict[int, list[tuple[str, float]]]] = {}
        for title_id, segment, asset_id, probability in zip(*columns, strict=True):
            title = self._numbers.get(title_id, -1)
            if title >= 0 and probability > 0 and asset_id in self._labels:
                of_segment = rows.setdefault(segment or NO_SEGMENT, {})
                of_segment.setdefault(title, []).append((asset_id, probability))
        return {
            segment: {title: own for title, own in titles.items() if len(own) > 1}
            for segment, titles in rows.items()
        }

    @cached_property
    def _seed(self) -> int:
        return int(self.release.json(ABOUT)["artwork"]["seed"])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {row["id"]: number for number, row in enumerate(self.files.titles)}

    @cached_property
    def _labels(self) -> dict[str, str | None]:
        """Asset -> its AI label; assets that may not be shown are not among them."""
        table = self.release.table(ASSETS)
        names = table["asset_id"].to_pylist()
        return dict(zip(names, table["disclosure_label"].to_pylist(), strict=True))

    def _head(self, title: int, asset_id: str) -> bytes:
        row = self.files.titles[title]
        label = self._labels[asset_id]
        return head_of({**row, "asset_id": asset_id, "asset_disclosure": label})


@dataclass(frozen=True)
class Pictures:
    """The pictures of one member, or of somebody whose data is not used."""

    choices: Choices
    key: int | None

    def places(self, titles: Sequence[int]) -> list[int]:
        """Which of its pictures each title shows."""
        rows = np.asarray(titles, np.intp)
        probability = self.choices.probability[rows]
        if self.key is None:
            likeliest: list[int] = probability.argmax(axis=1).tolist()
            return likeliest
        drawn: list[int] = draw(self.key, self.choices.keys[rows], probability).tolist()
        return drawn

    def heads(self, titles: Sequence[int]) -> list[bytes]:
        """The JSON of each title but for its reason and the closing brace."""
        heads = self.choices.heads
        return [heads[one][place] for one, place in zip(titles, self.places(titles), strict=True)]
