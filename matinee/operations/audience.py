"""The audience of a title: who would most likely watch it, and a file of whom to contact.

Numbers are of members who allow personalisation and insights. Ids leave only in a campaign file,
and only of those who allow marketing as well.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee import durable
from matinee.columns import TITLE_ID
from matinee.errors import ConfigError, RefusedError
from matinee.insights import audience
from matinee.insights.audience import Audience, Instant
from matinee.operations.market import UNKNOWN, Market
from matinee.releases import lookup
from matinee.settings import Settings

Row = dict[str, Any]

SHARE = 0.2
"""The share of members, those with the highest probability, that is the audience of a title."""

SEED = 1

NOTE = (
    "Probabilities to watch the title in the coming days, of members who have not. They say who "
    "would watch it by themselves, not what a campaign adds."
)

CAMPAIGN = ("member_id", "title_id", "purpose", "date", "release_id", "probability")


def title_audience(
    settings: Settings,
    title: str,
    *,
    release: str,
    share: float = SHARE,
    campaign: Path | None = None,
    purpose: str = "",
) -> Row:
    """Who would most likely watch a title, given by id or name.

    Parameters
    ----------
    share : float
        The share of members that counts as the audience; it is never a small cell.
    campaign : Path, optional
        A CSV file to write with the ids of the audience who allow marketing.
    purpose : str
        What the campaign is for; it is in every row.

    Returns
    -------
    dict
        `members`, a count; `segments`, `countries`: rows with `name` and `members`, small cells
        together; `calibration`: predicted and observed shares on held-out weeks; and more.

    Raises
    ------
    ConfigError
        If there is no such title, or a campaign has no purpose.
    RefusedError
        If fewer members than a small cell may be counted.
    DataError
        If there are too few viewings to learn from.
    """
    if campaign and not purpose.strip():
        raise ConfigError("a campaign file needs a purpose: say what the members are contacted for")
    market = Market.of(settings, release)
    title_id = lookup.find_title(market.release, title)
    place = market.titles[TITLE_ID].to_pylist().index(title_id)
    content = market.content()
    model = audience.fit(market.log, content, market.affinity, now=market.now, seed=SEED)
    instant = Instant.of(market.log, content, market.affinity, instant=market.now, days=model.days)
    chance = np.where(market.eligible(place), market.chance(model, instant, place), 0.0)
    is_cold = bool(instant.count[place] == 0)
    able = int((chance > 0).sum())
    if able < market.least_members:
        raise RefusedError(
            f"{able} members may be counted who may watch {title_id} and have not, and totals of "
            f"fewer than {market.least_members} are not shown: ask about another title"
        )
    chosen = _first(chance, max(int(np.ceil(share * able)), market.least_members))
    inside = np.zeros(len(chance), np.bool_)
    inside[chosen] = True
    kind = "cold" if is_cold and "cold" in model.held_out else "warm"
    expected = float(chance.sum())
    low, high = model.interval(expected, kind)
    found = {
        "title": lookup.display_title(market.release, title_id),
        TITLE_ID: title_id,
        "release_id": market.release.id,
        "as_of": market.release.manifest["as_of"],
        "days": round(model.days, 1),
        "is_cold": is_cold,
        "members": len(chosen),
        "probability": round(float(chance[chosen].mean()), 6),
        "probability_of_all": round(float(chance[market.permitted].mean()), 6),
        "expected_viewers": round(expected, 1),
        "expected_low": round(low, 1),
        "expected_high": round(min(high, float(able)), 1),
        "segments": _segments(market, inside),
        "countries": [
            {"name": name, "members": len(rows)}
            for name, rows in market.cells(market.labels("country"), inside).items()
        ],
        **_held_out(model, kind),
        "note": NOTE,
    }
    if campaign:
        rows = [row for row in chosen.tolist() if market.contactable[row]]
        _export(market, campaign, title_id, rows, chance, purpose.strip())
        found["campaign"] = {"file": str(campaign), "members": len(rows), "purpose": purpose}
    return found


def _first(chance: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The members with the highest probabilities, in order of their rows."""
    return np.sort(np.argsort(-chance, kind="stable")[:count])


def _segments(market: Market, inside: NDArray[np.bool_]) -> list[Row]:
    """The audience by segment, and when most of a segment's members watch."""
    labels, dayparts = market.segments, market.labels("daypart")
    everyone: dict[str, Counter[str]] = {}
    for row in np.flatnonzero(market.permitted).tolist():
        everyone.setdefault(labels[row], Counter())[dayparts[row]] += 1
    found = []
    for name, rows in market.cells(labels, inside).items():
        times = everyone.get(name, sum(everyone.values(), Counter()))
        known = {time: count for time, count in times.items() if time != UNKNOWN}
        best = max(known, key=lambda time: (known[time], time), default=None)
        is_enough = best is not None and known[best] >= market.least_members
        found.append({"name": name, "members": len(rows), "best_time": best if is_enough else None})
    return found


def _held_out(model: Audience, kind: str) -> Row:
    """Calibration and lift on the last weeks, which the evaluated model has not seen."""
    held = model.held_out[kind]
    bins = [
        {
            "pairs": one.cases,
            "predicted": round(one.predicted, 6),
            "observed": round(one.observed, 6),
            "low": round(one.low, 6),
            "high": round(one.high, 6),
        }
        for one in held.calibration
    ]
    facts = {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in asdict(held).items()
        if name != "calibration"
    }
    lift = {"lift": round(held.lift, 4) if np.isfinite(held.lift) else None}
    known = {name: value for name, value in facts.items() if value == value}  # no NaN
    about = {"titles_are": kind, "verdict": held.verdict, **known, **lift}
    return {"calibration": bins, "verdict": held.verdict, "held_out": about}


def _export(
    market: Market,
    file: Path,
    title_id: str,
    rows: list[int],
    chance: NDArray[np.float64],
    purpose: str,
) -> None:
    """Write the campaign file: whom, about what, what for, as of when."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CAMPAIGN)
    ids = market.members.ids.to_pylist()
    date = market.release.manifest["as_of"][:10]
    for row in sorted(rows, key=lambda one: (-chance[one], ids[one])):
        probability = f"{chance[row]:.6f}"
        writer.writerow([ids[row], title_id, purpose, date, market.release.id, probability])
    durable.replace(file, text.getvalue().encode(), mode=0o600)
