"""The whole night in one process, without Prefect: what `matinee run` calls."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import date, timedelta

from matinee import landing
from matinee.errors import ConfigError
from matinee.pipeline import (
    evaluation,
    frames,
    leasing,
    night,
    publishing,
    retention,
    scoring,
    stopping,
    training,
    trending,
    validating,
)
from matinee.settings import Settings

Reporter = Callable[[str], AbstractContextManager[night.Progress]]
"""Opened around each step with its name; gives the function that the step calls as it goes."""


def run(
    settings: Settings,
    *,
    last_day: date | None,
    full_refresh: bool,
    progress: Reporter,
    accepted: frozenset[str] = frozenset(),
    tell: Callable[[str], None] = lambda said: None,
) -> publishing.Published:
    """Run every step in order and publish; the same order as `flows/nightly.py`.

    `tell` is called with what somebody should read even if the night stops later.
    """
    with leasing.lease(settings, "night"):
        with progress("receive raw logs") as step:
            receipt = night.receive(settings, step, last_day=last_day, accepted=accepted, tell=tell)
        tonight = night.begin(settings, last_day, accepted=accepted)
        with progress("drop what is past its retention"):
            expired = retention.drop_expired(tonight)
        tell(expired.summary())
        with progress("build the warehouse (dbt)") as step:
            built = night.build(tonight, full_refresh=full_refresh, progress=step)
        with progress("validate (Great Expectations)") as step:
            validation = validating.validate(tonight, step)
            stopping.stop_if_broken(tonight, validation)
        with progress("refresh features (Feast)") as step:
            refreshed = night.refresh_features(tonight, step)
        if refreshed.skipped_because:
            tell(f"online features: {refreshed.skipped_because}")
        with progress("frame features at their instants"):
            framed = frames.frame(tonight)
            validation += validating.validate_frame(tonight)
            stopping.stop_if_broken(tonight, validation)
        with progress("fit models (LightFM)") as step:
            _fit_all(tonight, step)
        with progress("choose the trend's window and weight"):
            trending.choose_trend(tonight)
        with progress("judge against the siblings"):
            judged = evaluation.judge(tonight)
        with progress("score every member"):
            scored = scoring.score(tonight)
            validation += validating.validate_slates(tonight)
            stopping.stop_if_broken(tonight, validation)
        with progress("publish"):
            evidence = publishing.Evidence(
                receipt, expired, built, validation, refreshed, framed, judged, scored
            )
            return publishing.publish(tonight, evidence)


def days(settings: Settings, first: date, last: date | None = None) -> list[date]:
    """The nights of a backfill, in order; what landed meanwhile is received first.

    Raises
    ------
    ConfigError
        When the range is empty.
    """
    if last is None:
        with leasing.lease(settings, "backfill"):
            night.receive(settings, last_day=first)
        landing.require_history(settings.home.resolve())
        last = landing.landed_days(settings.home.resolve())[1]
    if last < first:
        raise ConfigError(f"--to {last} is before --from {first}")
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _fit_all(tonight: night.Night, step: night.Progress) -> None:
    """Fit the models side by side; LightFM releases the interpreter while it trains."""
    with ThreadPoolExecutor(tonight.settings.threads) as pool:
        fits = [pool.submit(training.fit, tonight, *wanted) for wanted in training.FITS]
        for done, (fitted, wanted) in enumerate(zip(fits, training.FITS, strict=True), start=1):
            fitted.result()
            step(done, len(fits), " ".join(wanted))
