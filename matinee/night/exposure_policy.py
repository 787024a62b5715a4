"""Titles that a policy wants to see more of: a share of first places, at a price that is printed.

The policy is the dbt var `raised_shares`, as in `{language: {sv: 0.1}}`, so that it is committed by
somebody who answers for it, and is in the code that a release names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matinee import transform
from matinee.columns import PLACES
from matinee.errors import ConfigError
from matinee.models.frame import Frame
from matinee.slates import exposure
from matinee.slates.exposure import Row

ATTRIBUTES = {"country": "countries", "genre": "genres", "language": "language"}
"""What may be raised -> column of titles."""


@dataclass(frozen=True)
class Wanted:
    """Titles of one value shall have at least a share of first places."""

    attribute: str
    value: str
    share: float

    def carriers(self, frame: Frame) -> NDArray[np.bool_]:
        """The titles that have the value, bool, shape (n_titles,)."""
        told = frame.title_features[ATTRIBUTES[self.attribute]].to_pylist()
        found = [self.value == one or (one is not None and self.value in list(one)) for one in told]
        if not any(found):
            raise ConfigError(
                f"raised_shares: no title has the {self.attribute} {self.value!r}; mend or remove "
                "it in dbt_project.yml"
            )
        return np.array(found)


@dataclass(frozen=True)
class Lift:
    """What it takes to get there."""

    wanted: Wanted
    titles: NDArray[np.bool_]
    head_start: float

    def row(self) -> Row:
        """For the manifest and the card."""
        return {**asdict(self.wanted), "head_start": round(self.head_start, 4)}


Slates = tuple[NDArray[np.intp], NDArray[np.float32]]
"""Rows and scores, as `ranking.best_titles` gives them."""


def policy(project: Path) -> tuple[Wanted, ...]:
    """What the project wants raised.

    Raises
    ------
    ConfigError
        If it names an attribute that no title has, or a share that is none.
    """
    asked = transform.project_vars(project).get("raised_shares") or {}
    found = []
    for attribute, values in asked.items():
        if attribute not in ATTRIBUTES:
            raise ConfigError(
                f"raised_shares: titles have no {attribute!r}, only {', '.join(ATTRIBUTES)}"
            )
        for value, share in values.items():
            if not 0 <= share <= 1:
                raise ConfigError(f"raised_shares: {attribute} {value} is {share}, not 0 to 1")
            found.append(Wanted(attribute, str(value), float(share)))
    return tuple(found)


def lifts(slates: Slates, frame: Frame, policy: Sequence[Wanted]) -> list[Lift]:
    """The least head start for each wish, one after the other."""
    found = []
    for wanted in policy:
        titles = wanted.carriers(frame)
        start = exposure.required_boost(*slates, titles, share=wanted.share, places=PLACES)
        found.append(Lift(wanted, titles, start))
        slates = exposure.boosted(*slates, titles, start)
    return found


def raised(slates: Slates, found: Sequence[Lift]) -> Slates:
    """The slates with all of them moved up."""
    for lift in found:
        slates = exposure.boosted(*slates, lift.titles, lift.head_start)
    return slates
