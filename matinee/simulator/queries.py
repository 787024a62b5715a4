"""Search texts: names of titles and people, and genres, with typos."""

import numpy as np

from matinee.simulator import world
from matinee.simulator.behaviour import Searches
from matinee.simulator.catalogue import Catalogue

PERSON_QUERY_RATE, GENRE_QUERY_RATE = 0.25, 0.12  # all others are title names
TYPO_RATE = 0.15
FRUITLESS_PREFIXES = (
    "the one with the",
    "new film by",
    "season 9 of",
    "asdf",
    "free movie",
    "live match",
)


def add_typo(text: str, rng: np.random.Generator) -> str:
    """One letter removed, doubled or swapped with the next."""
    if len(text) < 4:
        return text
    k = int(rng.integers(1, len(text) - 1))
    kind = int(rng.integers(3))
    if kind == 0:
        return text[:k] + text[k + 1 :]
    if kind == 1:
        return text[:k] + text[k] + text[k:]
    return text[:k] + text[k + 1] + text[k] + text[k + 2 :]


def query_texts(
    searches: Searches, catalogue: Catalogue, rng: np.random.Generator
) -> tuple[list[str], list[int]]:
    """The text and the number of results of each search."""
    texts: list[str] = []
    counts: list[int] = []
    genre_sizes = catalogue.genres.sum(axis=0)
    starts, _ = catalogue.filmography
    draws = rng.random((len(searches.title), 2)).tolist()
    for title, fails, (kind, typo) in zip(
        searches.title.tolist(), searches.is_fruitless.tolist(), draws, strict=True
    ):
        film = catalogue.films[title]
        people = catalogue.people[title]
        people = people[people >= 0]
        if fails:
            prefix = rng.choice(FRUITLESS_PREFIXES)
            text = f"{prefix} {film.name[: int(rng.integers(2, 9))].lower()}".strip()
            count = 0
        elif kind < PERSON_QUERY_RATE and len(people):
            name = int(people[int(rng.integers(len(people)))])
            text, count = catalogue.names[name].lower(), int(starts[name + 1] - starts[name])
        elif kind < PERSON_QUERY_RATE + GENRE_QUERY_RATE:
            genre = int(rng.choice(np.flatnonzero(catalogue.genres[title])))
            text, count = world.GENRES[genre].lower(), int(genre_sizes[genre])
        else:
            text, count = film.name.lower(), 1 + int(rng.integers(4))
        texts.append(add_typo(text, rng) if typo < TYPO_RATE else text)
        counts.append(count)
    return texts, counts
