"""One night: what is fixed when it starts, and the steps from raw logs to features.

Each step is a plain function that takes the night, does one thing, and returns small facts.
`flows/nightly.py` and `pipeline.run` put them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from matinee import features, landing, transform, warehouse
from matinee.errors import ConfigError, IntegrityError
from matinee.pipeline import consenting, forgetting, logs, reissuing
from matinee.settings import Settings

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what) while long work goes on."""


@dataclass(frozen=True)
class Night:
    """What every step of one night agrees on.

    `as_of` is the instant at the end of the last day that counts: an event counts when it was
    received before it.
    `started_at` is the only time that comes from a clock.
    """

    settings: Settings
    as_of: datetime
    started_at: datetime
    accepted: frozenset[str] = frozenset()
    """What an operator has looked at and accepted, of `volume` and `erasures`."""

    @property
    def home(self) -> Path:
        return self.settings.home.resolve()

    @property
    def last_day(self) -> date:
        return (self.as_of - timedelta(days=1)).date()

    def work(self, name: str) -> Path:
        """A folder for what one step leaves to the next; emptied by `begin`."""
        return self.settings.folder("work") / name


@dataclass(frozen=True)
class Refreshed:
    """What models and pages may ask for, and whether pages get the answer models got."""

    registered: features.Registered
    compared: int
    """Values of a sample of members and titles that were the same online and offline."""
    skipped_because: str | None
    """Why the online store was left alone and nothing compared, if so."""


def receive(
    settings: Settings,
    progress: Progress | None = None,
    *,
    last_day: date | None = None,
    accepted: frozenset[str] = frozenset(),
    withdraw: Collection[str] = (),
    tell: Callable[[str], None] = lambda said: None,
) -> landing.Receipt:
    """Hash, check and type every new landing file, then do what members asked for in them.

    `last_day` is that of the night if somebody named it: files of that day are no mistake.
    Received files that `withdraw` names are taken back first. `tell` is called with what was found,
    before anything else can stop.
    """
    home = settings.home.resolve()
    if landing.pseudonyms.is_wanted(home):
        landing.pseudonyms.pseudonymise(home, landing.load(settings.project))
    receipt = landing.receive(
        home=home,
        contract=landing.load(settings.project),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        progress=progress,
        accept_erasures="erasures" in accepted,
        today=datetime.now(UTC).date(),
        last_day=last_day,
        withdraw=withdraw,
    )
    tell(receipt.summary())
    forgetting.take_requests(settings, progress)
    consenting.refresh(settings)
    reissuing.redraw(settings, by="receive")
    return receipt


def begin(
    settings: Settings, last_day: date | None = None, *, accepted: frozenset[str] = frozenset()
) -> Night:
    """Fix the instant of the night: the end of `last_day`, by default of the newest landed day.

    Raises
    ------
    DataError
        If no catalogue, or no play and no rating, was ever received.
    ConfigError
        If that day has not begun yet (features of the future would be served for ever), or is
        nowhere near the days that have landed.
    """
    started_at = datetime.now(UTC)
    landing.require_history(settings.home.resolve())
    first, newest = landing.landed_days(settings.home.resolve())
    last_day = last_day or newest
    if last_day > started_at.date():
        raise ConfigError(
            f"the night's last day is {last_day} and today is {started_at:%Y-%m-%d} (UTC): a dt "
            f"folder is named wrongly, or --as-of is; a night needs a day that has begun"
        )
    if not first <= last_day <= newest + timedelta(days=settings.lateness_days):
        raise ConfigError(
            f"the night's last day is {last_day} and logs have landed from {first} to {newest}: "
            f"choose a day of these, or land the logs of that one"
        )
    return Night(
        settings=settings,
        as_of=datetime.combine(last_day + timedelta(days=1), time(), tzinfo=UTC),
        started_at=started_at,
        accepted=accepted,
    )


def build(
    night: Night, *, full_refresh: bool = False, progress: Progress | None = None
) -> transform.Built:
    """Build and test the warehouse with dbt, then export the feature tables for Feast.

    Raises
    ------
    IntegrityError
        When rows received are not staged + rejected + exact repeats.
    RefusedError
        When a dbt test fails, or a stream's rejected rows are over their budget.
    """
    settings = night.settings
    stale = [night.home / mark for mark in (forgetting.STALE, landing.withdrawals.MARK)]
    try:
        built = transform.build(
            project=settings.project,
            home=night.home,
            as_of=night.as_of,
            threads=settings.threads,
            memory_limit=settings.memory_limit,
            vars={
                "consent_without_record": settings.consent_without_record,
                "lateness_days": settings.lateness_days,
            },
            full_refresh=full_refresh or any(mark.exists() for mark in stale),
            progress=progress,
        )
    except IntegrityError:
        logs.reconcile(night.home)  # dbt names its test, this the stream and the file
        raise
    logs.reconcile(night.home)
    logs.hold_to_budget(
        night.home,
        settings.project,
        last_day=night.last_day,
        days=settings.lateness_days + 1,
    )
    warehouse.export_features(night.home)
    for mark in stale:
        mark.unlink(missing_ok=True)
    return built


def refresh_features(night: Night, progress: Progress | None = None) -> Refreshed:
    """Apply the feature repository, bring the online store up to `as_of`, and compare the two.

    Raises
    ------
    IntegrityError
        When what is online is not what history says was known at `as_of`.
    """
    home, project = night.home, night.settings.project
    registered = features.apply(home=home, project=project)
    materialised = features.materialise(
        home=home,
        project=project,
        as_of=night.as_of,
        lateness_days=night.settings.lateness_days,
        progress=progress,
    )
    compared = 0
    if materialised.skipped_because is None:
        compared = features.assert_online_equals_offline(
            home=home, project=project, as_of=night.as_of
        )
    return Refreshed(registered, compared, materialised.skipped_because)


def docs(settings: Settings) -> Path:
    """The dbt documentation site of the project."""
    return transform.docs(
        project=settings.project,
        home=settings.home.resolve(),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
