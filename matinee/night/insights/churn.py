"""`retention/churn.parquet`: which members may cancel at their next renewal, and why.

Members who refused insights or personalisation are in no training data. The table has those only
who may be contacted, by their consent to marketing.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee import features
from matinee.columns import MEMBER_ID, PLACES, RANK, TITLE_ID
from matinee.insights import churn
from matinee.night.insights.inputs import Inputs
from matinee.night.insights.result import Result

SERVICE = "churn_v1"

FILE = "retention/churn"

LEAD = timedelta(days=7)
"""How long before a renewal its features are taken: time enough to act."""

WARM_UP = timedelta(days=14)
"""Renewals whose features would see less of the logs than this are left out."""

NEW_FOR = timedelta(days=30)
"""How long a title is new."""

RISK_SHARE = 0.2
"""The share of members, those with the highest hazard, that counts as at risk."""

SUBSCRIPTIONS = """
    with

    events as (

        select
            subscriptions.member_id,
            subscriptions.kind,
            subscriptions.event_at,
            lag(subscriptions.kind) over in_order as kind_before,
            min(subscriptions.event_at) over (partition by subscriptions.member_id) as first_at,
            subscriptions.recency_rank = 1 as is_last,
            members.may_market

        from int_subscriptions__ordered as subscriptions
        inner join members using (member_id)
        where members.may_personalise and members.may_use_for_insights
        window in_order as (
            partition by subscriptions.member_id order by subscriptions.recency_rank desc
        )

    ),

    moments as (

        select
            member_id, event_at, event_at - $lead as known_at, kind = 'cancel' as is_cancelled,
            false as may_market, false as is_overdue
        from events
        where
            kind in ('renew', 'cancel')
            and kind_before is distinct from 'payment_failed'
            and event_at - $lead >= first_at
            and event_at - $lead >= (
                select min(observed_at) + $warm_up from member_activity_stats
            )

        union all

        select
            member_id, event_at, $as_of as known_at, null as is_cancelled,
            may_market, kind = 'payment_failed' as is_overdue
        from events
        where is_last and kind not in ('cancel', 'pause')

    )

    select
        moments.*,
        (
            select count(*) from int_subscriptions__ordered as failures
            where
                failures.member_id = moments.member_id
                and failures.kind = 'payment_failed'
                and failures.received_at < moments.known_at
                and failures.event_at >= moments.known_at - interval 90 day
        ) as payment_failures
    from moments
    order by member_id, known_at, is_cancelled nulls last
"""
"""Decided renewals, and with a null each member of today with their last event. A decision after a
failed payment is the bank's, not the member's."""

RENEWALS = """
    select median(days) as days from (
        select date_diff('day', lag(event_at) over (
            partition by member_id order by recency_rank desc
        ), event_at) as days
        from int_subscriptions__ordered
        where kind in ('start', 'renew')
    )
    where days > 0
