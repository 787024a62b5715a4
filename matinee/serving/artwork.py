"""Which picture of a title a member sees: drawn by the release's policy, the same every time.

A draw is a hash of the member, the title and the day on which the policy of the title changed. So a
member keeps a picture until the policy changes, and the probability is known for the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID
from matinee.releases import Release
from matinee.releases.serving_files import FOLDER, MEMBERS, ServingFiles, hashed
from matinee.serving.title_json import head_of

POLICY, SEGMENTS, ASSETS = (
    "artwork/policy.parquet",
    "insights/segment_members.parquet",
    "artwork/assets.parquet",
)

NO_SEGMENT = 0
"""Of members without a segment; segments are numbered from 1."""

ARTWORK = "artwork"

_FIRST, _SECOND, _MASK = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, (1 << 64) - 1


@dataclass(frozen=True)
class Draw:
    """One picture, and the chance with which it was drawn."""

    asset_id: str
    probability: float
    candidates: tuple[str, ...]
    head: bytes
    """The JSON of the title with this picture, but for its reason and the closing brace."""


@dataclass(frozen=True)
class Choices:
    """The pictures of one title for one segment."""

    draws: tuple[Draw, ...]
    bounds: tuple[float, ...]
    """Where the share of each picture ends, from 0 to 1."""

    salt: int

    def drawn(self, key: int) -> Draw:
        """The picture of a member."""
        mixed = ((key ^ self.salt) * _FIRST) & _MASK
        mixed = ((mixed ^ (mixed >> 31)) * _SECOND) & _MASK
        point = (mixed ^ (mixed >> 33)) / (1 << 64)
        for draw, bound in zip(self.draws, self.bounds, strict=True):
            if point < bound:
                return draw
        return self.draws[-1]

    def likeliest(self) -> Draw:
        """The picture for somebody whose data is not used."""
        return max(self.draws, key=lambda one: one.probability)


@dataclass
class Artwork:
    """The policy of one release."""

    release: Release
    files: ServingFiles
    heads: Sequence[bytes]
    """Of each title with its first picture."""

    def of(self, member_id: str | None, row: int, *, is_personal: bool) -> Pictures:
        """The pictures of one member."""
        if not is_personal or member_id is None:
            return Pictures(self, NO_SEGMENT, None)
        segment = int(self._segments[row]) if 0 <= row < len(self._segments) else NO_SEGMENT
        return Pictures(self, segment, int(hashed(member_id)))

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

    @cached_property
    def choices(self) -> Mapping[tuple[int, int], Choices]:
        """(title, segment) -> its pictures, where there are several."""
        if not (self.release.path / POLICY).exists():
            return {}
        table = self.release.table(POLICY)
        table = table.filter(pc.equal(table["asset_kind"], ARTWORK))
        names = ("title_id", "segment", "asset_id", "probability", "changed_on")
        columns = (table[name].to_pylist() for name in names)
        rows: dict[tuple[int, int], list[tuple[str, float]]] = {}
        salts: dict[tuple[int, int], int] = {}
        for title_id, segment, asset_id, probability, changed_on in zip(*columns, strict=True):
            title = self._numbers.get(title_id, -1)
            if title >= 0 and probability > 0:
                key = title, segment or NO_SEGMENT
                rows.setdefault(key, []).append((asset_id, probability))
                salts[key] = int(hashed(f"{title_id}\0{changed_on}"))
        return {
            key: self._choices(key[0], pairs, salts[key])
            for key, pairs in rows.items()
            if len(pairs) > 1
        }

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {row["id"]: number for number, row in enumerate(self.files.titles)}

    @cached_property
    def _labels(self) -> dict[str, str | None]:
        """Asset -> its AI label; assets that may not be shown are not among them."""
        table = self.release.table(ASSETS)
        names = table["asset_id"].to_pylist()
        return dict(zip(names, table["disclosure_label"].to_pylist(), strict=True))

    def _choices(self, title: int, pairs: Sequence[tuple[str, float]], salt: int) -> Choices:
        approved = [pair for pair in pairs if pair[0] in self._labels]
        total = sum(probability for _, probability in approved) or 1.0
        candidates = tuple(name for name, _ in approved)
        draws = tuple(
            Draw(name, probability / total, candidates, self._head(title, name))
            for name, probability in approved
        )
        bounds = np.cumsum([one.probability for one in draws]).tolist()
        return Choices(draws, tuple(bounds), salt)

    def _head(self, title: int, asset_id: str) -> bytes:
        row = self.files.titles[title]
        label = self._labels[asset_id]
        return head_of({**row, "asset_id": asset_id, "asset_disclosure": label})


@dataclass(frozen=True)
class Pictures:
    """The pictures of one member, or of somebody whose data is not used."""

    artwork: Artwork
    segment: int
    key: int | None

    def draw(self, title: int) -> Draw | None:
        """The picture of a title; None where there is only one."""
        choices = self.artwork.choices
        found = choices.get((title, self.segment)) or choices.get((title, NO_SEGMENT))
        if found is None or not found.draws:
            return None
        return found.likeliest() if self.key is None else found.drawn(self.key)

    def head(self, title: int) -> bytes:
        """The JSON of a title but for its reason and the closing brace."""
        draw = self.draw(title)
        return self.artwork.heads[title] if draw is None else draw.head
