"""Converts arrays of the simulator to tables with the columns of the raw-log contract."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matinee.simulator import homepage, queries, world
from matinee.simulator.accounts import AccountEvents
from matinee.simulator.behaviour import Day, Plays, Searches, Visits
from matinee.simulator.behaviour import Ratings as RatingsOfDay
from matinee.simulator.catalogue import VARIANTS, Catalogue, Ints
from matinee.simulator.homepage import COLUMNS, SLOTS
from matinee.simulator.people import People

TEXT, WHOLE, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
INSTANT, DAY, TEXTS = pa.timestamp("us"), pa.date32(), pa.list_(pa.string())

ENVELOPE = [
    ("event_id", TEXT), ("event_at", INSTANT), ("received_at", INSTANT), ("member_id", TEXT),
    ("country", TEXT), ("device", TEXT), ("utc_offset_minutes", WHOLE),
]  # fmt: skip
SCHEMAS: dict[str, pa.Schema] = {
    "plays": pa.schema([
        *ENVELOPE, ("title_id", TEXT), ("watched_seconds", WHOLE), ("runtime_seconds", WHOLE),
        ("is_autoplay", FLAG), ("is_trailer", FLAG), ("impression_id", TEXT),
        ("position_seconds", WHOLE), ("episode_label", TEXT),
    ]),
    "ratings": pa.schema([
        *ENVELOPE, ("title_id", TEXT), ("rating_kind", TEXT), ("value", REAL),
    ]),
    "searches": pa.schema([
        *ENVELOPE, ("query_text", TEXT), ("result_count", WHOLE), ("clicked_title_id", TEXT),
    ]),
    "impressions": pa.schema([
        *ENVELOPE, ("impression_id", TEXT), ("page_id", TEXT), ("row_kind", TEXT),
        ("row_index", WHOLE), ("column_index", WHOLE), ("title_id", TEXT), ("asset_id", TEXT),
        ("candidate_asset_ids", TEXTS), ("asset_propensity", REAL), ("slot_propensity", REAL),
        ("policy_id", TEXT), ("is_exploration", FLAG), ("release_id", TEXT),
        ("experiment_id", TEXT), ("arm", TEXT), ("interleave_team", TEXT), ("was_clicked", FLAG),
    ]),
    "subscriptions": pa.schema([
        *ENVELOPE, ("kind", TEXT), ("plan", TEXT), ("price_minor", WHOLE), ("currency", TEXT),
    ]),
    "consents": pa.schema([*ENVELOPE, ("purpose", TEXT), ("granted", FLAG)]),
    "privacy_requests": pa.schema([*ENVELOPE, ("request_id", TEXT), ("kind", TEXT)]),
    "titles": pa.schema([
        ("title_id", TEXT), ("name", TEXT), ("title_kind", TEXT), ("released_on", DAY),
        ("added_on", DAY), ("runtime_seconds", WHOLE), ("language", TEXT), ("countries", TEXTS),
        ("genres", TEXTS), ("themes", TEXTS), ("directors", TEXTS), ("actors", TEXTS),
        ("minimum_age", WHOLE), ("synopsis", TEXT), ("ai_use", TEXT), ("ai_disclosure", TEXT),
        ("owner", TEXT), ("is_original", FLAG),
    ]),
    "title_windows": pa.schema([
        ("title_id", TEXT), ("country", TEXT), ("starts_on", DAY), ("ends_on", DAY),
    ]),
    "assets": pa.schema([
        ("asset_id", TEXT), ("title_id", TEXT), ("asset_kind", TEXT), ("tags", TEXTS),
        ("digital_source_type", TEXT), ("disclosure_label", TEXT),
    ]),
    "members": pa.schema([
        ("member_id", TEXT), ("joined_on", DAY), ("country", TEXT), ("plan", TEXT),
        ("language", TEXT), ("birth_year", WHOLE), ("gender", TEXT), ("is_kids", FLAG),
        ("maximum_age", WHOLE),
    ]),
}  # fmt: skip

SECOND = 1_000_000  # in microseconds

EPISODES = tuple(f"S1 E{number}" for number in range(1, 9))


def member_id(row: int) -> str:
    return f"m-{row:06d}"


def episode(member: int, title: int, day: int) -> str:
    """The episode of a series that a member watches on a day."""
    return EPISODES[(member + title + day) % len(EPISODES)]


def pick(values: Any, rows: Ints) -> pa.Array:
    """The value of each row; row -1 is null."""
    array = values if isinstance(values, pa.Array) else pa.array(values, TEXT)
    return array.take(pa.array(rows, mask=rows < 0))


@dataclass(frozen=True)
class TableBuilder:
    """Builds tables of the contract from simulated events."""

    people: People
    catalogue: Catalogue
    first_day: date

    @cached_property
    def member_ids(self) -> pa.Array:
        return pa.array([member_id(row) for row in range(len(self.people))])

    @cached_property
    def title_ids(self) -> pa.Array:
        return pa.array([film.id for film in self.catalogue.films])

    @cached_property
    def asset_ids(self) -> pa.Array:
        """Artwork ids, VARIANTS per title."""
        films = self.catalogue.films
        return pa.array([f"{film.id}-art{k + 1}" for film in films for k in range(VARIANTS)])

    def on(self, day: int) -> date:
        return self.first_day + timedelta(days=day)

    def _numbered(self, prefix: str, day: int, count: int) -> pa.Array:
        number = pc.utf8_lpad(pc.cast(pa.array(np.arange(count)), TEXT), 7, "0")
        return pc.binary_join_element_wise(f"{prefix}{self.on(day):%Y%m%d}", number, "-")

    def _envelope(
        self, prefix: str, day: int, member: Ints, second: Ints, device: Ints, lasts: Ints
    ) -> list[Any]:
        """The common columns; received at the end of the event, before delays of `delivery.py`."""
        midnight = (self.on(day) - date(1970, 1, 1)).days * 86_400
        # A fixed fraction of a second per member: clocks differ, and a page has one timestamp.
        event_at = (midnight + second) * SECOND + member * 7919 % 1000 * 1000
        people = self.people
        return [
            self._numbered(prefix, day, len(member)),
            pa.array(event_at, INSTANT),
            pa.array(event_at + lasts * SECOND, INSTANT),
            self.member_ids.take(pa.array(member)),
            pick([country.code for country in world.COUNTRIES], people.country[member]),
            pick(world.DEVICES, device),
            pa.array(people.offset[member]),
        ]

    def behaviour(self, day: int, happened: Day, rng: np.random.Generator) -> dict[str, pa.Table]:
        """The four behavioural streams of one day."""
        return {
            "plays": self._plays(day, happened.plays, happened.visits),
            "ratings": self._ratings(day, happened.ratings),
            "searches": self._searches(day, happened.searches, rng),
            "impressions": self._impressions(day, happened.visits),
        }

    def _plays(self, day: int, plays: Plays, visits: Visits) -> pa.Table:
        shown = self._numbered("imp", day, len(visits.member) * SLOTS)
        slot = visits.clicked[plays.visit]
        impression = np.where(plays.visit >= 0, plays.visit * SLOTS + slot, -1)
        envelope = self._envelope("p", day, plays.member, plays.second, plays.device, plays.watched)
        columns = [
            *envelope,
            self.title_ids.take(pa.array(plays.title)),
            plays.watched,
            plays.runtime,
            plays.is_autoplay,
            plays.is_trailer,
            pick(shown, impression),
            pa.array(np.minimum(plays.watched, plays.runtime), mask=plays.is_trailer),
            self._episodes(day, plays),
        ]
        return pa.table(columns, schema=SCHEMAS["plays"])

    def _episodes(self, day: int, plays: Plays) -> pa.Array:
        """The episode of each play of a series, `S1 E1` to `S1 E8`; null for films."""
        is_series = np.array([film.is_series for film in self.catalogue.films])[plays.title]
        number = (plays.member + plays.title + day) % len(EPISODES)
        return pick(EPISODES, np.where(is_series & ~plays.is_trailer, number, -1))

    def _ratings(self, day: int, ratings: RatingsOfDay) -> pa.Table:
        n = len(ratings.member)
        columns = [
            *self._envelope(
                "r", day, ratings.member, ratings.second, ratings.device, np.zeros(n, np.int64)
            ),
            self.title_ids.take(pa.array(ratings.title)),
            pick(["thumbs", "stars"], ratings.is_stars.astype(np.int64)),
            ratings.value,
        ]
        return pa.table(columns, schema=SCHEMAS["ratings"])

    def _searches(self, day: int, searches: Searches, rng: np.random.Generator) -> pa.Table:
        n = len(searches.member)
        texts, counts = queries.query_texts(searches, self.catalogue.arrived_by(day), rng)
        columns = [
            *self._envelope(
                "s", day, searches.member, searches.second, searches.device, np.full(n, 15)
            ),
            pa.array(texts, TEXT),
            np.array(counts, np.int64),
            pick(self.title_ids, np.where(searches.is_fruitless, -1, searches.title)),
        ]
        return pa.table(columns, schema=SCHEMAS["searches"])

    def _impressions(self, day: int, visits: Visits) -> pa.Table:
        pages = visits.pages
        is_shown = (pages.titles >= 0).ravel()
        n = int(is_shown.sum())
        visit, slot = np.divmod(np.flatnonzero(is_shown), SLOTS)
        title, variant = pages.titles[visit, slot], pages.artwork[visit, slot]
        member = visits.member[visit]
        candidates = (title[:, None] * VARIANTS + np.arange(VARIANTS)).ravel()
        ids = self._numbered("imp", day, len(visits.member) * SLOTS)
        columns = [
            *self._envelope(
                "i", day, member, visits.second[visit], visits.device[visit], np.full(n, 180)
            ),
            ids.take(pa.array(visit * SLOTS + slot)),
            self._numbered("page", day, len(visits.member)).take(pa.array(visit)),
            pick(homepage.ROW_KINDS, pages.kinds[visit, slot // COLUMNS]),
            slot // COLUMNS,
            slot % COLUMNS,
            self.title_ids.take(pa.array(title)),
            self.asset_ids.take(pa.array(title * VARIANTS + variant)),
            pa.ListArray.from_arrays(
                pa.array(np.arange(n + 1) * VARIANTS, pa.int32()),
                self.asset_ids.take(pa.array(candidates)),
            ),
            np.round(homepage.ARTWORK_PROPENSITY, 6)[variant],
            np.round(pages.propensity[visit, slot], 9),
            pick([homepage.POLICY_ID], np.zeros(n, np.int64)),
            pages.is_exploration[visit, slot],
            pa.nulls(n, TEXT),
            pick([homepage.EXPERIMENT_ID], np.zeros(n, np.int64)),
            pick(homepage.ARMS, self.people.is_treated[member].astype(np.int64)),
            pa.nulls(n, TEXT),
            slot == visits.clicked[visit],
        ]
        return pa.table(columns, schema=SCHEMAS["impressions"])

    def account(self, stream: str, prefix: str, day: int, events: AccountEvents) -> pa.Table:
        """Rows of `subscriptions`, `consents` or `privacy_requests`."""
        n = len(events.member)
        country = self.people.country[events.member]
        second = (events.day - day) * 86_400 + events.second
        envelope = self._envelope(
            prefix, day, events.member, second, np.full(n, 3), np.full(n, 0, np.int64)
        )
        kinds = pa.array(events.kind, TEXT)
        if stream == "subscriptions":
            price = np.array([c.price for c in world.COUNTRIES])[country]
            price_minor = np.rint(np.array(world.PLAN_PRICES)[events.plan] * price).astype(np.int64)
            currency = pick([c.currency for c in world.COUNTRIES], country)
            rest = [kinds, pick(world.PLANS, events.plan), price_minor, currency]
        elif stream == "consents":
            rest = [kinds, events.granted]
        else:
            rest = [self._numbered("request", day, n), kinds]
        return pa.table([*envelope, *rest], schema=SCHEMAS[stream])
