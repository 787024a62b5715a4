"""The exposure policy: least shares of top-10 slots, and the boosts that meet them.

The policy is the dbt var `raised_shares`, as in `{language: {sv: 0.1}}`, so that it is committed
and reviewed, and is in the code that a release names.
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
from matinee.evaluation.gate import Status
from matinee.models.frame import Frame
from matinee.slates import boosts as slate_boosts
from matinee.slates.exposure import Row

ATTRIBUTES = {"country": "countries", "genre": "genres", "language": "language"}
"""Attributes that may have a target -> columns of titles."""


@dataclass(frozen=True)
class ExposureTarget:
    """The least share of top-10 slots for titles with one value of an attribute."""

    attribute: str
    value: str
    share: float

    def carriers(self, frame: Frame) -> NDArray[np.bool_]:
        """The titles that have the value, bool, shape (n_titles,)."""
        values = frame.title_features[ATTRIBUTES[self.attribute]].to_pylist()
        found = [
            self.value == one or (one is not None and self.value in list(one)) for one in values
        ]
        if not any(found):
            raise ConfigError(
                f"raised_shares: no title has the {self.attribute} {self.value!r}; mend or remove "
                "it in dbt_project.yml"
            )
        return np.array(found)


@dataclass(frozen=True)
class Boost:
    """The boost that meets a target."""

    target: ExposureTarget
    titles: NDArray[np.bool_]
    head_start: float

    def row(self) -> Row:
        """For the manifest and the card."""
        return {**asdict(self.target), "head_start": round(self.head_start, 4)}


Slates = tuple[NDArray[np.intp], NDArray[np.float32]]
"""Rows and scores, as `ranking.best_titles` gives them."""


def policy(project: Path) -> tuple[ExposureTarget, ...]:
    """The targets of the project.

    Raises
    ------
    ConfigError
        If it names an attribute that no title has, or a share that is none.
    """
    shares = transform.project_vars(project).get("raised_shares") or {}
    found = []
    for attribute, values in shares.items():
        if attribute not in ATTRIBUTES:
            raise ConfigError(
                f"raised_shares: titles have no {attribute!r}, only {', '.join(ATTRIBUTES)}"
            )
        for value, share in values.items():
            if not 0 <= share <= 1:
                raise ConfigError(f"raised_shares: {attribute} {value} is {share}, not 0 to 1")
            found.append(ExposureTarget(attribute, str(value), float(share)))
    return tuple(found)


def boosts(slates: Slates, frame: Frame, policy: Sequence[ExposureTarget]) -> list[Boost]:
    """The least boost for each target, one after the other."""
    found = []
    for target in policy:
        titles = target.carriers(frame)
        boost = slate_boosts.required_boost(*slates, titles, share=target.share, places=PLACES)
        found.append(Boost(target, titles, boost))
        slates = slate_boosts.boosted(*slates, titles, boost)
    return found


def boosted(slates: Slates, found: Sequence[Boost]) -> Slates:
    """The slates with all of them applied."""
    for boost in found:
        slates = slate_boosts.boosted(*slates, boost.titles, boost.head_start)
    return slates


def self_preference_status(project: Path) -> Status:
    """What the gate says of own productions that are shown too much: the var `self_preference`.

    Raises
    ------
    ConfigError
        If the var is neither `warn` nor `fail`.
    """
    wanted = transform.project_vars(project)["self_preference"]
    if wanted not in ("warn", "fail"):
        raise ConfigError(
            f"self_preference must be warn or fail in dbt_project.yml, got {wanted!r}"
        )
    return Status.WARN if wanted == "warn" else Status.FAIL
