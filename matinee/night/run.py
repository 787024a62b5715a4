"""The steps of a night in their order, and the whole night in one process.

`matinee run` and the Prefect flows walk the same list of steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from matinee import landing, releases, transform, validation
from matinee.errors import ConfigError
from matinee.night.build import build
from matinee.night.combine import Chosen, combine
from matinee.night.evaluate import Evaluation, carried, evaluate
from matinee.night.expire import drop_expired
from matinee.night.features import Refreshed, refresh_features
from matinee.night.fit import FITS, fit
from matinee.night.forward.decide import Plan, decide
from matinee.night.frame import PUBLISHED, Framed, HeldOut, frame, hold_out
from matinee.night.insights import carry
from matinee.night.insights.step import Insights, insights
from matinee.night.lease import lease
from matinee.night.manifest import Evidence
from matinee.night.night import Night, begin
from matinee.night.policy import operator_policy
from matinee.night.publish import Published, publish
from matinee.night.receive import receive
from matinee.night.score import Scored, score
from matinee.night.validate import stop_on_breach, validate, validate_frame, validate_slates
from matinee.progress import Progress
from matinee.settings import Settings

Reporter = Callable[[str], AbstractContextManager[Progress]]
"""Opened around each step with its title; gives the function that the step calls as it goes."""


@dataclass
class NightRun:
    """One run: its options, and the result of each step so far."""

    settings: Settings
    last_day: date | None = None
    accepted: frozenset[str] = frozenset()
    full_refresh: bool = False
    tell: Callable[[str], None] = lambda note: None
    """Called with what was received before anything else can stop the night."""
    published_histograms: tuple[str, Mapping[str, Any]] | None = None
    """As of `Night`."""

    full_evaluation: bool = False
    """Whether models are evaluated in full although the release before need not be doubted."""

    pinned: releases.Release | None = None
    """The release whose weights a rebuild keeps, as its night did."""

    before_step: Callable[[str], None] = lambda name: None
    """Called with the name of each step before it runs."""

    durations: dict[str, float] = field(default_factory=dict)
    """Step -> seconds, of each step that ran."""

    pinned_insights: carry.Plan | None = None
    """Where a rebuild takes the weekly results from, as its night did."""

    night: Night = field(init=False)
    receipt: landing.Receipt = field(init=False)
    expired: landing.Expired = field(init=False)
    built: transform.Built = field(init=False)
    validation: validation.Validation = field(init=False)
    refreshed: Refreshed = field(init=False)
    framed: Framed = field(init=False)
    plan: Plan = field(init=False)
    held_out: HeldOut | None = field(init=False, default=None)
    evaluation: Evaluation = field(init=False)
    scored: Scored = field(init=False)
    insights: Insights = field(init=False)
    published: Published = field(init=False)


@dataclass(frozen=True)
class Step:
    """One step of a night."""

    name: str
    """The name of its Prefect task."""

    title: str
    """What it does, for a progress display."""

    call: Callable[[NightRun, Progress | None], str]
    """Runs it, and returns a note for the operator or ''; shown even if a later step fails."""

    def run(self, started: NightRun, progress: Progress | None) -> str:
        """Call it, and look at the lease before, after, and whenever it reports progress.

        Raises
        ------
        BusyError
            If the home was replaced or taken by another process.
        """
        home = started.settings.home.resolve()

        def advance(done: int, total: int, what: str) -> None:
            releases.fence(home)
            if progress:
                progress(done, total, what)

        releases.fence(home)
        started.before_step(self.name)
        began = time.monotonic()
        try:
            note = self.call(started, advance)
        finally:
            started.durations[self.name] = round(time.monotonic() - began, 3)
        releases.fence(home)
        return note


def _receive(run: NightRun, progress: Progress | None) -> str:
    operator_policy.entries_of(run.settings.project)  # before hours of work, not after them
    run.receipt = receive(
        run.settings, progress, last_day=run.last_day, accepted=run.accepted, tell=run.tell
    )
    night = begin(run.settings, run.last_day, accepted=run.accepted)
    run.night = replace(night, published_histograms=run.published_histograms)
    return ""


def _drop_expired(run: NightRun, progress: Progress | None) -> str:
    run.expired = drop_expired(run.night)
    return run.expired.summary() if run.expired.streams else ""


def _build(run: NightRun, progress: Progress | None) -> str:
    run.built = build(run.night, full_refresh=run.full_refresh, progress=progress)
    return run.built.note


def _validate(run: NightRun, progress: Progress | None) -> str:
    run.validation = validate(run.night, progress)
    stop_on_breach(run.night, run.validation)
    return ""


def _refresh_features(run: NightRun, progress: Progress | None) -> str:
    run.refreshed = refresh_features(run.night, progress)
    skipped = run.refreshed.skipped_because
    return f"online features: {skipped}" if skipped else ""


def _frame(run: NightRun, progress: Progress | None) -> str:
    run.framed = frame(run.night)
    run.validation += validate_frame(run.night)
    stop_on_breach(run.night, run.validation)
    run.plan = decide(run.night, run.built, full_evaluation=run.full_evaluation, pinned=run.pinned)
    if run.plan.is_full:
        run.held_out = hold_out(run.night)
    return run.plan.note


def _fit(run: NightRun, progress: Progress | None) -> str:
    """Fit the frames side by side; LightFM releases the interpreter while it trains."""
    names = FITS if run.plan.is_full else (PUBLISHED,)
    with ThreadPoolExecutor(run.settings.threads) as pool:
        fits = [pool.submit(fit, run.night, name) for name in names]
        for done, (fitted, name) in enumerate(zip(fits, names, strict=True), start=1):
            fitted.result()
            if progress:
                progress(done, len(fits), name)
    return ""


def _combine(run: NightRun, progress: Progress | None) -> str:
    if run.plan.carried is None:
        combine(run.night)
    else:
        Chosen.read(run.plan.carried.path).write(run.night.work(""))
    return ""


def _evaluate(run: NightRun, progress: Progress | None) -> str:
    plan = run.plan
    if plan.carried is None:
        run.evaluation = evaluate(run.night)
    else:
        run.evaluation = carried(run.night, plan.carried, plan.test.verdicts if plan.test else ())
    return ""


def _score(run: NightRun, progress: Progress | None) -> str:
    run.scored = score(run.night, progress, coverage_floors=run.plan.coverage_floors)
    run.validation += validate_slates(run.night)
    stop_on_breach(run.night, run.validation)
    return ""


def _insights(run: NightRun, progress: Progress | None) -> str:
    run.insights = insights(run.night, verified=run.plan.carried, pinned=run.pinned_insights)
    return run.insights.note


def _publish(run: NightRun, progress: Progress | None) -> str:
    evidence = Evidence(
        run.receipt,
        run.expired,
        run.built,
        run.validation,
        run.refreshed,
        run.framed,
        run.plan,
        run.held_out,
        run.evaluation,
        run.scored,
        run.insights,
    )
    run.published = publish(run.night, evidence)
    return run.published.note


REFRESH_STEPS = (
    Step("receive", "receive raw logs", _receive),
    Step("drop-expired", "drop rows past their retention", _drop_expired),
    Step("build-warehouse", "build the warehouse (dbt)", _build),
    Step("validate", "validate (Great Expectations)", _validate),
    Step("refresh-features", "refresh features (Feast)", _refresh_features),
)
"""What the hourly refresh of online features does, and how every night begins."""

STEPS = (
    *REFRESH_STEPS,
    Step("frame", "build the training frames", _frame),
    Step("fit", "fit models (LightFM)", _fit),
    Step("combine", "choose the weights of the combination", _combine),
    Step("evaluate", "evaluate beside baselines", _evaluate),
    Step("score", "score every member", _score),
    Step("insights", "insights for marketing and content", _insights),
    Step("publish", "publish", _publish),
)
"""The whole night."""


def run(
    settings: Settings,
    *,
    last_day: date | None,
    full_refresh: bool,
    progress: Reporter,
    accepted: frozenset[str] = frozenset(),
    tell: Callable[[str], None] = lambda note: None,
    published_histograms: tuple[str, Mapping[str, Any]] | None = None,
    full_evaluation: bool = False,
    pinned: releases.Release | None = None,
    pinned_insights: carry.Plan | None = None,
) -> Published:
    """Run every step in order and publish.

    `tell` is called with each step's note for the operator, even if a later step fails.
    `published_histograms` are as of `Night`.
    """
    started = NightRun(
        settings,
        last_day=last_day,
        accepted=accepted,
        full_refresh=full_refresh,
        tell=tell,
        published_histograms=published_histograms,
        full_evaluation=full_evaluation,
        pinned=pinned,
        pinned_insights=pinned_insights,
    )
    with lease(settings, "night"):
        return walk(started, progress)


def walk(started: NightRun, progress: Reporter) -> Published:
    """Run every step in order; the caller holds the home. Notes of steps go to `started.tell`."""
    for step in STEPS:
        with progress(step.title) as advance:
            note = step.run(started, advance)
        if note:
            started.tell(note)
    return started.published


def days(settings: Settings, first: date, last: date | None = None) -> list[date]:
    """The nights of a backfill, in order; what landed meanwhile is received first.

    Raises
    ------
    ConfigError
        When the range is empty.
    """
    if last is None:
        with lease(settings, "backfill"):
            receive(settings, last_day=first)
        landing.require_history(settings.home.resolve())
        last = landing.landed_days(settings.home.resolve())[1]
    if last < first:
        raise ConfigError(f"--to {last} is before --from {first}")
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
