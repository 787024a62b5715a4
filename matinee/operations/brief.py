"""A brief for a title that does not exist: its audience, titles alike, what it takes and adds."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError, RefusedError
from matinee.insights import audience, title_brief
from matinee.insights.attributes import narratives
from matinee.insights.audience import Audience, Instant, Log
from matinee.insights.cells import column_sums
from matinee.operations.audience import SEED
from matinee.operations.market import Market
from matinee.releases import lookup
from matinee.settings import Settings

Row = dict[str, Any]

LEAST_TITLES = 3
"""Watched titles that must have a genre, a theme or a language for a prediction by it."""

LEAST_ALIKE, ALIKE = 5, 0.3
"""So many watched titles must be at least so much alike."""

LISTED = 10

LEAST_OVERLAP = 1.1
"""From which a title counts as cannibalised: its viewers are a tenth more likely than others."""

NOTE = (
    "An association, not a cause: it says who watched titles like this one, not what making it "
    "would change. The interval covers what titles that were new in the held-out weeks showed."
)


@dataclass(frozen=True)
class Brief:
    """What a title would be."""

    genres: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    language: str | None = None
    runtime_minutes: int | None = None

    @property
    def title(self) -> Row:
        """As a row of the catalogue."""
        return {
            "genres": list(self.genres),
            "themes": list(self.themes),
            "directors": list(self.people),
            "actors": list(self.people),
            "language": self.language,
            "runtime_seconds": None if self.runtime_minutes is None else 60 * self.runtime_minutes,
        }


def brief(
    settings: Settings,
    *,
    genres: Sequence[str],
    themes: Sequence[str],
    people: Sequence[str],
    language: str,
    runtime: str,
    release: str,
) -> Row:
    """Predicted audience, look-alikes, cannibalised titles and gaps of a title to be made.

    Raises
    ------
    ConfigError
        If nothing is given, or a value is in no title: the nearest known one is named.
    RefusedError
        If the catalogue has too few watched titles like it; what is missing is named.
    DataError
        If there are too few viewings to learn from.
    """
    market = Market.of(settings, release)
    wanted = _known(market, genres, themes, people, language, runtime)
    refuse_unsupported(market, wanted)
    content = market.content([wanted.title])
    place = len(market.titles)
    log = Log(market.log.member, market.log.title, market.log.day, (len(market.members), place + 1))
    model = audience.fit(log, content, market.affinity, now=market.now, seed=SEED)
    instant = Instant.of(log, content, market.affinity, instant=market.now, days=model.days)
    chance = market.chance(model, instant, place)
    alike = title_brief.likeness(content, place)[:place]
    recent = _recent(market, model)
    first_genres = [(row or [None])[0] for row in market.titles["genres"].to_pylist()]
    tested = title_brief.back_test(model, content, [*first_genres, None])
    expected = float(chance.sum())
    low, high = model.interval(expected, "cold")
    return {
        **asdict(wanted),
        "release_id": market.release.id,
        "as_of": market.release.manifest["as_of"],
        "days": round(model.days, 1),
        "members": int(market.permitted.sum()),
        "expected_viewers": round(expected, 1),
        "expected_low": round(low, 1),
        "expected_high": round(min(high, float(market.permitted.sum())), 1),
        "segments": _expected(market, model, chance, market.segments),
        "countries": _expected(market, model, chance, market.labels("country")),
        "look_alikes": _look_alikes(market, alike, recent),
        "cannibalised": _cannibalised(market, alike, chance, recent),
        "gaps": _gaps(market, wanted),
        "back_test": None if tested is None else _rounded(asdict(tested)),
        "note": NOTE,
    }


def _known(
    market: Market,
    genres: Sequence[str],
    themes: Sequence[str],
    people: Sequence[str],
    language: str,
    runtime: str,
) -> Brief:
    """The values as the catalogue spells them."""
    titles = market.titles

    def values(*columns: str) -> list[str]:
        found: set[str] = set()
        for column in columns:
            entries = titles[column]
            if not str(entries.type).startswith(("string", "large_string")):
                entries = pc.list_flatten(entries)
            found |= {one for one in entries.to_pylist() if one}
        return sorted(found)

    known = {
        "genre": (genres, values("genres")),
        "theme": (themes, values("themes")),
        "person": (people, values("directors", "actors")),
        "language": ([language] if language else [], values("language")),
    }
    found = {
        name: tuple(_spelt(name, one, spellings) for one in given)
        for name, (given, spellings) in known.items()
    }
    minutes = _minutes(runtime)
    if not any(found.values()) and minutes is None:
        raise ConfigError(
            "a brief needs something to go by: give --genres, --themes, --people or --language"
        )
    return Brief(
        genres=found["genre"],
        themes=found["theme"],
        people=found["person"],
        language=(found["language"] or (None,))[0],
        runtime_minutes=minutes,
    )


def _spelt(kind: str, value: str, known: list[str]) -> str:
    """The known value that is meant."""
    by_case = {one.casefold(): one for one in known}
    if (found := by_case.get(value.casefold())) is not None:
        return found
    near = difflib.get_close_matches(value.casefold(), by_case, n=3, cutoff=0.0)
    hint = " or ".join(repr(by_case[one]) for one in near) or "none: the catalogue has no values"
    raise ConfigError(f"no title has the {kind} {value!r}: the nearest known are {hint}")


def _minutes(runtime: str) -> int | None:
    if not runtime:
        return None
    if not runtime.isdecimal() or not int(runtime):
        raise ConfigError(f"--runtime must be whole minutes such as 105, got {runtime!r}")
    return int(runtime)


def refuse_unsupported(market: Market, wanted: Brief) -> None:
    """Refuse a title unlike all that was watched.

    Raises
    ------
    RefusedError
        Naming everything that is missing.
    """
    titles = market.titles.to_pylist()
    watched = np.bincount(market.log.title, minlength=len(titles)) > 0
    missing = []
    for kind, given, column in (
        ("genre", wanted.genres, "genres"),
        ("theme", wanted.themes, "themes"),
        ("language", (wanted.language,) if wanted.language else (), "language"),
    ):
        for value in given:
            own = [one[column] or () for one in titles]
            has = [value == one or (kind != "language" and value in one) for one in own]
            count = int((np.array(has, np.bool_) & watched).sum())
            if count < LEAST_TITLES:
                missing.append(f"{count} watched titles have the {kind} {value}")
    runtimes = [
        one["runtime_seconds"]
        for one, is_watched in zip(titles, watched.tolist(), strict=True)
        if is_watched and one["runtime_seconds"]
    ]
    if wanted.runtime_minutes is not None and runtimes:
        shortest, longest = min(runtimes) // 60, max(runtimes) // 60
        if not shortest <= wanted.runtime_minutes <= longest:
            missing.append(
                f"watched titles take {shortest} to {longest} minutes, not {wanted.runtime_minutes}"
            )
    content = market.content([wanted.title])
    alike = title_brief.likeness(content, len(titles))[:-1]
    near = int(((alike >= ALIKE) & watched).sum())
    if near < LEAST_ALIKE:
        missing.append(f"{near} watched titles are like it, and {LEAST_ALIKE} are needed")
    if missing:
        raise RefusedError(
            f"the catalogue says too little about this title: {'; '.join(missing)}; "
            f"{LEAST_TITLES} titles of each value are needed: leave values out, or use others"
        )


def _recent(market: Market, model: Audience) -> sp.csr_array[np.float32]:
    """Who watched what in the newest days."""
    return market.log.matrix(market.log.day > market.now - model.days)


def _expected(
    market: Market, model: Audience, chance: NDArray[np.float64], labels: list[str]
) -> list[Row]:
    """Expected viewers of each group with enough members."""
    found = []
    for name, rows in market.cells(labels, market.permitted).items():
        expected = float(chance[rows].sum())
        low, high = model.interval(expected, "cold")
        row = {"name": name, "members": len(rows), "expected_viewers": round(expected, 1)}
        found.append(row | {"low": round(low, 1), "high": round(min(high, len(rows)), 1)})
    return found


def _look_alikes(
    market: Market, alike: NDArray[np.float64], recent: sp.csr_array[np.float32]
) -> list[Row]:
    """The watched titles most like it, and how many watched them; null for too few."""
    everyone = np.bincount(market.log.title, minlength=len(alike))
    viewers = column_sums(recent)
    order = [
        one
        for one in np.argsort(-alike, kind="stable").tolist()
        if everyone[one] and alike[one] > 0
    ]
    least = market.least_members
    return [
        _title(market, one)
        | {
            "likeness": round(float(alike[one]), 4),
            "viewers": int(everyone[one]) if everyone[one] >= least else None,
            "recent_viewers": int(viewers[one]) if viewers[one] >= least else None,
        }
        for one in order[:LISTED]
    ]


def _cannibalised(
    market: Market,
    alike: NDArray[np.float64],
    chance: NDArray[np.float64],
    recent: sp.csr_array[np.float32],
) -> list[Row]:
    """Titles alike whose viewers of late are also the likely viewers of the new one."""
    viewers = column_sums(recent)
    shared = title_brief.overlap(chance, recent, market.permitted)
    taken = np.where(
        (viewers >= market.least_members) & (alike >= ALIKE) & (shared >= LEAST_OVERLAP),
        viewers * (shared - 1) * alike,
        0.0,
    )
    order = [one for one in np.argsort(-taken, kind="stable").tolist() if taken[one] > 0]
    return [
        _title(market, one)
        | {
            "recent_viewers": int(viewers[one]),
            "overlap": round(float(shared[one]), 4),
            "likeness": round(float(alike[one]), 4),
        }
        for one in order[:LISTED]
    ]


def _gaps(market: Market, wanted: Brief) -> list[Row]:
    """Its attributes that are watched more than their share of the catalogue, by the night."""
    if not (market.release.path / "insights/demand.parquet").is_file():
        return []
    values: dict[str, set[str]] = {
        "genre": set(wanted.genres),
        "theme": set(wanted.themes),
        "person": set(wanted.people),
        "language": {wanted.language} if wanted.language else set(),
        "narrative": set(narratives([wanted.themes])[0]),
    }
    rows = market.release.table("insights/demand.parquet").to_pylist()
    found = [
        {
            "attribute": row["family"],
            "value": row["value"],
            "demand": round(row["demand"], 4),
            "low": round(row["low"], 4),
            "high": round(row["high"], 4),
            "title_count": row["title_count"],
        }
        for row in rows
        if row["country"] == "all"
        and row["value"] in values.get(row["family"], ())
        and row["low"] is not None
        and row["low"] > 1
    ]
    return sorted(found, key=lambda row: (-row["demand"], row["attribute"], row["value"]))


def _title(market: Market, place: int) -> Row:
    title_id = market.titles["title_id"][place].as_py()
    return {"title": lookup.display_title(market.release, title_id), "title_id": title_id}


def _rounded(row: Row) -> Row:
    return {name: round(one, 4) if isinstance(one, float) else one for name, one in row.items()}
