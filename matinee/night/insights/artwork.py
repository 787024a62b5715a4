"""`artwork/policy.parquet`: with which probability each asset of a title is shown to a segment.

Whoever serves a page draws an asset by `draws.draw`, and logs its probability as
`asset_propensity`: so the next policy can be learned from that log, and this one be evaluated.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee.columns import TITLE_ID
from matinee.insights import artwork_policy, take_rates
from matinee.insights.artwork_policy import Policy
from matinee.insights.take_rates import Rates
from matinee.night.insights import artwork_checks
from matinee.night.insights.artwork_log import Shown
from matinee.night.insights.inputs import Inputs
from matinee.night.insights.result import Result

FILE = "artwork/policy"

SCHEMA = pa.schema(
    [
        pa.field(TITLE_ID, pa.string(), nullable=False),
        pa.field("asset_kind", pa.string()),
        pa.field("segment", pa.int64()),
        pa.field("asset_id", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("basis", pa.string(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("best_probability", pa.float64(), nullable=False),
        pa.field("impression_count", pa.int64()),
        pa.field("click_count", pa.int64()),
        pa.field("effective_impressions", pa.float64()),
        pa.field("take_rate", pa.float64()),
        pa.field("take_rate_low", pa.float64()),
        pa.field("take_rate_high", pa.float64()),
        pa.field("replay", pa.float64()),
        pa.field("ips", pa.float64()),
        pa.field("snips", pa.float64()),
        pa.field("doubly_robust", pa.float64()),
        pa.field("changed_on", pa.date32(), nullable=False),
    ]
)
"""`segment` is null in the rows for members without one, and for segments that have no rows of a
title. Probabilities of one title, kind and segment sum to 1 over its assets, or are all 0 if none
may be shown. Counts and rates are null where too few members make them up."""


def compute(inputs: Inputs) -> Result:
    """The policy, its value by the log, and its audit."""
    shown = Shown.of(inputs)
    if not len(shown.assets):
        return Result({FILE: SCHEMA.empty_table()}, {"verdict": "no verdict: no assets"})
    seed = inputs.night.settings.seed
    rates = take_rates.take_rates(shown.log, shown.sets)
    policy = artwork_policy.policy(rates, seed=seed, servable=shown.servable)
    policy = _stable(shown, rates, policy)
    named = artwork_policy.groups(rates)[policy.verdict == artwork_policy.BEST]
    facts = {
        "seed": seed,
        "impressions": len(shown.impressions),
        "sets": int(shown.sets.max()) + 1,
        "with_verdict": len(np.unique(named)),
        "not_servable": int((~shown.servable).sum()),
        "value": artwork_checks.value(shown, seed),
        "audit": artwork_checks.audit(shown, rates, policy, seed),
    }
    return Result({FILE: _table(shown, rates, policy)}, facts)


def _stable(shown: Shown, rates: Rates, policy: Policy) -> Policy:
    """The policy, held to the one before by the stability rule."""
    inputs = shown.inputs
    file = inputs.previous / f"{FILE}.parquet" if inputs.previous else None
    if file is None or not file.is_file():
        return policy
    before = pq.read_table(file).to_pylist()
    known = {(row["segment"], row["asset_id"]): row for row in before}
    rows = [known.get(key) for key in shown.keys(rates)]
    today = inputs.night.as_of.date()
    return artwork_policy.keep_stable(
        policy,
        np.array([row["probability"] if row else np.nan for row in rows], np.float64),
        np.array([(today - row["changed_on"]).days if row else 0 for row in rows], np.intp),
        artwork_policy.groups(rates),
    )


def _table(shown: Shown, rates: Rates, policy: Policy) -> pa.Table:
    """The rows in the order of title, kind, segment and asset."""
    rule = shown.inputs.rule
    seen, taken = (rule.allows(shown.cells(rates, of_clicks)) for of_clicks in (False, True))
    taken &= seen
    low, high = rates.bounds()
    today = shown.inputs.night.as_of.date()
    assets = shown.assets.take(rates.asset)

    def shown_where(kept: NDArray[np.bool_], values: NDArray[Any]) -> pa.Array:
        numbers = np.round(values, 6) if values.dtype.kind == "f" else values
        return pa.array(numbers, mask=~kept | ~np.isfinite(values.astype(np.float64)))

    table = pa.table(
        {
            TITLE_ID: assets[TITLE_ID],
            "asset_kind": assets["asset_kind"],
            "segment": pa.array([segment for segment, _ in shown.keys(rates)], pa.int64()),
            "asset_id": assets["asset_id"],
            "probability": np.round(policy.probability, 6),
            "basis": policy.basis,
            "verdict": policy.verdict,
            "best_probability": policy.best,
            "impression_count": shown_where(seen, rates.impressions),
            "click_count": shown_where(taken, rates.clicks),
            "effective_impressions": shown_where(seen, rates.effective),
            "take_rate": shown_where(taken, rates.mean),
            "take_rate_low": shown_where(taken, low),
            "take_rate_high": shown_where(taken, high),
            "replay": shown_where(taken, rates.replayed),
            "ips": shown_where(taken, rates.ips),
            "snips": shown_where(taken, rates.snips),
            "doubly_robust": shown_where(taken, rates.doubly_robust),
            "changed_on": [today - timedelta(days=days) for days in policy.changed_days.tolist()],
        }
    ).cast(SCHEMA)
    order = [(name, "ascending") for name in (TITLE_ID, "asset_kind", "segment", "asset_id")]
    return table.sort_by(order)
