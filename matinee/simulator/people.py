"""The members: who they are, when they watch, and the tastes planted in them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from matinee.simulator import world
from matinee.simulator.catalogue import HIDDEN, Bools, Catalogue, Floats, Ints
from matinee.simulator.seeds import Purpose, arrivals, stream

ARRIVALS_PER_DAY = 0.0025  # of the first day's members
FAVOURITES = 5
NO_BIRTH_YEAR = 0.15
GENDERS = ("woman", "man", "other", None)

# How far each part of taste moves a member, in standard deviations of what a title is worth to
# them. Content tells most of it, so that titles nobody has played can be learned; `hidden` is what
# only other members' plays can tell.
STRENGTH = {
    "genres": 1.0, "themes": 0.5, "eras": 0.35, "languages": 0.35, "hidden": 0.55, "people": 1.1,
}  # fmt: skip


@dataclass(frozen=True)
class People:
    """All members who ever join, in order of joining; M of them. Days count from the first."""

    joined: Ints
    """Negative for those who were there before the logs begin."""
    country: Ints
    offset: Ints
    language: list[str]
    plan: Ints
    birth_year: Ints
    gender: Ints
    is_kids: Bools
    age_limit: Ints
    """Row of AGE_LIMITS."""
    activity: Floats
    """Chance of a visit on an average day."""
    hour: Floats
    """Local hour around which they watch."""
    device: Ints
    is_treated: Bools
    rates_in_stars: Bools
    rating_ratio: Floats
    consents: npt.NDArray[np.int8]
    """(M, purposes) 1 granted, 0 refused, -1 never asked or never answered."""
    mixture: Floats
    """(M, archetypes)."""
    genres: Floats
    themes: Floats
    eras: Floats
    languages: Floats
    hidden: Floats
    artwork: Floats
    """(M, artwork tags) what each tag adds to the log-odds of a click."""
    favourites: Ints
    """(M, FAVOURITES) rows of the catalogue's `names`."""

    def __len__(self) -> int:
        return len(self.joined)


def draw(members: int, days: int, seed: int, catalogue: Catalogue) -> People:
    """The `members` of the first day and those who join in `days`."""
    parts: list[dict[str, npt.NDArray[Any]]] = []
    for day in range(days):
        count = arrivals(members, ARRIVALS_PER_DAY, day)
        if count:
            parts.append(_draw_batch(count, day, stream(seed, Purpose.MEMBERS, day)))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    language = [world.COUNTRIES[k].language for k in columns["country"]]
    people = People(
        language=language, favourites=np.zeros((len(language), FAVOURITES), np.int64), **columns
    )
    _choose_favourites(people, catalogue, seed)
    return people


def _draw_batch(n: int, day: int, rng: np.random.Generator) -> dict[str, npt.NDArray[Any]]:
    country = rng.choice(len(world.COUNTRIES), n, p=[c.share for c in world.COUNTRIES])
    pick = rng.random(n)
    offset = np.array(
        [
            world.COUNTRIES[c].offsets[int(p * len(world.COUNTRIES[c].offsets))]
            for c, p in zip(country, pick, strict=True)
        ]
    )
    is_kids = rng.random(n) < 0.07
    is_teen = ~is_kids & (rng.random(n) < 0.04)
    age_limit = np.where(is_kids, rng.integers(2, size=n), np.where(is_teen, 2, 3))
    age = np.where(is_kids, rng.integers(5, 12, n), np.where(is_teen, 14, rng.integers(18, 80, n)))
    consents = (rng.random((n, 3)) < np.array(world.GRANT_RATES)).astype(np.int8)
    consents[rng.random(n) < world.NO_ANSWER] = -1
    mixture = rng.dirichlet(np.full(len(world.ARCHETYPES), 0.18), n)
    kids_mixture = np.eye(len(world.ARCHETYPES))[0] * 0.7 + 0.3 * mixture
    mixture = np.where(is_kids[:, None], kids_mixture, mixture)
    genres = _genre_taste(mixture, rng)
    usual = rng.choice(world.HOURS, n, p=world.HOUR_SHARES)
    return {
        "joined": np.full(n, day) if day else -rng.integers(1, 700, n),
        "country": country,
        "offset": offset,
        "plan": rng.choice(len(world.PLANS), n, p=world.PLAN_SHARES),
        "birth_year": np.where(rng.random(n) < NO_BIRTH_YEAR, 0, 2025 - age),
        "gender": rng.choice(len(GENDERS), n, p=[0.34, 0.34, 0.02, 0.3]),
        "is_kids": is_kids,
        "age_limit": age_limit,
        "activity": np.clip(rng.gamma(1.3, 0.31, n), 0.02, 0.95).astype(np.float32),
        "hour": np.where(is_kids, 16.5, usual + rng.normal(0, 1.2, n)).astype(np.float32),
        "device": rng.choice(len(world.DEVICES), n, p=world.DEVICE_SHARES),
        "is_treated": rng.random(n) < 0.5,
        "rates_in_stars": rng.random(n) < 0.35,
        "rating_ratio": rng.beta(1.0, 5.0, n).astype(np.float32),
        "consents": consents,
        "mixture": mixture.astype(np.float32),
        "genres": genres,
        "themes": _standardised(rng.standard_normal((n, len(world.THEMES)))),
        "eras": _era_taste(age, rng),
        "languages": _language_taste(country, rng),
        "hidden": _standardised(rng.standard_normal((n, HIDDEN))),
        "artwork": _artwork_taste(genres, rng),
    }


