"""Reads `policy.yml` of the project: what an operator wants on pages.

Each entry names titles by one of `title`, `genre`, `language` or `owner`, and may have `countries`,
`from` and `to`:

    pin: [{title: tt0133093, countries: [DE], from: 2026-02-01, to: 2026-02-14}]
    embargo: [{title: tt0068646, to: 2026-03-01}]
    bury: [{genre: Horror}]
    at_most: [{language: en, titles: 40}]
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from matinee.columns import TITLE_ID
from matinee.errors import ConfigError
from matinee.slates import ranking
from matinee.slates.operator_policy import Active, Rule, Wish, active
from matinee.vocabulary import Vocabulary

FILE = "policy.yml"

SELECTORS = {"title": TITLE_ID, "genre": "genres", "language": "language", "owner": "owner"}
"""What an entry may name titles by -> the column of titles."""

KEYS = {*SELECTORS, "countries", "from", "to"}

Entry = Mapping[str, Any]


def read(project: Path, titles: pa.Table) -> tuple[Rule, ...]:
    """The rules of a project; none without the file.

    Parameters
    ----------
    titles : columns title_id, genres, language, and owner where logs have it

    Raises
    ------
    ConfigError
        If an entry cannot be read, or names what no title has; the message names the entry.
    """
    rules = []
    for wish, entries in entries_of(project).items():
        for number, entry in enumerate(entries, start=1):
            rules.append(_rule(cast("Wish", wish), entry, titles, f"{FILE}: {wish} {number}"))
    return tuple(rules)


def entries_of(project: Path) -> dict[str, list[object]]:
    """The entries of the file by wish; a night reads it first, before anything else is done.

    Raises
    ------
    ConfigError
        If it is no YAML, or has other lists.
    """
    path = project / FILE
    if not path.exists():
        return {}
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{FILE} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or (unknown := sorted(set(document) - set(get_args(Wish)))):
        found = unknown[0] if isinstance(document, dict) else document
        raise ConfigError(
            f"{FILE}: {found!r} is none of {', '.join(get_args(Wish))}, the lists it may have"
        )
    for wish, entries in document.items():
        if not isinstance(entries, list):
            raise ConfigError(f"{FILE}: {wish} must be a list, got {entries!r}")
    return document


def _rule(wish: Wish, entry: object, titles: pa.Table, where: str) -> Rule:
    keys = KEYS | ({"titles"} if wish == "at_most" else set())
    if not isinstance(entry, dict) or (unknown := sorted(set(entry) - keys)):
        found = unknown[0] if isinstance(entry, dict) else entry
        raise ConfigError(f"{where}: {found!r} is none of {', '.join(sorted(keys))}")
    named = [one for one in SELECTORS if one in entry]
    if len(named) != 1:
        raise ConfigError(f"{where}: name titles by one of {', '.join(SELECTORS)}, got {named}")
    countries = entry.get("countries", [])
    if not isinstance(countries, list) or not all(isinstance(one, str) for one in countries):
        # YAML reads NO as a boolean.
        raise ConfigError(f"{where}: countries must be a list like ['DE', 'NO'], got {countries!r}")
    starts_on, ends_on = (_day(entry.get(name), f"{where}: {name}") for name in ("from", "to"))
    if starts_on and ends_on and starts_on > ends_on:
        raise ConfigError(f"{where}: from {starts_on} is after to {ends_on}")
    return Rule(
        wish=wish,
        titles=_titles(named[0], entry[named[0]], titles, where),
        countries=tuple(countries),
        starts_on=starts_on,
        ends_on=ends_on,
        most=_most(entry, where) if wish == "at_most" else 0,
    )


def _most(entry: Entry, where: str) -> int:
    most = entry.get("titles")
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        raise ConfigError(f"{where}: titles must be a whole number from 0 on, got {most!r}")
    return most


def _day(value: object, where: str) -> date | None:
    if value is None or (isinstance(value, date) and type(value) is date):
        return value
    raise ConfigError(f"{where} must be a day like 2026-02-14, got {value!r}")


def _titles(selector: str, value: object, titles: pa.Table, where: str) -> tuple[str, ...]:
    """The ids of the titles that an entry names."""
    column = SELECTORS[selector]
    ids: list[str] = titles[TITLE_ID].to_pylist()
    values = titles[column].to_pylist() if column in titles.column_names else [None] * len(ids)
    held = [set(one) if isinstance(one, list) else {one} for one in values]
    found = tuple(name for name, own in zip(ids, held, strict=True) if value in own)
    if not found:
        known = sorted({str(one) for own in held for one in own if one is not None})
        near = difflib.get_close_matches(str(value), known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{where}: no title has the {selector} {value!r}{hint}")
    return found


def applied(
    rules: Sequence[Rule],
    titles: Vocabulary,
    rows: NDArray[np.intp],
    countries: Sequence[str | None],
    seen: Sequence[set[int]],
    day: date,
) -> NDArray[np.intp]:
    """Lists with the rules in force on a day, to measure what they cost.

    Parameters
    ----------
    titles : Vocabulary
        Of the numbers in `rows`.
    rows : intp, shape (n_members, k)
    countries, seen : one a member
        Pinned titles that a member has seen are not pinned for them.

    Returns
    -------
    intp, shape (n_members, k)
    """
    number_of = {name: number for number, name in enumerate(titles.ids.to_pylist())}
    in_force: dict[str | None, Active] = {}
    result = np.full_like(rows, ranking.NONE)
    for row, country in enumerate(countries):
        if country not in in_force:
            in_force[country] = active(rules, lambda one: number_of.get(one, -1), country, day)
        own = [one for one in rows[row].tolist() if one != ranking.NONE]
        order = in_force[country].ordered(own, partial(_is_new, seen[row]))
        kept = order[: rows.shape[1]]
        result[row, : len(kept)] = kept
    return result


def _is_new(seen: set[int], title: int) -> bool:
    return title not in seen
