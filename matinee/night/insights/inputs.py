"""What an analysis may read: members' weeks, titles and their vectors, and the results before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matinee import transform, warehouse
from matinee.columns import TITLE_ID
from matinee.insights.attributes import Attributes, narratives
from matinee.insights.cells import CellRule
from matinee.night.night import Night
from matinee.vocabulary import Vocabulary

WEEKS = 9
"""Closed weeks that analyses look at: the newest and eight before."""

TITLES = """
    select title_id, name, genres, themes, directors, actors, language, countries,
        owner, is_original, runtime_seconds, minimum_age, released_on, added_on, is_retired
    from titles
    order by title_id
"""

MEMBER_TITLE_WEEKS = """
    select member_id, title_id, week_on, watched_seconds, is_started, is_completed
    from int_member_title_weeks__closed
    where week_on >= $since and week_on < $until
    order by all
"""


@dataclass(frozen=True)
class Vectors:
    """A model's vectors of titles; the last column is the bias of a title."""

    titles: Vocabulary
    values: NDArray[np.float32]
    """float32, shape (n_titles, n_dimensions + 1)."""


@dataclass(frozen=True)
class Inputs:
    """Read once for all analyses of a night, each part when the first of them needs it."""

    night: Night
    vectors: Vectors
    release: Path
    """A release, or the folder in which one is put together: it has the slates."""

    previous: Path | None
    """The release, or the folder of weekly results, that has the results before; see `carry`."""
    found: dict[str, pa.Table] = field(default_factory=dict)
    """The tables of the analyses before, by their names in a release."""

    @cached_property
    def vars(self) -> dict[str, object]:
        """The dbt vars of the project."""
        return transform.project_vars(self.night.settings.project)

    @property
    def rule(self) -> CellRule:
        """The small-cell rule of the project."""
        minimum, divisor = (
            int(str(self.vars[name])) for name in ("minimum_cell_members", "dominance_divisor")
        )
        return CellRule(minimum, divisor)

    @property
    def until(self) -> date:
        """The Monday after the newest closed week."""
        return closed_until(self.night)

    def query(self, sql: str, **parameters: object) -> pa.Table:
        """Rows of the warehouse; parameters are bound to their `$name`."""
        return warehouse.query(sql, parameters, home=self.night.home)

    @cached_property
    def titles(self) -> pa.Table:
        """The catalogue by title_id."""
        return self.query(TITLES)

    @cached_property
    def title_rows(self) -> Vocabulary:
        return Vocabulary.from_ids(self.titles[TITLE_ID])

    @cached_property
    def attributes(self) -> Attributes:
        """Genre, theme, narrative, person, language and country of origin of each title."""
        columns = {name: self.titles[name].to_pylist() for name in self.titles.column_names}
        people = zip(columns["directors"], columns["actors"], strict=True)
        return Attributes.of(
            {
                "genre": columns["genres"],
                "theme": columns["themes"],
                "narrative": narratives(columns["themes"]),
                "person": [[*directors, *actors] for directors, actors in people],
                "language": [[one or "unknown"] for one in columns["language"]],
                "country": columns["countries"],
            }
        )

    @cached_property
    def weeks(self) -> pa.Table:
        """What consenting members watched in the closed weeks: a row a member, title and week."""
        since = self.until - timedelta(days=7 * WEEKS)
        return self.query(MEMBER_TITLE_WEEKS, since=since, until=self.until)

    @cached_property
    def week_numbers(self) -> NDArray[np.intp]:
        """The place of each row's week among the `WEEKS`, the newest last: intp, shape (n,)."""
        days = pc.days_between(self.weeks["week_on"], pa.scalar(self.until)).to_numpy()
        numbers: NDArray[np.intp] = (WEEKS - days // 7).astype(np.intp)
        return numbers


def closed_until(night: Night) -> date:
    """The Monday after the newest week of which every day is closed.

    Weeks begin on Monday, and a day is closed as in the macro `is_closed_day`. So two nights of one
    week have the same cells, and their difference shows no single day.
    """
    last_closed = night.as_of.date() - timedelta(days=1 + night.settings.lateness_days)
    after = last_closed + timedelta(days=1)
    return after - timedelta(days=after.weekday())
