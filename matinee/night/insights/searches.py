"""`insights/searches.parquet`: searches without a good result, and what was watched next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.insights.cells import column_sums
from matinee.insights.searches import Group, group
from matinee.night.insights.demand import DEMAND_WEEKS
from matinee.night.insights.inputs import Inputs
from matinee.night.insights.result import Result
from matinee.vocabulary import Vocabulary

TABLE = "insights/searches"

LISTED = 3
"""Genres and titles that a group shows."""

MISSES = """
    select
        searches.event_id,
        searches.member_id,
        searches.event_at,
        searches.query_text,
        coalesce(searches.result_count = 0, false) as found_nothing
    from stg_engagement__searches as searches
    inner join members using (member_id)
    where
        members.may_use_for_insights
        and searches.clicked_title_id is null
        and searches.event_at >= $since
        and searches.event_at < $until
        and cast(searches.received_at as date)
        <= cast(searches.event_at as date) + to_days(cast($lateness_days as integer))
    order by searches.event_id
"""
"""Closed days only, as in the macro `is_closed_day`; what was typed goes into `group` alone."""

NEXT = """
    select distinct misses.event_id, plays.title_id
    from misses
    inner join int_events__closed as plays
        on
            misses.member_id = plays.member_id
            and plays.event_at > misses.event_at
            and plays.event_at <= misses.event_at + interval 1 day
    where plays.event_kind = 'play' and plays.is_seen
    order by all
"""
"""What was watched within a day of a search."""

SCHEMA = pa.schema(
    [
        ("term", pa.string()),
        ("search_count", pa.int64()),
        ("member_count", pa.int64()),
        ("found_nothing_ratio", pa.float64()),
        ("watched_next_ratio", pa.float64()),
        ("next_genres", pa.list_(pa.string())),
        ("next_titles", pa.list_(pa.string())),
    ]
)
"""`watched_next_ratio`: of the searches, those whose member watched a title within a day. Ratios
are null where too few members make them up."""


def compute(inputs: Inputs) -> Result:
    """Groups of searches that no title was chosen from, of the newest closed weeks."""
    since = inputs.until - timedelta(days=7 * DEMAND_WEEKS)
    bound = {
        "since": since,
        "until": inputs.until,
        "lateness_days": inputs.night.settings.lateness_days,
    }
    misses = inputs.query(MISSES, **bound)
    groups = group(
        misses["query_text"].to_pylist(),
        misses[MEMBER_ID].to_pylist(),
        minimum=inputs.rule.minimum,
    )
    watched = _watched_next(inputs, misses, bound) if groups else None
    rows = [] if watched is None else list(_rows(inputs, misses, groups, watched))
    return Result(
        {TABLE: pa.Table.from_pylist(rows, schema=SCHEMA)},
        {"searches": len(misses), "in_groups": sum(len(one.searches) for one in groups)},
    )


def _watched_next(
    inputs: Inputs, misses: pa.Table, bound: dict[str, object]
) -> sp.csr_array[np.float64]:
    """float64 CSR, shape (n_searches, n_titles): 1 for each title watched within a day."""
    found = inputs.query(f"with misses as ({MISSES}) {NEXT}", **bound)
    events = Vocabulary.from_ids(misses["event_id"])
    order = np.argsort(events.rows(misses["event_id"]), kind="stable")
    row = order[events.rows(found["event_id"])]
    entries = np.ones(len(row)), (row, inputs.title_rows.rows(found[TITLE_ID]))
    return sp.coo_array(entries, shape=(len(misses), len(inputs.title_rows))).tocsr()


def _rows(
    inputs: Inputs, misses: pa.Table, groups: list[Group], watched: sp.csr_array[np.float64]
) -> Iterator[dict[str, Any]]:
    members = Vocabulary.from_ids(misses[MEMBER_ID])
    who = members.rows(misses[MEMBER_ID])
    nothing = misses["found_nothing"].to_numpy(zero_copy_only=False)
    names = np.array(inputs.titles["name"].to_pylist(), object)
    attributes = inputs.attributes
    genres = attributes.of_family("genre")
    for one in groups:
        rows = np.array(one.searches, np.intp)
        count = len(rows)
        by_member = sp.coo_array(
            (np.ones(count), (who[rows], np.arange(count))), shape=(len(members), count)
        ).tocsr()
        after = watched[rows]
        of_titles = (by_member @ after).tocsr()
        of_genres = (of_titles @ attributes.matrix[:, genres]).tocsr()
        flags = np.column_stack([nothing[rows], np.diff(after.indptr) > 0]).astype(np.float64)
        allowed = inputs.rule.allows(sp.csr_array(by_member @ flags))
        ratios = flags.mean(axis=0)
        yield {
            "term": one.term,
            "search_count": count,
            "member_count": len(np.unique(who[rows])),
            "found_nothing_ratio": float(ratios[0]) if allowed[0] else None,
            "watched_next_ratio": float(ratios[1]) if allowed[1] else None,
            "next_genres": [attributes.values[genres[place]] for place in _most(inputs, of_genres)],
            "next_titles": names[_most(inputs, of_titles)].tolist(),
        }


def _most(inputs: Inputs, cells: sp.csr_array[np.float64]) -> NDArray[np.intp]:
    """The largest cells that may be shown, at most `LISTED`."""
    totals = np.where(inputs.rule.allows(cells), column_sums(cells), 0.0)
    order = np.argsort(-totals, kind="stable")[:LISTED]
    return order[totals[order] > 0]
