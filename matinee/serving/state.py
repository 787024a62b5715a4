"""What one process of the server holds, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from matinee import landing, transform
from matinee.landing.api import log_files
from matinee.landing.api.log_files import LogFiles
from matinee.recent_events import RecentEvents
from matinee.rights import consent
from matinee.sealed import Sealer
from matinee.serving.access import connections
from matinee.serving.clock import Clock
from matinee.serving.impressions import Impressions
from matinee.serving.intake import Intake
from matinee.serving.live import Live
from matinee.serving.members import Members
from matinee.serving.metrics import Metrics
from matinee.serving.pages import Pages
from matinee.serving.refusals import Refusals
from matinee.serving.search import Search
from matinee.settings import Settings

PAGE_KEY = "serving/page.key"

KEPT_FOR = timedelta(days=3)
"""How long events are remembered after a release that knows them."""


@dataclass(frozen=True)
class Options:
    """The options of `matinee serve`."""

    settings: Settings
    clock: Clock
    needs_token: bool
    requests_per_second: float = 0.0


@dataclass
class State:
    """The parts of the API."""

    options: Options
    live: Live
    refusals: Refusals
    recent: RecentEvents
    members: Members
    pages: Pages
    intake: Intake
    impressions: Impressions
    metrics: Metrics
    _search: Search | None = None

    @classmethod
    def of(cls, options: Options) -> State:
        """Open everything; the live release is verified."""
        settings = options.settings
        home = settings.home.resolve()
        consent.read(settings)  # its error is clearer at the start than in every answer
        live = Live(settings)
        live.start()
        recent = RecentEvents(home)
        members = Members(settings, refusals := Refusals(settings), recent)
        pages = Pages(members, live, Sealer.of(home / PAGE_KEY))
        view = live.current().view

        def runtime_of(title_id: str) -> int | None:
            now = live.current().view  # a later release has later titles
            number = now.title_numbers.get(title_id)
            return None if number is None else now.files.titles[number]["runtime_seconds"]

        now = options.clock.now()
        writer = f"{now:%Y%m%dt%H%M%Sz}-{os.getpid()}-{secrets.token_hex(3)}"
        log_files.adopt(home)
        recent.drop_before(int((view.as_of - KEPT_FOR).timestamp()))
        return cls(
            options=options,
            live=live,
            refusals=refusals,
            recent=recent,
            members=members,
            pages=pages,
            intake=Intake(
                contract=landing.load(settings.project),
                files=LogFiles(home, writer),
                recent=recent,
                writer=RecentEvents(home),
                dbt_vars=transform.project_vars(settings.project),
                runtime_of=runtime_of,
            ),
            impressions=Impressions(pages),
            metrics=Metrics(),
        )

    @property
    def search(self) -> Search:
        """The index of the current catalogue, made when it is first asked for."""
        view = self.live.current().view
        if self._search is None or self._search.view.files.titles != view.files.titles:
            self._search = Search(view)
        return self._search

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the live release and write events while the server runs."""
        tasks = [
            asyncio.create_task(self.live.follow()),
            asyncio.create_task(self.intake.run()),
            asyncio.create_task(connections.close_idle()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self.intake.close()
