"""`insights/proxies.parquet`: signals of a week that go with renewing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID
from matinee.insights.multiple_tests import q_values
from matinee.insights.proxies import beyond
from matinee.night.insights.inputs import Inputs
from matinee.night.insights.result import Result

TABLE = "insights/proxies"

LEAST_CANCELLATIONS = 30
"""Cancellations below which nothing is said of renewals."""

ALARM_RATE = 0.05
"""The share of false discoveries among signals that are said to go with renewing."""

SCHEMA = pa.schema(
    [
        ("signal", pa.string()),
        ("odds_ratio", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p", pa.float64()),
        ("q", pa.float64()),
        ("verdict", pa.string()),
        ("member_count", pa.int64()),
        ("renewal_count", pa.int64()),
        ("cancellation_count", pa.int64()),
    ]
)
"""`odds_ratio`: of renewing, for one standard deviation more of the signal, among members alike in
what was known before."""

SIGNALS = ("hours", "titles", "completion", "active_days", "failed_searches")

RENEWALS = """
    with

    events as (

        select
            subscriptions.member_id,
            subscriptions.kind,
            subscriptions.event_at,
            lag(subscriptions.kind) over in_order as kind_before,
            min(subscriptions.event_at) over (partition by subscriptions.member_id) as first_at
        from int_subscriptions__ordered as subscriptions
        inner join members using (member_id)
        where members.may_use_for_insights
        window in_order as (
            partition by subscriptions.member_id order by subscriptions.recency_rank desc
        )

    ),

    decisions as (

        select *, row_number() over (order by member_id, event_at, kind) as decision
        from events
        where
            kind in ('renew', 'cancel')
            and kind_before is distinct from 'payment_failed'
            and event_at - interval 28 day >= (select min(event_at) from int_events__weighted)

    ),

    plays as (

        select
            decisions.decision,
            plays.event_at >= decisions.event_at - interval 14 day as is_week,
            plays.title_id,
            plays.event_at,
            plays.watched_seconds,
            plays.is_seen,
            plays.watched_seconds * 10
            >= 9 * coalesce(titles.runtime_seconds, $assumed_runtime) as is_completed
        from decisions
        inner join int_events__weighted as plays
            on
                decisions.member_id = plays.member_id
                and plays.event_at >= decisions.event_at - interval 42 day
                and plays.event_at < decisions.event_at - interval 7 day
                and plays.event_kind = 'play'
        inner join titles on plays.title_id = titles.title_id

    ),

    summed as (

        select
            decision,
            is_week,
            sum(watched_seconds)::bigint as seconds,
            count(distinct title_id) filter (where is_seen) as titles,
            count(*) filter (where is_seen) as starts,
            count(*) filter (where is_seen and is_completed) as completed,
            count(distinct cast(event_at as date)) as active_days
        from plays
        group by all

    ),

    misses as (

        select
            decisions.decision,
            searches.event_at >= decisions.event_at - interval 14 day as is_week,
            count(*) as failed_searches
        from decisions
        inner join stg_engagement__searches as searches
            on
                decisions.member_id = searches.member_id
                and searches.event_at >= decisions.event_at - interval 42 day
                and searches.event_at < decisions.event_at - interval 7 day
                and searches.clicked_title_id is null
        group by all

    )

    select
        decisions.member_id,
        decisions.kind = 'renew' as stayed,
        date_diff('day', decisions.first_at, decisions.event_at) as tenure,
        {columns}
    from decisions
    left join summed as week on decisions.decision = week.decision and week.is_week
    left join summed as before on decisions.decision = before.decision and not before.is_week
    left join misses as week_misses
        on decisions.decision = week_misses.decision and week_misses.is_week
    left join misses as before_misses
        on decisions.decision = before_misses.decision and not before_misses.is_week
    order by decisions.decision
"""
"""Renewals and cancellations, with the week that ended a week before, and four weeks before that. A
decision after a failed payment is the bank's, not the member's."""

COLUMNS = """
        coalesce({of}.seconds, 0) / 3600.0 as {of}_hours,
        coalesce({of}.titles, 0) as {of}_titles,
        coalesce({of}.completed / nullif({of}.starts, 0), 0) as {of}_completion,
        coalesce({of}.active_days, 0) as {of}_active_days,
        coalesce({of}_misses.failed_searches, 0) as {of}_failed_searches"""


def compute(inputs: Inputs) -> Result:
    """Each signal of a week beside the renewals that followed; no rows where too few left."""
    table = pa.Table.from_pylist(_rows(inputs), schema=SCHEMA)
    return Result({TABLE: table}, {"note": "associations, not causes", "alarm_rate": ALARM_RATE})


def _rows(inputs: Inputs) -> list[dict[str, Any]]:
    columns = ",".join(COLUMNS.format(of=of) for of in ("week", "before"))
    seconds = int(str(inputs.vars["assumed_runtime_seconds"]))
    table = inputs.query(RENEWALS.format(columns=columns), assumed_runtime=seconds)
    stayed = table["stayed"].to_numpy(zero_copy_only=False)
    left, members = int((~stayed).sum()), len(table[MEMBER_ID].unique())
    if min(left, int(stayed.sum())) < LEAST_CANCELLATIONS or members < inputs.rule.minimum:
        return []
    known = np.column_stack(
        [
            np.log1p(_column(table, name))
            for name in (*(f"before_{one}" for one in SIGNALS), "tenure")
        ]
    )
    found = {
        name: beyond(known, np.log1p(_column(table, f"week_{name}")), stayed) for name in SIGNALS
    }
    q = q_values(np.array([one.p for one in found.values()]))
    rows = []
    for (name, one), adjusted in zip(found.items(), q.tolist(), strict=True):
        if np.isnan(one.p):
            continue
        sign = "go with renewing" if one.odds_ratio > 1 else "go with leaving"
        rows.append(
            {"signal": name}
            | {key: round(value, 6) for key, value in vars(one).items()}
            | {
                "q": round(adjusted, 6),
                "verdict": sign if adjusted <= ALARM_RATE else "no evidence",
                "member_count": members,
                "renewal_count": len(stayed),
                "cancellation_count": left,
            }
        )
    return sorted(rows, key=lambda row: row["signal"])


def _column(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(table[name].cast(pa.float64()).to_numpy(), np.float64)
