"""Simulates a streaming service day by day; yields the rows that land on each day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa

from matinee.simulator import accounts as acc
from matinee.simulator import behaviour, catalogue, people, snapshots, taste
from matinee.simulator.catalogue import Catalogue, Floats
from matinee.simulator.delivery import VERY_LATE_HOURS, DeliveryQueue, LandedRows
from matinee.simulator.people import People
from matinee.simulator.seeds import Purpose, stream
from matinee.simulator.tables import TableBuilder
from matinee.simulator.taste import RisingTheme, Taste

MAX_DELIVERY_DAYS = VERY_LATE_HOURS[1] // 24 + 4  # with a play after midnight, and a redelivery
"""Days until all events of a day are delivered."""


@dataclass(frozen=True)
class LandingDay:
    """The rows that land under one `dt`."""

    on: date
    tables: dict[str, pa.Table]
    broken_lines: dict[str, list[str]]
    planted: dict[str, dict[str, int]]
    """Stream -> kind of fault -> rows; a kind that is rejected has the name of its rule."""


@dataclass(frozen=True)
class DayEvents:
    """What happens on one day, in this order."""

    joined: acc.AccountEvents
    consented: acc.AccountEvents
    behaviour: behaviour.Day
    renewals: acc.AccountEvents
    consent_changes: acc.AccountEvents
    requests: acc.AccountEvents
    cancellations: acc.AccountEvents


@dataclass(frozen=True)
class Morning:
    """A service before a day begins."""

    audience: behaviour.Audience
    """With the titles that landed on the days before."""

    visit_probability: Floats
    """(M,)"""

    seen: behaviour.WatchedPairs


@dataclass(frozen=True)
class Simulation:
    """A service of `members` and `titles` on its first day, both growing, over `days`.

    Every random number belongs to a purpose and a day, so that a longer simulation gives the same
    days and more.
    """

    members: int
    titles: int
    days: int
    seed: int
    first_day: date = date(2026, 1, 1)
    rising: RisingTheme | None = None
    """A trend for insights to find; none unless a benchmark plants one."""
    cancellations: list[dict[str, float | int]] = field(default_factory=list, init=False)

    @cached_property
    def catalogue(self) -> Catalogue:
        return catalogue.draw(self.titles, self.days, self.seed, self.first_day)

    @cached_property
    def people(self) -> People:
        return people.draw(self.members, self.days, self.seed, self.catalogue)

    @cached_property
    def taste(self) -> Taste:
        return taste.build(self.people, self.catalogue)

    @cached_property
    def _taste_after_the_rise(self) -> Taste:
        return self.rising.applied(self.taste, self.catalogue) if self.rising else self.taste

    def _taste_on(self, day: int) -> Taste:
        is_risen = self.rising is not None and day >= self.rising.day
        return self._taste_after_the_rise if is_risen else self.taste

    @cached_property
    def tables(self) -> TableBuilder:
        return TableBuilder(self.people, self.catalogue, self.first_day)

    def landing_days(self, start: int = 0) -> Iterator[LandingDay]:
        """The rows that land on each day from day `start` on.

        Days before `start` are simulated, because the state of members depends on them, but their
        tables are not built. That saves about two thirds of the time.
        """
        accounts = acc.Accounts(self.people)
        snapshot_builder = snapshots.Snapshots(self.tables)
        seen = behaviour.WatchedPairs(np.empty(0, np.int64))
        queue = DeliveryQueue(self.first_day)
        for day in range(self.days):
            events = self._events(day, accounts, seen)
            if day < start - MAX_DELIVERY_DAYS:
                continue
            write = self.tables.account
            new = {
                "subscriptions": write("subscriptions", "u", day, events.joined),
                "consents": write("consents", "c", day, events.consented),
            }
            delivery = self._rng(Purpose.DELIVERY, day)
            if day == 0:
                queue.backfill(new)
            else:
                queue.send(new, delivery)
            queue.send(
                self.tables.behaviour(day, events.behaviour, self._rng(Purpose.WORDS, day)),
                delivery,
            )
            for stream_name, prefix, changes in (
                ("subscriptions", "v", events.renewals),
                ("subscriptions", "w", events.cancellations),
                ("consents", "d", events.consent_changes),
                ("privacy_requests", "q", events.requests),
            ):
                queue.send({stream_name: write(stream_name, prefix, day, changes)}, delivery)
            landed = queue.deliver(day, self._rng(Purpose.DIRT, day))
            if day >= start:
                yield self._with_snapshots(day, landed, snapshot_builder, accounts)
        self.cancellations[:] = accounts.cancellations

    def morning(self) -> Morning:
        """The service on the morning after the last day: the same members, with what they saw."""
        accounts = acc.Accounts(self.people)
        seen = behaviour.WatchedPairs(np.empty(0, np.int64))
        for day in range(self.days):
            self._events(day, accounts, seen)
        landed = self.catalogue.arrived_by(self.days - 1)
        audience = behaviour.Audience(self.people, landed, self.taste)
        return Morning(audience, accounts.visit_probability(len(self.people)), seen)

    def _events(self, day: int, accounts: acc.Accounts, seen: behaviour.WatchedPairs) -> DayEvents:
        joined, consented = accounts.join(day, self._rng(Purpose.ACCOUNTS, day))
        happened = self._simulate_day(day, accounts, seen)
        rng = self._rng(Purpose.ACCOUNT_CHANGES, day)
        renewals = accounts.renew(day, rng)
        consent_changes = accounts.change_consents(day, rng)
        requests, cancellations = accounts.request(day, rng)
        return DayEvents(
            joined, consented, happened, renewals, consent_changes, requests, cancellations
        )

    def _rng(self, purpose: Purpose, day: int) -> np.random.Generator:
        return stream(self.seed, purpose, day)

    def _simulate_day(
        self, day: int, accounts: acc.Accounts, seen: behaviour.WatchedPairs
    ) -> behaviour.Day:
        count = int((self.people.joined < day).sum())
        audience = behaviour.Audience(
            self.people, self.catalogue.arrived_by(day), self._taste_on(day)
        )
        happened = behaviour.simulate_day(
            audience,
            day,
            (self.first_day + timedelta(days=day)).weekday(),
            accounts.visit_probability(count),
            seen,
            self._rng(Purpose.BEHAVIOUR, day),
        )
        plays, visits = happened.plays, happened.visits
        real = ~plays.is_trailer
        idle = visits.member[~np.isin(visits.member, plays.member)]
        accounts.update_satisfaction((plays.member[real], plays.completion[real]), idle)
        return happened

    def _with_snapshots(
        self,
        day: int,
        landed: LandedRows,
        snapshot_builder: snapshots.Snapshots,
        accounts: acc.Accounts,
    ) -> LandingDay:
        tables = dict(landed.tables)
        if snapshots.titles_changed(self.catalogue, day):
            tables["titles"] = snapshot_builder.titles(day)
            tables["title_windows"] = snapshot_builder.title_windows(day)
            tables["assets"] = snapshot_builder.assets(day)
        is_new = day == 0 or (self.people.joined == day).any()
        changed = "subscriptions" in tables and "plan_change" in set(
            tables["subscriptions"]["kind"].to_pylist()
        )
        if is_new or changed:
            tables["members"] = snapshot_builder.members(accounts, day)
        on = self.first_day + timedelta(days=day)
        return LandingDay(on, tables, landed.broken_lines, landed.planted)
