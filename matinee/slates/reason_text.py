"""The sentences that members read for a reason. Elsewhere reasons are codes."""

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
"""Feature family -> sentence for one of its values."""

LONGEST_NAME = 120
"""The most characters of a name in a reason; names come from logs."""

SHARED = "everybody"
"""The part of a score that all members share, as a release names it."""

NEW = "New, and like what people watch when it comes out"
"""The reason for a title that nobody has watched yet."""

POPULAR = "Popular with everybody"
"""The reason for a title that is popular, where no country is known."""

GENERAL = "One of the best matches for you"
"""The reason where no single part of the score is one."""

GROUPS = {
    SHARED: "what everybody likes",
    "new_titles": "demand expected for a new title",
    "popularity": "popularity",
    "watched": "titles watched",
    "identity": "people who watch alike",
    "kind": "kind of title",
}
"""Feature family of a contribution -> name for people; other families keep their name."""


def feature(name: str) -> str | None:
    """The reason for a feature named `family=value`; None for a family without a sentence.

    >>> feature("director=Michael Mann")
    'Directed by Michael Mann'
    """
    family, _, value = name.partition("=")
    sentence = SENTENCES.get(family)
    return sentence.format(short(value)) if sentence else None


def short(name: str) -> str:
    """A name, cut to `LONGEST_NAME` characters."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def has_sentence(families: Sequence[str]) -> NDArray[np.bool_]:
    """Which feature columns may be a reason: those with a sentence. Identity has none.

    No sentence is about the member's age, gender, country or plan: these are features of members,
    and reasons use features of titles only.
    """
    return np.array([family in SENTENCES for family in families], np.bool_)


def watched(label: str, second: str | None = None) -> str:
    """The reason for one or two titles that the member liked.

    >>> watched("Heat (1995)", "Ronin (1998)")
    'Because you watched Heat (1995) and Ronin (1998)'
    """
    return f"Because you watched {short(label)}" + (f" and {short(second)}" if second else "")


def group(family: str) -> str:
    """The name for people of the contributions of a feature family."""
    return GROUPS.get(family, family)


def cold_member_in(country: str | None) -> str:
    """The reason for a title that was chosen by the profile only, in one country."""
    return "A first pick for new members" + (f" in {country}" if country else "")


def cold_member(countries: pa.ChunkedArray) -> pa.Array:
    """The reason for a cold member's titles, chosen by the profile only."""
    by_country = pc.binary_join_element_wise("A first pick for new members in ", countries, "")
    sentences: pa.Array = pc.fill_null(by_country, "A first pick for new members").combine_chunks()
    return sentences


def popular_in(country: str | None) -> str:
    """The reason for a title that is popular in one country."""
    return f"Popular in {country}" if country else POPULAR


def popular(countries: pa.ChunkedArray) -> pa.Array:
    """The reason for a title that is popular in the member's country."""
    by_country = pc.binary_join_element_wise("Popular in ", countries, "")
    sentences: pa.Array = pc.fill_null(by_country, POPULAR).combine_chunks()
    return sentences
