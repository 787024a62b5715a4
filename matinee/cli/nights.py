"""`matinee run`: one night, or one for each day of a range."""

from __future__ import annotations

from datetime import date

from matinee.cli.output import Format, progress, say
from matinee.errors import GateError
from matinee.settings import Settings


def run(
    settings: Settings,
    last_day: date | None,
    *,
    full_refresh: bool,
    form: Format,
    accepted: frozenset[str] = frozenset(),
    full_evaluation: bool = False,
) -> None:
    """Run one night and print its screen."""
    from matinee import pipeline
    from matinee.cli.screen import show

    night = pipeline.NightRun(
        settings,
        last_day=last_day,
        full_refresh=full_refresh,
        accepted=accepted,
        tell=print_lines,
        full_evaluation=full_evaluation,
    )
    with pipeline.recorded(night, tell=print_lines):
        published = pipeline.walk(night, progress)
    show(settings, published.release_id, form)
    published.raise_if_refused()


def backfill(
    settings: Settings, first: date, last: date | None, *, full_refresh: bool, form: Format
) -> None:
    """Run a night for each day from `first` to `last`; a refused release does not stop the rest."""
    from matinee import pipeline

    refused = []
    for last_day in pipeline.days(settings, first, last):
        say("")
        say(f"night of {last_day}")
        try:
            run(settings, last_day, full_refresh=full_refresh, form=form)
        except GateError as error:
            print_lines(str(error))
            refused.append(last_day.isoformat())
        full_refresh = False
    if refused:
        raise GateError(
            f"the gate refused the releases of {', '.join(refused)}: none of them is live"
        )


def print_lines(text: str) -> None:
    """Print each line to stderr, with control characters escaped."""
    for line in text.splitlines():
        say(f"  {line}")
