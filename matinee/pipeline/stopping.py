"""What is left of a night that its data stops: no release, but all that was found, for people."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from matinee import report, validation
from matinee.errors import ExpectationError
from matinee.pipeline import validating
from matinee.pipeline.night import Night


def stop_if_broken(night: Night, found: validation.Validation) -> None:
    """Stop the night on a breach that nobody has accepted, and leave a page of all that was found.

    Raises
    ------
    ExpectationError
        Says the first breach, what to do, and where the page is.
    """
    try:
        found.raise_if_stopped()
    except ExpectationError as error:
        raise ExpectationError(f"{error}. All that was found is in {_left(night, found)}") from None


def _left(night: Night, found: validation.Validation) -> Path:
    """The page of the night that was stopped last; what it says is kept for pages to come."""
    folder = night.settings.folder("reports")
    results = validating.results(found)
    page = report.stopped(
        results,
        day=str(night.last_day),
        as_of=night.as_of,
        nights=validating.history(night),
        drift=found.drift_verdict,
    )
    kept = {"as_of": night.as_of, "created_at": night.started_at, "results": results}
    text = json.dumps(kept, default=datetime.isoformat)
    (folder / f"{validating.STOPPED}-{night.last_day}.json").write_text(text, encoding="utf-8")
    path = folder / f"{validating.STOPPED}.html"
    path.write_text(page, encoding="utf-8")
    return path
