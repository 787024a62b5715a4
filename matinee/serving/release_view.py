"""A verified release as the API reads it: mapped arrays, and what is derived from them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from matinee.columns import IS_NAMEABLE, IS_SEEN
from matinee.models.combination import Context
from matinee.releases import Release
from matinee.releases.serving_files import ServingFiles
from matinee.serving.artwork import Artwork
from matinee.serving.title_json import head_of
from matinee.slates.eligibility import Eligibility
from matinee.slates.operator_policy import Active, Rule, active
from matinee.slates.shelf_proposals import OfGroup, OfMember, Titles
from matinee.slates.sources import Source
from matinee.vocabulary import Vocabulary

LONGEST_LIST = 200
"""Titles of a list for a whole country."""

UNKNOWN_PROFILE_AGE = 12
"""The maturity limit of a member whose profile no night has seen, where other members have one."""

LISTS: dict[Context, str] = {"next_visit": "slate", "session": "session"}

TRENDING, POPULAR = "popularity-1000", "popularity-16000"
"""The popularity parts of two shelves."""

NONE = -1

MOST_MASKS, MOST_GROUPS = 256, 64
"""Masks of titles and lists of groups that are kept: 20 and 200 kB each of 20,000 titles."""


@dataclass(frozen=True)
class Group:
    """A country and a maturity limit."""

    country: str | None
    maximum_age: int | None


@dataclass
class ReleaseView:
    """One release, opened."""

    release: Release
    files: ServingFiles
    _allowed: dict[tuple[Group, date], bytes] = field(default_factory=dict)
    _of_group: dict[tuple[Group, date], OfGroup] = field(default_factory=dict)
    _in_force: dict[tuple[str | None, date], Active] = field(default_factory=dict)
    filtered: dict[object, bytes] = field(default_factory=dict)
    """Filters of a request -> one byte a title, 1 where it passes."""

    @classmethod
    def open(cls, release: Release) -> ReleaseView:
        """Open a release that was verified.

        Raises
        ------
        OSError, ValueError
            If it has no `serving/`, as those of older versions, or a file is damaged.
        """
        return cls(release, ServingFiles.open(release.path))

    @cached_property
    def id(self) -> str:
        return self.release.id

    @cached_property
    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.release.manifest["as_of"])

    @cached_property
    def generated_at(self) -> str:
        return str(self.release.manifest["created_at"])

    def prepare(self) -> None:
        """Derive what every page needs, before the first one is asked for."""
        _ = self.heads, self.titles, self.title_numbers, self.groups, self.generated_at, self.as_of

    # ---------- titles

    @cached_property
    def title_numbers(self) -> dict[str, int]:
        return {row["id"]: number for number, row in enumerate(self.files.titles)}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary.from_ids([row["id"] for row in self.files.titles])

    @cached_property
    def heads(self) -> list[bytes]:
        """The JSON of each title but for its reason and the closing brace."""
        return [head_of(row) for row in self.files.titles]

    @cached_property
    def artwork(self) -> Artwork:
        """Which picture of a title a member sees."""
        return Artwork(self.release, self.files, self.heads)

    @cached_property
    def titles(self) -> Titles:
        genres: Sequence[str] = self.files.contents["genres"]
        place = {name: number for number, name in enumerate(genres)}
        shares = np.zeros((len(self.files.titles), len(genres)), np.float32)
        for number, row in enumerate(self.files.titles):
            known = [place[name] for name in row["genres"] if name in place]
            shares[number, known] = 1.0 / max(1, len(known))
        added = [row["added_on"] for row in self.files.titles]
        days = [date.fromisoformat(day).toordinal() if day else 0 for day in added]
        return Titles(
            names=[row["name"] for row in self.files.titles],
            genres=genres,
            genre_shares=shares,
            similar=self.files.arrays["similar"],
            added_on=np.array(days, np.int32),
        )

    @cached_property
    def takes(self) -> dict[str, float]:
        """Kind of shelf -> how much more often its titles are taken than places explain."""
        known: dict[str, float] = self.files.contents["takes"]
        return known

    @cached_property
    def rules(self) -> list[Rule]:
        """The operator's."""
        return [Rule.of(row) for row in self.files.policy]

    def in_force(self, country: str | None, day: date) -> Active:
        """The operator's rules for a country on a day."""
        key = country, day
        if key not in self._in_force:
            if len(self._in_force) >= MOST_MASKS:
                self._in_force.clear()
            numbers = self.title_numbers
            self._in_force[key] = active(self.rules, lambda one: numbers.get(one, -1), country, day)
        return self._in_force[key]

    # ---------- groups

    @cached_property
    def groups(self) -> list[Group]:
        pairs = zip(
            self.files.contents["countries"], self.files.contents["maximum_ages"], strict=True
        )
        return [Group(*pair) for pair in pairs]

    @cached_property
    def default_age(self) -> int | None:
        """The maturity limit of members whose profile is unknown; None where nobody has one."""
        limits = [one.maximum_age for one in self.groups if one.maximum_age is not None]
        return UNKNOWN_PROFILE_AGE if limits else None

    def group_row(self, group: Group) -> int:
        """The row of the lists of a country: of the group itself, or of its country."""
        row = self._group_rows.get(group)
        if row is not None:
            return row
        same = [row for row, one in enumerate(self.groups) if one.country == group.country]
        return same[-1] if same else len(self.groups) - 1

    @cached_property
    def _group_rows(self) -> dict[Group, int]:
        return {group: row for row, group in reversed(list(enumerate(self.groups)))}

    @cached_property
    def _eligibility(self) -> tuple[pa.Table, pa.Table]:
        rows = self.files.titles
        titles = pa.table(
            {
                "title_id": pa.array([row["id"] for row in rows], pa.string()),
                "minimum_age": pa.array([row["minimum_age"] for row in rows], pa.float64()),
                "added_on": pa.array([_day(row["added_on"]) for row in rows], pa.date32()),
                "is_retired": pa.array([row["is_retired"] for row in rows], pa.bool_()),
            }
        )
        windows = self.files.windows
        return titles, pa.table(
            {
                "title_id": pa.array([row["title_id"] for row in windows], pa.string()),
                "country": pa.array([row["country"] for row in windows], pa.string()),
                "starts_on": pa.array([_day(row["starts_on"]) for row in windows], pa.date32()),
                "ends_on": pa.array([_day(row["ends_on"]) for row in windows], pa.date32()),
            }
        )

    def allowed(self, group: Group, day: date) -> bytes:
        """Which titles may be shown on a day: one byte a title, 1 where it may."""
        key = group, day
        if key not in self._allowed:
            if len(self._allowed) >= MOST_MASKS:  # many days were asked for
                self._allowed.clear()
            eligibility = Eligibility(*self._eligibility, day=day, rules=self.rules)
            self._allowed[key] = eligibility.allowed(*_pair(group)).astype(np.uint8).tobytes()
        return self._allowed[key]

    @cached_property
    def _popular(self) -> NDArray[np.float32]:
        """float32, shape (n_groups, n_popularity_parts, n_titles)."""
        path = self.release.path / "fallback" / "popular.npy"
        array: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
        return array

    def popularity(self, group: Group, part: str) -> NDArray[np.float32]:
        """Each title's popularity in a country."""
        names = self.files.contents["popularity"]
        row: NDArray[np.float32] = self._popular[self.group_row(group), names.index(part)]
        return row

    def of_group(self, group: Group, day: date) -> OfGroup:
        """The lists of a country and a maturity limit, of titles that may be shown on a day."""
        key = group, day
        if key not in self._of_group:
            if len(self._of_group) >= MOST_GROUPS:
                self._of_group.clear()
            self._of_group[key] = self._new_of_group(group, day)
        return self._of_group[key]

    def _new_of_group(self, group: Group, day: date) -> OfGroup:
        allowed = np.frombuffer(self.allowed(group, day), np.uint8) > 0
        ordered = {}
        for part in (TRENDING, POPULAR):
            scores = np.where(allowed, self.popularity(group, part), -np.inf)
            order = np.argsort(-scores, kind="stable")
            ordered[part] = order[np.isfinite(scores[order])]
        popular = ordered[POPULAR]
        shares = self.titles.genre_shares
        weight = self.popularity(group, POPULAR) * allowed @ (shares > 0)
        by_genre = {
            genre: popular[shares[popular, genre] > 0][:LONGEST_LIST].tolist()
            for genre in np.argsort(-weight, kind="stable").tolist()
            if weight[genre] > 0
        }
        return OfGroup(
            country=group.country,
            popular=popular[:LONGEST_LIST].tolist(),
            trending=ordered[TRENDING][:LONGEST_LIST].tolist(),
            by_genre=by_genre,
        )

    # ---------- members

    def group_of(self, row: int) -> Group:
        return self.groups[int(self.files.arrays["group"][row])]

    def source_of(self, row: int) -> Source:
        return Source(int(self.files.arrays["source"][row]))

    def label(self, source: Source, context: Context) -> str:
        """The word for a source: a baseline's own name where one is published."""
        return str(self.files.contents["sources"][context][source])

    def utc_offset(self, row: int) -> int:
        return int(self.files.arrays["utc_offset"][row])

    def history(self, row: int) -> dict[str, NDArray[Any]]:
        """title, time and flags of what a member did, by time."""
        return self.files.of_member("history", row)

    def seen(self, row: int) -> set[int]:
        """Titles that a member is not shown again."""
        history = self.history(row)
        titles: list[int] = history["title"][(history["flags"] & IS_SEEN) > 0].tolist()
        return set(titles)

    def slate(self, row: int, context: Context, prefix: str = "") -> list[int]:
        """The numbers of the titles of a list."""
        rows: list[int] = self.files.arrays[prefix + LISTS[context]][row].tolist()
        return rows

    def reason(self, row: int, place: int, context: Context, prefix: str = "") -> bytes:
        """The reason in one place of a list, as JSON."""
        number = int(self.files.arrays[f"{prefix}{LISTS[context]}_reason"][row, place])
        return self.files.sentences[number] if number >= 0 else b'""'

    def published(self, row: int, context: Context, prefix: str) -> tuple[list[int], list[bytes]]:
        """The titles of a published list, and their reasons as JSON."""
        name = prefix + LISTS[context]
        titles = self.files.arrays[name][row].tolist()
        numbers = self.files.arrays[f"{name}_reason"][row]
        return titles, [text or b'""' for text in self.files.sentences.take(numbers)]

    def lists(self, row: int, context: Context) -> OfMember:
        """The published lists of a member."""
        arrays = self.files.arrays
        history = self.history(row)
        unfinished = self.files.of_member("unfinished", row)
        titles = history["title"]
        nameable = titles[(history["flags"] & IS_NAMEABLE) > 0][::-1].tolist()
        slate = self.slate(row, context)
        source = self.source_of(row)
        return OfMember(
            slate=without_padding(slate),
            reason=lambda place: orjson.loads(self.reason(row, place, context)),
            pool=without_padding(arrays["pool"][row].tolist()),
            scores=arrays["pool_score"][row][arrays["pool"][row] != NONE],
            daypart_taste=arrays["daypart_taste"][row],
            is_personal=source in (Source.HYBRID, Source.COLD_MEMBER),
            last_watched=list(dict.fromkeys(nameable)),
            genre_taste=self.taste(titles) if source is Source.HYBRID else None,
            unfinished=unfinished["title"].tolist(),
            continued=lambda place: continued(
                int(unfinished["progress"][place]),
                self.files.contents["episodes"][int(unfinished["episode"][place])],
            ),
            new_score=lambda new: arrays["title_vector"][new] @ arrays["vector"][row],
        )

    def group_lists(self, group: Group, context: Context = "next_visit") -> OfMember:
        """The lists that use nothing of a member but country and maturity limit."""
        row, arrays = self.group_row(group), self.files.arrays
        pool = arrays["group_pool"][row]
        return OfMember(
            slate=without_padding(self.slate(row, context, "group_")),
            reason=lambda place: orjson.loads(self.reason(row, place, context, "group_")),
            pool=without_padding(pool.tolist()),
            scores=arrays["group_pool_score"][row][pool != NONE],
            daypart_taste=arrays["group_daypart_taste"][row],
            is_personal=False,
        )

    def taste(self, titles: NDArray[np.integer] | Sequence[int]) -> NDArray[np.float32] | None:
        """The genre shares of some titles together."""
        rows = np.asarray(titles, np.intp)
        shares: NDArray[np.float32] = self.titles.genre_shares[rows].sum(axis=0)
        return shares if shares.any() else None


def continued(progress_milli: int, episode: str) -> str:
    """The reason on the shelf Continue watching.

    >>> continued(450, "S1 E3"), continued(450, "")
    ('S1 E3, 45 % watched', '45 % watched')
    """
    watched = f"{progress_milli // 10} % watched"
    return f"{episode}, {watched}" if episode else watched


def without_padding(numbers: list[int]) -> list[int]:
    return [one for one in numbers if one != NONE]


def _pair(group: Group) -> tuple[str | None, int | None]:
    return group.country, group.maximum_age


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def epoch(at: datetime) -> int:
    """Seconds since 1970."""
    return int(at.astimezone(UTC).timestamp())
