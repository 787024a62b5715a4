"""`insights/segments.parquet` and the segment of each member: audiences by what they watch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, OBSERVED_AT, TITLE_ID
from matinee.insights import segments
from matinee.insights.cells import column_sums
from matinee.insights.segments import Clustering, Labels
from matinee.models.fits import one_thread
from matinee.night.insights.inputs import Inputs
from matinee.night.insights.result import Result
from matinee.vocabulary import Vocabulary

TABLE, MEMBERS = "insights/segments", "insights/segment_members"

LEAST_TITLES = 3
"""Titles that a member must have watched: fewer say nothing about a taste."""

DISTINCTIVE = 2.0
"""The least z-score of a term in the name of a segment."""

LISTED = 5
"""Terms of each family, and titles, that describe a segment."""

NAMED = 3
"""Terms in a name; one of them may be a person."""

FAMILIES = {"genre": "genres", "theme": "themes", "person": "people"}

WATCHED = """
    select signals.member_id, signals.title_id
    from member_title_signals as signals
    inner join members using (member_id)
    where
        signals.observed_at <= $as_of
        and members.may_personalise
        and members.may_use_for_insights
        and not members.is_closed
    group by all
    having bool_or(signals.is_seen) and sum(signals.signal_milli) > 0
    order by all
"""

SCHEMA = pa.schema(
    [
        ("segment", pa.int64()),
        ("name", pa.string()),
        ("member_count", pa.int64()),
        ("member_ratio", pa.float64()),
        ("watched_ratio", pa.float64()),
        ("genres", pa.list_(pa.string())),
        ("themes", pa.list_(pa.string())),
        ("people", pa.list_(pa.string())),
        ("titles", pa.list_(pa.string())),
        ("kept_ratio", pa.float64()),
        ("name_before", pa.string()),
    ]
)
"""`watched_ratio`: of the titles that all segments watched. `kept_ratio`: of its members before who
are in a segment now, those who stayed; null for a new segment."""


@dataclass(frozen=True)
class Audience:
    """The members who may be in a segment, and what they watched."""

    members: Vocabulary
    watched: sp.csr_array[np.float64]
    """float64 CSR, shape (n_members, n_titles)."""

    @classmethod
    def of(cls, inputs: Inputs) -> Audience:
        """Open accounts that allow personalisation and insights, with enough titles."""
        pairs = inputs.query(WATCHED, as_of=inputs.night.as_of.replace(tzinfo=None))
        every = Vocabulary.from_ids(pairs[MEMBER_ID])
        row, title = every.rows(pairs[MEMBER_ID]), inputs.title_rows.rows(pairs[TITLE_ID])
        shape = len(every), len(inputs.title_rows)
        watched = sp.coo_array((np.ones(len(row)), (row, title)), shape=shape).tocsr()
        kept = np.flatnonzero(np.diff(watched.indptr) >= LEAST_TITLES)
        return cls(Vocabulary(every.take(kept)), watched[kept])


def compute(inputs: Inputs) -> Result:
    """Segments of tonight, matched with those before."""
    one_thread()
    audience = Audience.of(inputs)
    smallest = inputs.rule.minimum
    if len(audience.members) < 2 * smallest:
        found = Clustering(np.full(len(audience.members), -1, np.intp), {})
    else:
        points = segments.profiles(audience.watched, _blocks(inputs))
        found = segments.cluster(points, smallest=smallest, seed=inputs.night.settings.seed)
    before, names_before = _before(inputs, audience.members)
    matched = segments.match(found.labels, before)
    numbers = _numbers(matched, names_before)
    rows = [
        {**row, "segment": int(numbers[place])}
        | _stayed(place, int(matched[place]), found.labels, before, names_before)
        for place, row in enumerate(_described(inputs, audience, found))
    ]
    order = np.argsort(numbers, kind="stable")
    table = pa.Table.from_pylist([rows[place] for place in order], schema=SCHEMA)
    both = (before >= 0) & (found.labels >= 0)
    facts = {
        "members": len(audience.members) if found.k else 0,
        "stability": {str(k): round(score, 4) for k, score in found.stability.items()},
        "changed_ratio": _changed(numbers, found.labels, before) if both.any() else None,
    }
    return Result({TABLE: table, MEMBERS: _members(inputs, audience, found, numbers)}, facts)


def _blocks(inputs: Inputs) -> list[NDArray[np.float64]]:
    """What describes titles: the model's vectors without their bias, and genres and themes.

    The vectors are of titles and not of members: a member's vector holds country, plan and
    language too, and a segment must rest on what is watched alone.
    """
    rows = inputs.vectors.titles.rows(inputs.titles[TITLE_ID])
    vectors = inputs.vectors.values[np.maximum(rows, 0), :-1].astype(np.float64)
    vectors[rows < 0] = 0.0
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    attributes = inputs.attributes
    columns = np.concatenate([attributes.of_family("genre"), attributes.of_family("theme")])
    content = attributes.matrix[:, columns].toarray()
    total = content.sum(axis=1, keepdims=True)
    return [
        np.divide(block, scale, out=np.zeros_like(block), where=scale > 0)
        for block, scale in ((vectors, length), (content, total))
    ]


def _before(inputs: Inputs, members: Vocabulary) -> tuple[Labels, dict[int, str]]:
    """The segment before of each member (-1 for none), and the names of all before."""
    path = inputs.previous
    if path is None or not (path / f"{MEMBERS}.parquet").is_file():
        return np.full(len(members), -1, np.intp), {}
    table = pq.read_table(path / f"{MEMBERS}.parquet")
    rows = members.rows(table[MEMBER_ID])
    before = np.full(len(members), -1, np.intp)
    before[rows[rows >= 0]] = table["segment"].to_numpy()[rows >= 0]
    names = pq.read_table(path / f"{TABLE}.parquet", columns=["segment", "name"]).to_pylist()
    return before, {row["segment"]: row["name"] for row in names}


def _numbers(matched: Labels, names_before: dict[int, str]) -> Labels:
    """The number of each segment: that before, or the next free one. Numbers begin at 1."""
    numbers = matched.copy()
    free = max([0, *names_before]) + 1
    for place in np.flatnonzero(matched < 0):
        numbers[place], free = free, free + 1
    return numbers


def _stayed(
    place: int, matched: int, labels: Labels, before: Labels, names: dict[int, str]
) -> dict[str, Any]:
    if matched < 0:
        return {"kept_ratio": None, "name_before": None}
    were = (before == matched) & (labels >= 0)
    kept = float((labels[were] == place).mean()) if were.any() else None
    return {"kept_ratio": kept, "name_before": names.get(matched)}


def _changed(numbers: Labels, labels: Labels, before: Labels) -> float:
    """The share of members in a segment before and now whose segment is another."""
    both = (before >= 0) & (labels >= 0)
    return float((numbers[labels[both]] != before[both]).mean())


def _members(inputs: Inputs, audience: Audience, found: Clustering, numbers: Labels) -> pa.Table:
    inside = np.flatnonzero(found.labels >= 0)
    instant = inputs.night.as_of.replace(tzinfo=None)
    return pa.table(
        {
            MEMBER_ID: audience.members.take(inside),
            "segment": pa.array(numbers[found.labels[inside]], pa.int64()),
            OBSERVED_AT: pa.array([instant] * len(inside), pa.timestamp("us")),
        }
    )


def _described(inputs: Inputs, audience: Audience, found: Clustering) -> Iterator[dict[str, Any]]:
    """What sets each segment apart, by its place among the labels."""
    attributes = inputs.attributes
    names: list[str] = []
    inside = found.labels >= 0
    everywhere = column_sums(audience.watched[inside] @ attributes.matrix)
    of_titles = column_sums(audience.watched[inside])
    labels = np.array(inputs.titles["name"].to_pylist(), object)
    for place in range(found.k):
        watched = audience.watched[found.labels == place].tocsr()
        cells = (watched @ attributes.matrix).tocsr()
        scores = np.where(inputs.rule.allows(cells), 0.0, -np.inf)
        for family in FAMILIES:
            columns = attributes.of_family(family)
            counts = column_sums(cells)[columns]
            scores[columns] += segments.log_odds(counts, everywhere[columns])
        shown = inputs.rule.allows(watched)
        favourites = segments.log_odds(column_sums(watched), of_titles)
        best = _best(np.where(shown, favourites, -np.inf))
        names.append(_name(attributes.families, attributes.values, scores, names))
        yield {
            "name": names[-1],
            "member_count": watched.shape[0],
            "member_ratio": watched.shape[0] / inside.sum(),
            "watched_ratio": float(watched.sum() / of_titles.sum()),
            "titles": labels[best].tolist(),
        } | {
            plural: [attributes.values[columns[one]] for one in _best(scores[columns])]
            for family, plural in FAMILIES.items()
            for columns in (attributes.of_family(family),)
        }


def _best(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """The places of the most distinctive, at most `LISTED`."""
    order = np.argsort(-scores, kind="stable")[:LISTED]
    return order[scores[order] >= DISTINCTIVE]


def _name(
    families: tuple[str, ...],
    values: tuple[str, ...],
    scores: NDArray[np.float64],
    taken: list[str],
) -> str:
    """The most distinctive terms, with as many more as make the name different from the others."""
    named = np.isin(families, list(FAMILIES))
    order = np.argsort(-np.where(named, scores, -np.inf), kind="stable")
    terms: list[str] = []
    has_person = False
    for column in order[: 4 * NAMED].tolist():
        if scores[column] < DISTINCTIVE:
            break
        if families[column] == "person" and has_person:
            continue
        has_person |= families[column] == "person"
        terms.append(values[column])
    for length in range(NAMED, len(terms) + 1):
        if (name := ", ".join(terms[:length])) not in taken:
            return name
    name = ", ".join(terms) or "Mixed viewing"
    return name if name not in taken else f"{name} ({len(taken) + 1})"