def _standardised(values: npt.NDArray[Any]) -> Floats:
    """Rows of mean 0 and length 1: every member has tastes equally strong, though of their own."""
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: Floats = (centred / np.maximum(length, 1e-9)).astype(np.float32)
    return unit


def _genre_taste(mixture: npt.NDArray[Any], rng: np.random.Generator) -> Floats:
    loved = np.array([[g in genres for g in world.GENRES] for genres in world.ARCHETYPES.values()])
    noise = 0.12 * rng.standard_normal((len(mixture), len(world.GENRES)))
    return _standardised(mixture @ loved.astype(float) + noise)


def _era_taste(age: npt.NDArray[Any], rng: np.random.Generator) -> Floats:
    """Members lean to the films of their youth, each with a will of their own."""
    youth = 2026 - age + 18
    middle = np.array([1955, 1980, 1995, 2010])
    near = np.exp(-(((youth[:, None] - middle) / 18.0) ** 2))
    return _standardised(near + 0.5 * rng.standard_normal(near.shape))


def _language_taste(country: npt.NDArray[Any], rng: np.random.Generator) -> Floats:
    """One's own language, then English, and an open mind by chance."""
    taste = 0.35 * rng.standard_normal((len(country), len(world.LANGUAGES)))
    taste[:, 0] += 0.6
    own = [
        world.LANGUAGES.index(c.language) if c.language in world.LANGUAGES else 6
        for c in world.COUNTRIES
    ]
    taste[np.arange(len(country)), np.array(own)[country]] += 1.0
    return _standardised(taste)


def _artwork_taste(genres: Floats, rng: np.random.Generator) -> Floats:
    draws = np.array(
        [[g in fitting for g in world.GENRES] for fitting in world.ARTWORK_TAGS.values()]
    )
    appeal = genres @ draws.T.astype(np.float32) + 0.25 * rng.standard_normal(
        (len(genres), len(draws))
    )
    logit: Floats = (1.1 * appeal).astype(np.float32)
    return logit


def _choose_favourites(people: People, catalogue: Catalogue, seed: int) -> None:
    """Fill in, in place, the people whose every film a member wants: found in what they like.

    Chosen from the first day's titles, so that a longer run changes nobody's mind.
    """
    there = np.flatnonzero(catalogue.added < 0)
    genres = catalogue.genres[there].astype(np.float32)
    genres /= np.sqrt(genres.sum(axis=1, keepdims=True))
    counts = np.bincount(
        catalogue.people[there][catalogue.people[there] >= 0], minlength=len(catalogue.names)
    )
    cohorts = np.maximum(people.joined, 0)
    for day in np.unique(cohorts):
        rng = stream(seed, Purpose.FAVOURITES, int(day))
        rows = np.flatnonzero(cohorts == day)
        for block in np.array_split(rows, max(1, len(rows) // 4096)):
            tried = rng.integers(len(there), size=(len(block), 60))
            liking = np.einsum("mg,mcg->mc", people.genres[block], genres[tried])
            best = np.argsort(-liking, axis=1, kind="stable")[:, :FAVOURITES]
            cast = catalogue.people[there][np.take_along_axis(tried, best, axis=1)]
            # Of each liked film its busiest name: a favourite seen once is no favourite.
            fame = np.where(cast >= 0, counts[cast], 0) + 0.5 * rng.random(cast.shape)
            name = np.take_along_axis(cast, fame.argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
            people.favourites[block] = name