"""

SCHEMA = pa.schema(
    [
        pa.field(MEMBER_ID, pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("is_at_risk", pa.bool_(), nullable=False),
        pa.field("reasons", pa.list_(pa.string()), nullable=False),
        pa.field("new_title_count", pa.int64(), nullable=False),
        pa.field("is_payment_overdue", pa.bool_(), nullable=False),
        pa.field("renewal_expected_on", pa.date32()),
    ]
)
"""`probability` is the hazard of cancelling at the next renewal. `reasons` of a member at risk are
signs of little satisfaction, the strongest first. `new_title_count` counts titles among the first
ten of the slate that came within the last 30 days."""


def compute(inputs: Inputs) -> Result:
    """The hazard of every member who may be contacted; no rows where there is no model."""
    as_of = inputs.night.as_of.replace(tzinfo=None)
    moments = inputs.query(SUBSCRIPTIONS, lead=LEAD, warm_up=WARM_UP, as_of=as_of)
    if not len(moments):
        return Result({FILE: SCHEMA.empty_table()}, {"verdict": "no verdict: no subscriptions"})
    design = _design(inputs, moments)
    decided = pc.is_valid(moments["is_cancelled"]).to_numpy()
    days = moments["event_at"].to_numpy().astype("datetime64[s]").astype(np.int64) / 86_400
    cancelled = pc.fill_null(moments["is_cancelled"], fill_value=False).to_numpy()
    found = churn.fit(design[decided], cancelled[decided], days[decided])
    table = _table(inputs, moments.filter(pa.array(~decided)), found, design[~decided])
    return Result({FILE: table}, _facts(found, int(decided.sum()), int(cancelled.sum())))


def _design(inputs: Inputs, moments: pa.Table) -> NDArray[np.float64]:
    """The features of each moment, point in time, from Feast."""
    instants = moments["known_at"].cast(pa.timestamp("us", tz="UTC"))
    entities = pa.table({MEMBER_ID: moments[MEMBER_ID], "event_timestamp": instants})
    night = inputs.night
    frame = features.frame(
        entities.group_by(entities.column_names, use_threads=False).aggregate([]),
        SERVICE,
        home=night.home,
        project=night.settings.project,
    )
    # A member may have two decisions at one instant, which is one row of the frame.
    keys = [
        pc.binary_join_element_wise(
            table[MEMBER_ID], table["event_timestamp"].cast("int64").cast("string"), "\0"
        )
        for table in (entities, frame)
    ]
    known = frame.take(pc.index_in(keys[0], value_set=keys[1].combine_chunks()))

    def column(name: str) -> NDArray[np.float64]:
        return np.asarray(known[name].cast(pa.float64()).to_numpy(), np.float64)

    joined = known["joined_on"].cast(pa.timestamp("us")).to_numpy()
    known_at = moments["known_at"].to_numpy().astype("datetime64[us]")
    tenure = (known_at - joined) / np.timedelta64(1, "D")
    return churn.columns(
        titles=column("title_count_28d"),
        plays=column("play_count_28d"),
        recent_plays=column("play_count_7d"),
        completion_milli=column("completion_milli_28d"),
        ratings=column("rating_count_28d"),
        stars_milli=column("stars_milli_28d"),
        searches=column("search_count_28d"),
        no_result_ratio=column("no_result_ratio_28d"),
        tenure_days=tenure,
        is_ads_plan=pc.fill_null(pc.equal(known["plan"], "ads"), fill_value=False).to_numpy(),
        payment_failures=moments["payment_failures"].to_numpy(),
    )


def _table(
    inputs: Inputs, members: pa.Table, found: churn.Churn, design: NDArray[np.float64]
) -> pa.Table:
    """Rows of the members who may be contacted, the highest hazard first."""
    if found.model is None or not len(design):
        return SCHEMA.empty_table()
    hazard = np.round(found.model.probability(design), 6)
    # A model that no later renewals bear out calls nobody at risk.
    is_supported = found.verdict == churn.SUPPORTED
    risk = is_supported & (hazard >= np.quantile(hazard, 1 - RISK_SHARE))
    period = inputs.query(RENEWALS)["days"].to_pylist()[0]
    new = _new_titles(inputs)
    reasons = churn.reasons(found.model, design)
    rows = [
        {
            MEMBER_ID: row[MEMBER_ID],
            "probability": float(hazard[place]),
            "is_at_risk": bool(risk[place]),
            "reasons": reasons[place] if risk[place] else [],
            "new_title_count": new.get(row[MEMBER_ID], 0),
            "is_payment_overdue": row["is_overdue"],
            "renewal_expected_on": _expected(inputs, row["event_at"], period),
        }
        for place, row in enumerate(members.to_pylist())
        if row["may_market"]
    ]
    rows.sort(key=lambda row: (-row["probability"], row[MEMBER_ID]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _expected(inputs: Inputs, last: Any, period: float | None) -> Any:
    """The day of the next renewal by the usual period; None if it has passed or is unknown."""
    if period is None:
        return None
    day = (last + timedelta(days=round(period))).date()
    return day if day >= inputs.night.as_of.date() else None


def _new_titles(inputs: Inputs) -> dict[str, int]:
    """Titles among the first places of each member's slate that came lately."""
    titles, since = inputs.titles, inputs.night.as_of.date() - NEW_FOR
    new = titles.filter(pc.greater_equal(titles["added_on"], since))[TITLE_ID].combine_chunks()
    counts: dict[str, int] = {}
    for part in sorted((inputs.release / "slates").glob("part-*.parquet")):
        slates = pq.read_table(part, columns=[MEMBER_ID, RANK, TITLE_ID])
        first = slates.filter(pc.less_equal(slates[RANK], PLACES))
        shown = first.filter(pc.is_in(first[TITLE_ID], value_set=new))
        for row in shown.group_by(MEMBER_ID).aggregate([(TITLE_ID, "count")]).to_pylist():
            counts[row[MEMBER_ID]] = row[f"{TITLE_ID}_count"]
    return counts


def _facts(found: churn.Churn, renewals: int, cancellations: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "verdict": found.verdict,
        "renewals": renewals,
        "cancellations": cancellations,
        "lead_days": LEAD.days,
        "note": "associations, not causes: a signal may go with leaving without leading to it",
    }
    if found.model is not None:
        facts["coefficients"] = {name: round(value, 6) for name, value in found.model.ranked()}
    if found.evaluation is not None:
        evaluation = found.evaluation
        facts["held_out"] = {
            "renewals": evaluation.renewals,
            "cancellations": evaluation.cancellations,
            "scores": [_rounded(asdict(one)) for one in evaluation.scores],
            "calibration": [_rounded(asdict(one)) for one in evaluation.calibration],
        }
    return facts


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Six decimals: the last bits of a fit may differ from machine to machine."""
    return {name: round(one, 6) if isinstance(one, float) else one for name, one in row.items()}
