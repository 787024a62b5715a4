"""The sentences that members read. Reasons are codes until here."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

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


def feature(name: str) -> str | None:
    """A reason that points at a feature called `family=value`; None where nothing is to be said.

    >>> feature("director=Michael Mann")
    'Directed by Michael Mann'
    """
    family, _, value = name.partition("=")
    sentence = SENTENCES.get(family)
    return sentence.format(value) if sentence else None


def watched(label: str) -> str:
    """A reason that points at a title the member liked."""
    return f"Because you watched {label}"


def popular(countries: pa.ChunkedArray) -> pa.Array:
    """What to say of a title that is popular where each member is."""
    here = pc.binary_join_element_wise("Popular in ", countries, "")
    sentences: pa.Array = pc.fill_null(here, "Popular now").combine_chunks()
    return sentences
