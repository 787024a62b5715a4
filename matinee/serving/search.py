"""Search by name, people, genres and themes that forgives typing errors: SQLite's trigram index."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from matinee.serving.release_view import ReleaseView

COLUMNS = ("name", "people", "genres", "themes")

CANDIDATES = 200

SHORTEST = 3
"""Letters of a trigram: shorter queries are looked for at the start of words."""

LEAST_SHARE = 0.35
"""Of a query's trigrams that a title must have."""

FIELD_WEIGHT = {"name": 1.0, "people": 0.8, "genres": 0.6, "themes": 0.6}

RANK_WEIGHT = 0.15
"""How much the member's own order counts beside the likeness of the text."""


@dataclass
class Search:
    """The index of one catalogue."""

    view: ReleaseView
    _database: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(
            f"create virtual table titles using fts5({', '.join(COLUMNS)}, tokenize = 'trigram')"
        )
        rows = [
            (number, folded(row["name"]), *(folded(" | ".join(row[name])) for name in COLUMNS[1:]))
            for number, row in enumerate(self.view.files.titles)
        ]
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        self._database.executemany(
            f"insert into titles(rowid, {', '.join(COLUMNS)}) values ({marks})", rows
        )

    def find(self, query: str, allowed: bytes, rank: Mapping[int, float], k: int) -> list[int]:
        """The titles most like a query, best first.

        Parameters
        ----------
        allowed : bytes
            One byte a title: 1 where it may be shown.
        rank : title -> 0 to 1
            The member's own order; 1 is the best.
        """
        text = folded(query)
        if not text:
            return []
        likeness = self._short(text) if len(text) < SHORTEST else self._long(text)
        scored = [
            (like + RANK_WEIGHT * rank.get(title, 0.0), title)
            for title, like in likeness.items()
            if allowed[title]
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        return [title for _, title in scored[:k]]

    def _long(self, text: str) -> dict[int, float]:
        own = trigrams(text)
        query = " OR ".join(f'"{part}"' for part in sorted(own) if '"' not in part)
        if not query:
            return {}
        rows = self._database.execute(
            f"select rowid, {', '.join(COLUMNS)} from titles where titles match ? "
            "order by bm25(titles, 10.0, 4.0, 2.0, 2.0) limit ?",
            (query, CANDIDATES),
        )
        found = {}
        for number, *fields in rows:
            best = max(
                FIELD_WEIGHT[name] * _likeness(text, own, part)
                for name, value in zip(COLUMNS, fields, strict=True)
                for part in value.split(" | ")
            )
            if best >= LEAST_SHARE:
                found[number] = best
        return found

    def _short(self, text: str) -> dict[int, float]:
        rows = self._database.execute("select rowid, name from titles").fetchall()
        starts = {number: name.split() for number, name in rows}
        return {
            number: 1.0 if words[:1] and words[0].startswith(text) else 0.6
            for number, words in starts.items()
            if any(word.startswith(text) for word in words)
        }


def folded(text: str) -> str:
    """Without accents and case, words apart by one space.

    >>> folded("  Amélie  (2001)")
    'amelie 2001'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(
        one if one.isalnum() or one == "|" else " "
        for one in plain
        if not unicodedata.combining(one)
    )
    return " ".join(kept.split())


def trigrams(text: str) -> set[str]:
    """All runs of three characters."""
    return {text[place : place + 3] for place in range(len(text) - 2)}


def _likeness(text: str, own: set[str], value: str) -> float:
    """Dice's coefficient of trigrams, of the best window of the value as long as the query."""
    if text in value:
        return 1.0 + 0.5 * len(text) / max(len(value), 1)
    theirs = trigrams(value)
    shared = len(own & theirs)
    window = min(len(theirs), len(own) + 2)
    return 2.0 * shared / max(1, len(own) + window)
