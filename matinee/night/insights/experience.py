"""`insights/experience.parquet`: hours, completion, discovery and failed sessions, week by week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.insights.experience import Change, Ratio, change
from matinee.night.insights.inputs import WEEKS, Inputs
from matinee.night.insights.result import Result
from matinee.vocabulary import Vocabulary

TABLE = "insights/experience"

USUAL_GENRES, LEAST_TITLES = 3, 3
"""A member's usual genres are the most watched so far; they are known from so many titles on."""

SCHEMA = pa.schema(
    [
        ("week_on", pa.date32()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("change", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p", pa.float64()),
        ("member_count", pa.int64()),
        ("release_count", pa.int64()),
    ]
)
"""`change` is against the week before, of `take_rate` beyond that of the slots filled at random.
`release_count`: releases that the impressions of the week name; null where they name none."""

PAGES = """
    with

    pages as (

        select
            impressions.member_id,
            cast(date_trunc('week', min(impressions.event_at)) as date) as week_on,
            min(impressions.event_at) as shown_at,
            count(*) filter (where not coalesce(is_exploration, false)) as slots,
            count(*) filter (where not coalesce(is_exploration, false) and was_clicked) as clicks,
            count(*) filter (where is_exploration) as random_slots,
            count(*) filter (where is_exploration and was_clicked) as random_clicks
        from stg_playback__impressions as impressions
        inner join members using (member_id)
        where
            members.may_use_for_insights
            and impressions.event_at >= $since
            and impressions.event_at < $until
            and cast(impressions.received_at as date)
            <= cast(impressions.event_at as date) + to_days(cast($lateness_days as integer))
        group by impressions.member_id, impressions.page_id

    ),

    plays as (

        select member_id, event_at as played_at from int_events__closed
        where event_kind = 'play' and is_seen and event_at >= $since

    )

    select
        pages.member_id,
        pages.week_on,
        count(*) as sessions,
        count(*) filter (
            where plays.played_at is null or plays.played_at > pages.shown_at + interval 1 hour
        ) as failed_sessions,
        sum(slots)::bigint as slots,
        sum(clicks)::bigint as clicks,
        sum(random_slots)::bigint as random_slots,
        sum(random_clicks)::bigint as random_clicks
    from pages
    asof left join plays
        on pages.member_id = plays.member_id and pages.shown_at <= plays.played_at
    group by all
    order by all
"""
"""A session failed if nothing was watched within an hour of the page. Closed days only."""

SHOWN_RELEASES = """
    select cast(date_trunc('week', event_at) as date) as week_on,
        count(distinct release_id) as release_count
    from stg_playback__impressions
    where release_id is not null and event_at >= $since and event_at < $until
    group by all
    order by all
"""


def compute(inputs: Inputs) -> Result:
    """The rates of each closed week, and their change against the week before."""
    table = pa.Table.from_pylist(list(_weeks(inputs)), schema=SCHEMA)
    order = [("week_on", "ascending"), ("measure", "ascending")]
    return Result({TABLE: table.sort_by(order)}, {"note": "associations, not causes"})


class Members:
    """What each member did in each closed week: float64 arrays of shape (n_members,)."""

    def __init__(self, inputs: Inputs) -> None:
        since = inputs.until - timedelta(days=7 * WEEKS)
        bound = {"since": since, "until": inputs.until}
        lateness = inputs.night.settings.lateness_days
        self.pages = inputs.query(PAGES, **bound, lateness_days=lateness)
        self.releases = {
            row["week_on"]: row["release_count"]
            for row in inputs.query(SHOWN_RELEASES, **bound).to_pylist()
        }
        table = inputs.weeks
        ids = pa.concat_arrays(
            [one[MEMBER_ID].combine_chunks().cast(pa.string()) for one in (table, self.pages)]
        )
        self.rows = Vocabulary.from_ids(ids)
        self.member = self.rows.rows(table[MEMBER_ID])
        self.title = inputs.title_rows.rows(table[TITLE_ID])
        self.week = inputs.week_numbers
        days = pc.days_between(self.pages["week_on"], pa.scalar(inputs.until)).to_numpy()
        self.page_week = WEEKS - days // 7
        self.page_member = self.rows.rows(self.pages[MEMBER_ID])
        self.columns = {
            "seconds": table["watched_seconds"].to_numpy().astype(np.float64),
            "started": table["is_started"].to_numpy(zero_copy_only=False).astype(np.float64),
            "completed": table["is_completed"].to_numpy(zero_copy_only=False).astype(np.float64),
        }
        self.columns["discovered"], self.columns["known"] = self._discoveries(inputs)

    def _discoveries(self, inputs: Inputs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Per row: starts outside the member's usual genres, and starts of members who have any."""
        attributes = inputs.attributes
        genres = attributes.matrix[:, attributes.of_family("genre")].tocsr()
        found, known = (np.zeros(len(self.week)) for _ in range(2))
        started = self.columns["started"]
        for week in range(1, WEEKS):
            past, now = self.week < week, (self.week == week) & (started > 0)
            entries = started[past], (self.member[past], self.title[past])
            shape = len(self.rows), genres.shape[0]
            before = sp.coo_array(entries, shape=shape).tocsr()
            has_taste = np.asarray(before.sum(axis=1)).ravel() >= LEAST_TITLES
            counts = (before @ genres).toarray()
            usual = np.zeros(counts.shape, np.bool_)
            top = np.argsort(-counts, axis=1, kind="stable")[:, :USUAL_GENRES]
            np.put_along_axis(usual, top, np.take_along_axis(counts, top, axis=1) > 0, axis=1)
            rows = np.flatnonzero(now & has_taste[self.member])
            shared = (genres[self.title[rows]].toarray() * usual[self.member[rows]]).sum(axis=1)
            known[rows], found[rows] = 1.0, shared == 0
        return found, known

    def of(self, name: str, week: int) -> NDArray[np.float64]:
        """A column of one week, summed by member."""
        if name in self.columns:
            inside, member, values = self.week == week, self.member, self.columns[name]
        else:
            inside, member = self.page_week == week, self.page_member
            values = self.pages[name].to_numpy().astype(np.float64)
        sums = np.bincount(member[inside], weights=values[inside], minlength=len(self.rows))
        return np.asarray(sums, np.float64)

    def rate(self, part: str, whole: str, week: int) -> Ratio:
        """A rate of one week; `active` counts a member who watched once."""
        if whole == "active":
            return Ratio(self.of(part, week) / 3600, (self.of("seconds", week) > 0).astype(float))
        return Ratio(self.of(part, week), self.of(whole, week))


RATES = {
    "hours_per_member": ("seconds", "active"),
    "completion": ("completed", "started"),
    "discovery": ("discovered", "known"),
    "failed_sessions": ("failed_sessions", "sessions"),
    "take_rate": ("clicks", "slots"),
}


def _weeks(inputs: Inputs) -> Iterator[dict[str, Any]]:
    if not len(inputs.weeks):
        return
    members = Members(inputs)
    for name, (part, whole) in RATES.items():
        rates = [members.rate(part, whole, week) for week in range(WEEKS)]
        cells = [sp.csr_array(np.column_stack([one.part, one.whole])) for one in rates]
        shown = [bool(inputs.rule.allows(one).all()) for one in cells]
        for week in np.flatnonzero(shown).tolist():
            week_on = inputs.until - timedelta(days=7 * (WEEKS - week))
            row = {"value": rates[week].value, "member_count": int((rates[week].whole > 0).sum())}
            if week and shown[week - 1]:
                row |= _changed(_change(members, name, rates, week))
            yield row | {
                "week_on": week_on,
                "measure": name,
                "release_count": members.releases.get(week_on),
            }


def _change(members: Members, name: str, rates: list[Ratio], week: int) -> Change:
    before, after = (members.rate("random_clicks", "random_slots", one) for one in (week - 1, week))
    control = (before, after) if name == "take_rate" else None
    return change(rates[week - 1], rates[week], control)


def _changed(found: Change) -> dict[str, float]:
    """The columns of a change; none where it is not known."""
    if not np.isfinite(found.p):
        return {}
    return {"change": found.value, "low": found.low, "high": found.high, "p": found.p}
