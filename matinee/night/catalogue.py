"""Who and what there is to publish for: members, titles and windows as the warehouse knows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from matinee import warehouse
from matinee.columns import TITLE_ID
from matinee.night.night import Night
from matinee.night.policy import operator_policy
from matinee.slates.eligibility import Eligibility
from matinee.slates.operator_policy import Rule
from matinee.vocabulary import Vocabulary


@dataclass(frozen=True)
class Catalogue:
    """Tables in the order of their ids."""

    members: pa.Table
    """The members who get a slate: those whose account is not closed."""
    titles: pa.Table
    windows: pa.Table
    seen: pa.Table
    eligibility: Eligibility
    rules: tuple[Rule, ...] = ()
    """Of the operator."""

    @cached_property
    def title_rows(self) -> Vocabulary:
        return Vocabulary.from_ids(self.titles[TITLE_ID])

    @cached_property
    def labels(self) -> list[str]:
        """The display label of each title: its name, and its year when known."""
        years = pc.year(self.titles["released_on"]).to_pylist()
        names = self.titles["name"].to_pylist()
        return [f"{n} ({y})" if y else n for n, y in zip(names, years, strict=True)]


def read_catalogue(night: Night) -> Catalogue:
    """Read everything that scoring needs from the warehouse."""
    titles = warehouse.query("select * from titles order by title_id", home=night.home)
    windows = warehouse.table("title_windows", home=night.home)
    # Slates are for the day that begins when the night's last day ends.
    day = night.as_of.date()
    rules = operator_policy.read(night.settings.project, titles)
    return Catalogue(
        members=warehouse.query(
            "select member_id, country, plan, maximum_age, may_personalise from members "
            "where not is_closed order by 1",
            home=night.home,
        ),
        titles=titles,
        windows=windows,
        seen=warehouse.query(
            "select member_id, title_id from seen_titles order by all", home=night.home
        ),
        eligibility=Eligibility(titles, windows, day=day, rules=rules),
        rules=rules,
    )
