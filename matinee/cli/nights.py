"""What `matinee run` does: one night, or one after the other for each day of a range."""

from __future__ import annotations

from datetime import date

from matinee.cli.output import Format, progress, shown, talk
from matinee.errors import GateError
from matinee.settings import Settings


def run(
    settings: Settings,
    last_day: date | None,
    *,
    full_refresh: bool,
    form: Format,
    accepted: frozenset[str] = frozenset(),
) -> None:
    """One night, with the screen at its end."""
    from matinee import pipeline
    from matinee.cli.screen import show

    published = pipeline.run(
        settings,
        last_day=last_day,
        full_refresh=full_refresh,
        progress=progress,
        accepted=accepted,
        tell=tell,
    )
    show(settings, published.release_id, form)
    published.raise_if_refused()


def backfill(
    settings: Settings, first: date, last: date | None, *, full_refresh: bool, form: Format
) -> None:
    """A night for each day from `first` to `last`; a release that its gate refuses stops none."""
    from matinee import pipeline

    refused = []
    for last_day in pipeline.days(settings, first, last):
        talk.print(f"\nnight of {last_day}")
        try:
            run(settings, last_day, full_refresh=full_refresh, form=form)
        except GateError as error:
            tell(str(error))
            refused.append(last_day.isoformat())
        full_refresh = False
    if refused:
        raise GateError(f"the releases of {', '.join(refused)} are refused: live is none of them")


def tell(said: str) -> None:
    """Lines for people, with nothing in them that a terminal would obey."""
    for line in said.splitlines():
        talk.print(f"  {shown(line)}", markup=False, soft_wrap=True)
