"""The behaviour of members on a day: visits, clicks, searches, plays and ratings."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matinee.simulator import homepage, world
from matinee.simulator.catalogue import Bools, Catalogue, Floats, Ints
from matinee.simulator.homepage import COLUMNS, SLOTS, Pages
from matinee.simulator.people import People
from matinee.simulator.taste import Taste

SECOND_VISIT_RATE = 0.3
CLICK_TASTE_WEIGHT, SEARCH_TASTE_WEIGHT = 1.5, 2.2
ROW_BIAS, COLUMN_BIAS = -0.55, -0.25  # log-odds per shelf and per column
NO_CLICK_LOG_ODDS = 2.7  # log-odds of no click on the page
WATCHED_PENALTY = -3.0
UNPROMPTED_RATE = 0.7  # of visits without a click choose a title themselves
POPULAR_CANDIDATES, FAVOURITE_CANDIDATES = 36, 4  # titles that they choose from
SEARCH_RATE = 0.6  # of those choices are searches
FRUITLESS_RATE = 0.14  # of those searches find nothing
TRAILER_RATE, AUTOPLAY_RATE = 0.06, 0.22
TRAILER_SECONDS = 150
KEY = np.int64(1) << 24  # above the size of any catalogue


@dataclass
class WatchedPairs:
    """The set of watched (member, title) pairs, as sorted integer keys."""

    keys: Ints

    def contains(self, member: Ints, title: Ints) -> Bools:
        keys = (member * KEY + title).astype(np.int64)
        if not len(self.keys):
            return np.zeros(keys.shape, bool)
        index = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        is_watched: Bools = self.keys[index] == keys
        return is_watched

    def add(self, member: Ints, title: Ints) -> None:
        new = np.unique(member * KEY + title)
        self.keys = np.union1d(self.keys, new)


@dataclass(frozen=True)
class Visits:
    """n visits of the homepage."""

    member: Ints
    second: Ints
    """UTC second of the day."""
    device: Ints
    pages: Pages
    clicked: Ints
    """(n,) the clicked slot, -1 for none."""


@dataclass(frozen=True)
class Plays:
    """n plays; `second` may be after midnight."""

    member: Ints
    title: Ints
    second: Ints
    device: Ints
    visit: Ints
    """Row of the visit with the click that led to it, or -1."""
    is_autoplay: Bools
    is_trailer: Bools
    watched: Ints
    runtime: Ints
    score: Floats

    @property
    def completion(self) -> Floats:
        return (self.watched / self.runtime).astype(np.float32)


@dataclass(frozen=True)
class Searches:
    """n searches; `queries.py` gives the texts."""

    member: Ints
    second: Ints
    device: Ints
    title: Ints
    """The title searched for."""
    is_fruitless: Bools


@dataclass(frozen=True)
class Ratings:
    """n ratings."""

    member: Ints
    title: Ints
    second: Ints
    device: Ints
    is_stars: Bools
    value: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Day:
    """The behavioural events of one day."""

    visits: Visits
    plays: Plays
    searches: Searches
    ratings: Ratings


@dataclass(frozen=True)
class Audience:
    """Members, titles and taste as of one day."""

    people: People
    catalogue: Catalogue
    taste: Taste

    def segment(self, member: Ints) -> Ints:
        """Index of the (country, age limit) pair, as in `homepage.render`."""
        people = self.people
        return people.country[member] * len(world.AGE_LIMITS) + people.age_limit[member]


def simulate_day(
    audience: Audience,
    day: int,
    weekday: int,
    probability: Floats,
    seen: WatchedPairs,
    rng: np.random.Generator,
) -> Day:
    """Simulate one day; `probability` (M,) is the visit probability. Adds plays to `seen`."""
    visits = _visit(audience, day, weekday, probability, seen, rng)
    clicked = np.flatnonzero(visits.clicked >= 0)
    left = np.flatnonzero(visits.clicked < 0)
    left = left[rng.random(len(left)) < UNPROMPTED_RATE]
    chosen = choose_unprompted(audience, day, visits.member[left], seen, rng)
    left, chosen = left[chosen >= 0], chosen[chosen >= 0]
    searches_for = rng.random(len(left)) < SEARCH_RATE
    is_fruitless = searches_for & (rng.random(len(left)) < FRUITLESS_RATE)
    searches = Searches(
        member=visits.member[left[searches_for]],
        second=visits.second[left[searches_for]] + rng.integers(20, 90, int(searches_for.sum())),
        device=visits.device[left[searches_for]],
        title=chosen[searches_for],
        is_fruitless=is_fruitless[searches_for],
    )
    plays_it = ~is_fruitless
    visit = np.concatenate([clicked, left[plays_it]])
    title = np.concatenate(
        [visits.pages.titles[clicked, visits.clicked[clicked]], chosen[plays_it]]
    )
    from_page = np.concatenate([clicked, np.full(int(plays_it.sum()), -1)])
    starts = visits.member[visit], visits.second[visit], visits.device[visit]
    plays = watch(audience, starts, title, from_page, rng)
    plays = _autoplay_next(audience, day, plays, rng)
    watched = ~plays.is_trailer
    seen.add(plays.member[watched], plays.title[watched])
    return Day(visits, plays, searches, rate(audience, plays, rng))


def _visit(
    audience: Audience,
    day: int,
    weekday: int,
    probability: Floats,
    seen: WatchedPairs,
    rng: np.random.Generator,
) -> Visits:
    people, catalogue = audience.people, audience.catalogue
    member, second, device = arrive(people, weekday, probability, rng)
    shelves = homepage.choose_shelves(_shelf_genre(people, day, member), people.is_treated[member])
    pages = homepage.render(catalogue, day, audience.segment(member), shelves, rng)
    shown = np.maximum(pages.titles, 0)
    slots = np.arange(SLOTS)
    logits = click_log_odds(
        audience, member, shown, pages.artwork, (slots // COLUMNS, slots % COLUMNS)
    )
    logits += WATCHED_PENALTY * seen.contains(member[:, None], shown)
    logits[pages.titles < 0] = -np.inf
    return Visits(member, second, device, pages, choose_or_none(logits, rng))


def click_log_odds(
    audience: Audience, member: Ints, titles: Ints, artwork: Ints, place: tuple[Ints, Ints]
) -> npt.NDArray[np.floating]:
    """(n, s) log-odds of a click on each title by taste, quality, artwork and place.

    Parameters
    ----------
    member : (n,)
    titles, artwork : (n, s)
        Titles, and the variant of the artwork of each, -1 for an artwork that is not known.
    place : two arrays (s,)
        Row and column of each slot, counted from 0.
    """
    tags = audience.catalogue.artwork[titles, artwork].astype(np.float32)
    tags[artwork < 0] = 0
    row, column = place
    logits: npt.NDArray[np.floating] = (
        CLICK_TASTE_WEIGHT * audience.taste.score(member, titles)
        + 0.5 * audience.catalogue.quality[titles]
        + np.einsum("nt,nst->ns", audience.people.artwork[member], tags)
        + ROW_BIAS * row
        + COLUMN_BIAS * column
    )
    return logits


def choose_or_none(logits: npt.NDArray[np.floating], rng: np.random.Generator) -> Ints:
    """(n,) the slot that is clicked, -1 for none, drawn by the log-odds (n, s) of the slots."""
    no_click = np.full((len(logits), 1), NO_CLICK_LOG_ODDS)
    choice = _choose(np.hstack([logits, no_click]), rng)
    return np.where(choice < logits.shape[1], choice, -1)


def arrive(
    people: People, weekday: int, probability: Floats, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """The visits of one day: member, UTC second and device, all (n,).

    Members come by their activity and at about their usual local hour; some come twice.
    """
    here = np.flatnonzero(rng.random(len(probability)) < probability * world.WEEKDAYS[weekday])
    twice = here[rng.random(len(here)) < SECOND_VISIT_RATE]
    member = np.concatenate([here, twice])
    n = len(member)
    hour = people.hour[member] + rng.normal(0, 2.0, n) - (1.5 if weekday >= 5 else 0.0)
    second = (hour * 3600 - people.offset[member] * 60).astype(np.int64) % 86_400
    is_other_device = rng.random(n) < 0.25
    device = np.where(
        is_other_device, rng.integers(len(world.DEVICES), size=n), people.device[member]
    )
    return member, second, device


def _choose(logits: npt.NDArray[np.floating], rng: np.random.Generator) -> Ints:
    """A column per row, drawn from the softmax: the largest of logit + Gumbel noise."""
    choice: Ints = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return choice


def _shelf_genre(people: People, day: int, member: Ints) -> Ints:
    """The genre of the genre shelf: one of a member's best three, or any one without consent.

    The policy of the service knows the genre tastes of members and no other tastes.
    """
    best = np.argsort(-people.genres[member], axis=1, kind="stable")[:, :3]
    own = best[:, day % 3]
    refused = people.consents[member, 0] == 0
    return np.where(refused, day % len(world.GENRES), own)


def choose_unprompted(
    audience: Audience, day: int, member: Ints, seen: WatchedPairs, rng: np.random.Generator
) -> Ints:
    """The title that each member (n,) chooses from popular titles and favourites; -1 for none."""
    catalogue = audience.catalogue
    eligible = catalogue.eligible(day).reshape(-1, len(catalogue))
    segment = audience.segment(member)
    here, rows = np.unique(segment, return_inverse=True)
    mass = np.sqrt(catalogue.popularity) * eligible[here]
    mass /= np.maximum(mass.sum(axis=1, keepdims=True), 1e-300)
    sampler = homepage.TitleSampler.from_probabilities(mass)
    uniform = rng.random((len(member), POPULAR_CANDIDATES))
    index = np.searchsorted(sampler.offset_cumulative, uniform + rows[:, None], side="right")
    popular = np.clip(index - rows[:, None] * len(catalogue), 0, len(catalogue) - 1)
    of_favourites = _titles_of_favourites(audience, member, rng)
    titles = np.hstack([popular, of_favourites])
    logits = SEARCH_TASTE_WEIGHT * audience.taste.score(member, np.maximum(titles, 0))
    logits += WATCHED_PENALTY * 2 * seen.contains(member[:, None], titles)
    logits[(titles < 0) | ~eligible[segment[:, None], titles]] = -np.inf
    choice = _choose(logits, rng)
    rows = np.arange(len(member))
    return np.where(np.isfinite(logits[rows, choice]), titles[rows, choice], -1)


def _titles_of_favourites(audience: Audience, member: Ints, rng: np.random.Generator) -> Ints:
    """(n, FAVOURITE_CANDIDATES) titles with a favourite person of the member, -1 for none."""
    starts, titles = audience.catalogue.filmography
    favourites = audience.people.favourites[member]
    pick = rng.integers(favourites.shape[1], size=(len(member), FAVOURITE_CANDIDATES))
    name = np.take_along_axis(favourites, pick, axis=1)
    count = starts[name + 1] - starts[name]
    place = starts[name] + (rng.random(name.shape) * count).astype(np.int64)
    drawn: Ints = titles[np.minimum(place, len(titles) - 1)]
    return np.where(count > 0, drawn, -1)


def watch(
    audience: Audience,
    visit: tuple[Ints, Ints, Ints],
    title: Ints,
    from_page: Ints,
    rng: np.random.Generator,
) -> Plays:
    """How long each title (n,) is watched after a visit: member, second and device, all (n,)."""
    member, second, device = visit
    n = len(member)
    score = audience.taste.score(member, title[:, None])[:, 0]
    is_trailer = rng.random(n) < TRAILER_RATE
    runtime = audience.catalogue.runtime_seconds[title]
    runtime = np.where(is_trailer, TRAILER_SECONDS, runtime)
    quality = audience.catalogue.quality[title]
    share = _watched_ratio(1.1 * score + 0.25 * quality - 0.4, rng)
    return Plays(
        member=member,
        title=title,
        second=second + rng.integers(10, 180, n),
        device=device,
        visit=from_page,
        is_autoplay=np.zeros(n, bool),
        is_trailer=is_trailer,
        watched=np.maximum((share * runtime).astype(np.int64), 1),
        runtime=runtime,
        score=score,
    )


def _watched_ratio(logit: npt.NDArray[np.floating], rng: np.random.Generator) -> Floats:
    """Share of the runtime watched: complete if liked, otherwise stopped, mostly early."""
    finishes = rng.random(len(logit)) < 1 / (1 + np.exp(-logit))
    complete, stopped = rng.uniform(0.92, 1.0, len(logit)), rng.beta(1.1, 2.4, len(logit))
    return np.where(finishes, complete, 0.9 * stopped).astype(np.float32)


def _autoplay_next(audience: Audience, day: int, plays: Plays, rng: np.random.Generator) -> Plays:
    """Autoplay: after a completed play, a title of like genres may start by itself."""
    catalogue = audience.catalogue
    ended = (plays.completion > 0.9) & ~plays.is_trailer
    rows = np.flatnonzero(ended & (rng.random(len(ended)) < AUTOPLAY_RATE))
    eligible = catalogue.eligible(day).reshape(-1, len(catalogue))
    tried = rng.integers(len(catalogue), size=(len(rows), 24))
    similarity = np.einsum(
        "ng,ncg->nc",
        catalogue.genres[plays.title[rows]].astype(np.float32),
        catalogue.genres[tried].astype(np.float32),
    )
    allowed = eligible[audience.segment(plays.member[rows])[:, None], tried]
    similarity[~allowed | (tried == plays.title[rows, None])] = -1
    best = similarity.argmax(axis=1)
    fits = similarity[np.arange(len(rows)), best] >= 0
    rows, title = rows[fits], tried[np.arange(len(rows)), best][fits]
    n = len(rows)
    score = audience.taste.score(plays.member[rows], title[:, None])[:, 0]
    runtime = catalogue.runtime_seconds[title]
    share = _watched_ratio(1.1 * score - 2.2, rng)
    following = {
        "member": plays.member[rows],
        "title": title,
        "second": plays.second[rows] + plays.watched[rows] + 12,
        "device": plays.device[rows],
        "visit": np.full(n, -1),
        "is_autoplay": np.ones(n, bool),
        "is_trailer": np.zeros(n, bool),
        "watched": np.maximum((share * runtime).astype(np.int64), 1),
        "runtime": runtime,
        "score": score,
    }
    return Plays(
        **{name: np.concatenate([getattr(plays, name), following[name]]) for name in following}
    )


def rate(audience: Audience, plays: Plays, rng: np.random.Generator) -> Ratings:
    """Ratings of some plays; stronger opinions are rated more often."""
    people = audience.people
    probability = people.rating_ratio[plays.member] * (0.5 + np.abs(plays.score))
    probability = np.where(plays.is_trailer | people.is_kids[plays.member], 0.0, probability)
    rows = np.flatnonzero(rng.random(len(probability)) < probability)
    member = plays.member[rows]
    quality = audience.catalogue.quality[plays.title[rows]]
    opinion = plays.score[rows] + 0.3 * quality + rng.normal(0, 0.5, len(rows))
    stars = np.clip(np.rint(4.6 + 1.4 * opinion), 0, 10)
    thumbs = np.select([opinion > 2.4, opinion > 0.7], [2.0, 1.0], -1.0)
    is_stars = people.rates_in_stars[member]
    return Ratings(
        member=member,
        title=plays.title[rows],
        second=plays.second[rows] + plays.watched[rows] + rng.integers(5, 60, len(rows)),
        device=plays.device[rows],
        is_stars=is_stars,
        value=np.where(is_stars, stars, thumbs),
    )
