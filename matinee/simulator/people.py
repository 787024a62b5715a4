"""The members: profile, habits and planted tastes."""

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

# Weight of each part of taste, in standard deviations of the utility. Most of it is content, so
# that cold titles can be learned; `hidden` can be learned from plays of other members only.
STRENGTH = {
    "genres": 1.0, "themes": 0.5, "eras": 0.35, "languages": 0.35, "hidden": 0.55, "people": 1.1,
}  # fmt: skip


@dataclass(frozen=True)
class People:
    """All M members who ever join, in order of joining. Days count from the first day."""

    joined: Ints
    """Negative for members from before the logs."""
    country: Ints
    offset: Ints
    language: list[str]
    plan: Ints
    birth_year: Ints
    gender: Ints
    is_kids: Bools
    age_limit: Ints
    """Index in AGE_LIMITS."""
    activity: Floats
    """Chance of a visit on an average day."""
    hour: Floats
    """Usual local hour of a visit."""
    device: Ints
    is_treated: Bools
    rates_in_stars: Bools
    rating_ratio: Floats
    consents: npt.NDArray[np.int8]
    """(M, purposes) 1 granted, 0 refused, -1 no record."""
    mixture: Floats
    """(M, archetypes)."""
    genres: Floats
    themes: Floats
    eras: Floats
    languages: Floats
    hidden: Floats
    artwork: Floats
    """(M, artwork tags) log-odds of a click for each tag."""
    favourites: Ints
    """(M, FAVOURITES) indices in the catalogue's `names`."""

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
    """Rows of mean 0 and length 1: the tastes of all members are equally strong."""
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: Floats = (centred / np.maximum(length, 1e-9)).astype(np.float32)
    return unit


def _genre_taste(mixture: npt.NDArray[Any], rng: np.random.Generator) -> Floats:
    loved = np.array([[g in genres for g in world.GENRES] for genres in world.ARCHETYPES.values()])
    noise = 0.12 * rng.standard_normal((len(mixture), len(world.GENRES)))
    return _standardised(mixture @ loved.astype(float) + noise)


def _era_taste(age: npt.NDArray[Any], rng: np.random.Generator) -> Floats:
    """Preference for the films of one's youth, with noise."""
    youth = 2026 - age + 18
    middle = np.array([1955, 1980, 1995, 2010])
    weight = np.exp(-(((youth[:, None] - middle) / 18.0) ** 2))
    return _standardised(weight + 0.5 * rng.standard_normal(weight.shape))


def _language_taste(country: npt.NDArray[Any], rng: np.random.Generator) -> Floats:
    """Preference for one's own language, then English, with noise."""
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
    """Set, in place, the favourite people of each member: from titles of their genre taste.

    Chosen from the titles of the first day, so that a longer run does not change them.
    """
    first = np.flatnonzero(catalogue.added < 0)
    genres = catalogue.genres[first].astype(np.float32)
    genres /= np.sqrt(genres.sum(axis=1, keepdims=True))
    counts = np.bincount(
        catalogue.people[first][catalogue.people[first] >= 0], minlength=len(catalogue.names)
    )
    cohorts = np.maximum(people.joined, 0)
    for day in np.unique(cohorts):
        rng = stream(seed, Purpose.FAVOURITES, int(day))
        rows = np.flatnonzero(cohorts == day)
        for block in np.array_split(rows, max(1, len(rows) // 4096)):
            tried = rng.integers(len(first), size=(len(block), 60))
            liking = np.einsum("mg,mcg->mc", people.genres[block], genres[tried])
            best = np.argsort(-liking, axis=1, kind="stable")[:, :FAVOURITES]
            cast = catalogue.people[first][np.take_along_axis(tried, best, axis=1)]
            # The person of each liked title with the most titles.
            fame = np.where(cast >= 0, counts[cast], 0) + 0.5 * rng.random(cast.shape)
            name = np.take_along_axis(cast, fame.argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
            people.favourites[block] = name
