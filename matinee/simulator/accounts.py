"""Subscriptions, consents and privacy requests, and the planted model of churn."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from matinee.simulator import world
from matinee.simulator.catalogue import Bools, Floats, Ints
from matinee.simulator.people import People

PERIOD = 30  # days of a billing period
CANCEL_LOG_ODDS = {"base": -1.5, "satisfaction": -5.0, "ads_plan": 0.3, "first_period": 0.5}
"""Log-odds to cancel at the end of a period; satisfaction is in [0, 1] and centred at 0.5."""
PAYMENT_FAILURE_RATE, CANCEL_RATE_AFTER_FAILURE, RETRY_DAYS = 0.03, 0.25, 3
PAUSE_RATE, PLAN_CHANGE_RATE = 0.01, 0.015
CONSENT_CHANGE_RATE, EXPORT_REQUEST_RATE, ERASURE_REQUEST_RATE = (
    0.0003,
    0.0002,
    0.0002,
)  # per member and day
SATISFACTION_DECAY = 0.9  # of satisfaction, per watched title
IDLE_VISIT_DECAY = 0.985  # of satisfaction, per visit without a play

ACTIVE, PAUSED, CANCELLED = 1, 2, 3


@dataclass(frozen=True)
class AccountEvents:
    """n events of one account stream; `kind` is the event kind or the purpose."""

    member: Ints
    day: Ints
    second: Ints
    kind: list[str]
    plan: Ints
    granted: Bools

    @classmethod
    def from_rows(cls, rows: list[tuple[int, int, int, str, int, bool]]) -> "AccountEvents":
        member, day, second, kind, plan, granted = zip(*rows, strict=True) if rows else [()] * 6
        return cls(
            np.array(member, np.int64),
            np.array(day, np.int64),
            np.array(second, np.int64),
            list(kind),
            np.array(plan, np.int64),
            np.array(granted, bool),
        )


@dataclass
class Accounts:
    """The state of every membership, which depends on the days before only."""

    people: People
    plan: Ints = field(init=False)
    status: Ints = field(init=False)
    due: Ints = field(init=False)
    is_overdue: Bools = field(init=False)
    consents: npt.NDArray[np.int8] = field(init=False)
    satisfaction: Floats = field(init=False)
    cancellations: list[dict[str, float | int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        people = self.people
        self.plan = people.plan.copy()
        self.status = np.full(len(people), ACTIVE)
        # The next end of a period: members paid for whole periods before the logs begin.
        self.due = people.joined + PERIOD * np.maximum(-(people.joined // PERIOD), 1)
        self.is_overdue = np.zeros(len(people), bool)
        self.consents = people.consents.copy()
        self.satisfaction = np.full(len(people), 0.5, np.float32)

    def visit_probability(self, count: int) -> Floats:
        """Of the first `count` members; satisfied members visit more often."""
        factor = 0.4 + 1.2 * self.satisfaction[:count]
        chance = np.where(self.status[:count] == ACTIVE, self.people.activity[:count] * factor, 0)
        return np.minimum(chance, 0.95).astype(np.float32)

    def update_satisfaction(self, plays: tuple[Ints, Floats], idle: Ints) -> None:
        """Update satisfaction by the day's plays (member, completion) and visits without a play."""
        member, completion = plays
        size = len(self.satisfaction)
        count = np.bincount(member, minlength=size)
        mean = np.bincount(member, completion, minlength=size) / np.maximum(count, 1)
        keep = SATISFACTION_DECAY**count
        idle_decay = IDLE_VISIT_DECAY ** np.bincount(idle, minlength=size)
        self.satisfaction = ((self.satisfaction * keep + mean * (1 - keep)) * idle_decay).astype(
            np.float32
        )

    def join(self, day: int, rng: np.random.Generator) -> tuple[AccountEvents, AccountEvents]:
        """Subscriptions and consents of members who join on `day`, or before the logs on day 0."""
        people = self.people
        new = np.flatnonzero(people.joined < 0 if day == 0 else people.joined == day)
        seconds = rng.integers(8 * 3600, 20 * 3600, len(new))
        subscriptions, consents = [], []
        for member, second in zip(new.tolist(), seconds.tolist(), strict=True):
            joined = int(people.joined[member])
            plan = int(people.plan[member])
            subscriptions.append((member, joined, second, "start", plan, False))
            paid = int(self.due[member]) - PERIOD
            if joined < paid < 0:
                subscriptions.append((member, paid, second, "renew", plan, False))
            for purpose, consent in zip(world.PURPOSES, self.consents[member], strict=True):
                if consent >= 0:
                    consents.append((member, joined, second + 60, purpose, 0, bool(consent)))
        return AccountEvents.from_rows(subscriptions), AccountEvents.from_rows(consents)

    def renew(self, day: int, rng: np.random.Generator) -> AccountEvents:
        """Events of the memberships whose period ends on `day`."""
        people = self.people
        is_due = (self.due == day) & (people.joined < day)
        rows = np.flatnonzero(is_due & (self.status != CANCELLED))
        chances = rng.random((len(rows), 3))
        seconds = rng.integers(0, 86_400, len(rows))
        leaving = self.cancel_probability(rows, day)
        out = []
        for member, chance, second, odds in zip(
            rows.tolist(), chances.tolist(), seconds.tolist(), leaving.tolist(), strict=True
        ):
            plan = int(self.plan[member])
            cancels, fails, changes = chance
            self.due[member] = day + PERIOD
            if self.status[member] == PAUSED:
                self.status[member] = ACTIVE
                kind = "resume"
            elif self.is_overdue[member]:
                self.is_overdue[member] = False
                kind = "cancel" if cancels < CANCEL_RATE_AFTER_FAILURE else "renew"
            elif cancels < odds:
                kind = "cancel"
                self.cancellations.append(
                    {
                        "member": member,
                        "day": day,
                        "satisfaction": round(float(self.satisfaction[member]), 4),
                        "chance": round(odds, 4),
                    }
                )
            elif fails < PAYMENT_FAILURE_RATE:
                self.is_overdue[member] = True
                self.due[member] = day + RETRY_DAYS
                kind = "payment_failed"
            elif changes < PAUSE_RATE:
                self.status[member] = PAUSED
                kind = "pause"
            elif changes < PAUSE_RATE + PLAN_CHANGE_RATE:
                plan = (plan + 1) % len(world.PLANS)
                self.plan[member] = plan
                kind = "plan_change"
            else:
                kind = "renew"
            if kind == "cancel":
                self.status[member] = CANCELLED
            out.append((member, day, second, kind, plan, False))
        return AccountEvents.from_rows(out)

    def cancel_probability(self, rows: Ints, day: int) -> npt.NDArray[np.float64]:
        """The planted churn model, a logistic regression."""
        logit = (
            CANCEL_LOG_ODDS["base"]
            + CANCEL_LOG_ODDS["satisfaction"] * (self.satisfaction[rows] - 0.5)
            + CANCEL_LOG_ODDS["ads_plan"] * (self.plan[rows] == 0)
            + CANCEL_LOG_ODDS["first_period"] * (day - self.people.joined[rows] <= PERIOD)
        )
        return np.asarray(1 / (1 + np.exp(-logit.astype(np.float64))))

    def change_consents(self, day: int, rng: np.random.Generator) -> AccountEvents:
        """Consents that members change or give for the first time on `day`."""
        count = int((self.people.joined < day).sum())
        changed = rng.random(count) < CONSENT_CHANGE_RATE
        rows = np.flatnonzero(changed & (self.status[:count] != CANCELLED))
        purposes = rng.integers(len(world.PURPOSES), size=len(rows))
        seconds = rng.integers(0, 86_400, len(rows))
        granted = self.consents[rows, purposes] != 1
        self.consents[rows, purposes] = granted
        kinds = [world.PURPOSES[k] for k in purposes]
        return AccountEvents(rows, np.full(len(rows), day), seconds, kinds, rows * 0, granted)

    def request(self, day: int, rng: np.random.Generator) -> tuple[AccountEvents, AccountEvents]:
        """Privacy requests, and the subscriptions that end because of an erasure."""
        count = int((self.people.joined < day).sum())
        draw = rng.random(count)
        requests = (draw < EXPORT_REQUEST_RATE + ERASURE_REQUEST_RATE) & (
            self.status[:count] != CANCELLED
        )
        rows = np.flatnonzero(requests)
        erases = draw[rows] < ERASURE_REQUEST_RATE
        # At the end of the day, after all other events of the member.
        seconds = rng.integers(85_000, 86_000, len(rows))
        days = np.full(len(rows), day)
        kinds = ["erase" if is_erasure else "export" for is_erasure in erases]
        erased = rows[erases]
        self.status[erased] = CANCELLED
        requested = AccountEvents(rows, days, seconds, kinds, rows * 0, rows < 0)
        cancelled = AccountEvents(
            erased,
            days[erases],
            seconds[erases] - 60,
            ["cancel"] * len(erased),
            self.plan[erased],
            erased < 0,
        )
        return requested, cancelled
