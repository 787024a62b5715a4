"""The sentences that members read. Reasons are codes until here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SENTENCES = {
    "director": "Directed by {}",
    "actor": "With {}",
    "genre": "Because you like {}",
    "theme": "Because you like {}",
    "language": "In a language you watch ({})",
    "country": "Made in {}",
    "decade": "From the {}",
    "kind": "Because you like this kind: {}",
}
"""Feature family -> what to say of one of its values."""

LONGEST_NAME = 120
"""Characters of a name that a reason tells; a log may hold one without end."""

SHARED = "everybody"
"""The part of a score that all members share, as a release names it."""

GROUPS = {
    SHARED: "what everybody likes",
    "identity": "people who watch alike",
    "kind": "kind of title",
}
"""Contributions by feature family, as a person would call them; other families as they are."""


def feature(name: str) -> str | None:
    """A reason that points at a feature called `family=value`; None where nothing is to be said.

    >>> feature("director=Michael Mann")
    'Directed by Michael Mann'
    """
    family, _, value = name.partition("=")
    sentence = SENTENCES.get(family)
    return sentence.format(short(value)) if sentence else None


def short(name: str) -> str:
    """A name as a reason tells it."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def tellable(families: Sequence[str]) -> NDArray[np.bool_]:
    """Which feature columns may be told: those there is a sentence for. Identity has none.

    No sentence is about the member's age, gender, country or plan: such families are of members,
    and reasons point at features of titles only.
    """
    return np.array([family in SENTENCES for family in families], np.bool_)


def watched(label: str, second: str | None = None) -> str:
    """A reason that points at one or two titles the member liked.

    >>> watched("Heat (1995)", "Ronin (1998)")
    'Because you watched Heat (1995) and Ronin (1998)'
    """
    return f"Because you watched {short(label)}" + (f" and {short(second)}" if second else "")


def group(family: str) -> str:
    """What the contributions of a feature family are called."""
    return GROUPS.get(family, family)


def newcomer(countries: pa.ChunkedArray) -> pa.Array:
    """What to say of a title picked for a member of whom only the profile is known."""
    here = pc.binary_join_element_wise("A first pick for new members in ", countries, "")
    sentences: pa.Array = pc.fill_null(here, "A first pick for new members").combine_chunks()
    return sentences


def popular(countries: pa.ChunkedArray) -> pa.Array:
    """What to say of a title that is popular where each member is."""
    here = pc.binary_join_element_wise("Popular in ", countries, "")
    sentences: pa.Array = pc.fill_null(here, "Popular with everybody").combine_chunks()
    return sentences
