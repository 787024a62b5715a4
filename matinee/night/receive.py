"""Receives new landing files, then carries out the member requests in them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

from matinee import landing, releases
from matinee.landing.api import log_files
from matinee.progress import Progress
from matinee.rights import consent, erase, reissue, statement
from matinee.settings import Settings


def receive(
    settings: Settings,
    progress: Progress | None = None,
    *,
    last_day: date | None = None,
    accepted: frozenset[str] = frozenset(),
    withdraw: Collection[str] = (),
    tell: Callable[[str], None] = lambda said: None,
) -> landing.Receipt:
    """Hash, check and type every new landing file, then carry out the member requests in them.

    `last_day` is that of the night if the operator gave it: files of that day are then expected.
    Received files that `withdraw` names are taken back first. `tell` is called with what was found,
    before anything else can stop.
    """
    home = settings.home.resolve()
    releases.fence(home)
    log_files.adopt(home)  # of a server that was killed: what it acknowledged is received too
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
        most_unknown=settings.unknown_requests,
        is_known=lambda member_id: statement.is_published(settings, member_id),
    )
    tell(receipt.summary())
    releases.fence(home)
    consent.refresh(settings)
    unsettled = {entry.file for entry in receipt.set_aside}
    erase.erase_requested(settings, progress, unsettled=unsettled)
    reissue.reissue_pages(settings, by="receive")
    return receipt
