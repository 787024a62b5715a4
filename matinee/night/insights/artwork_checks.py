"""What the artwork policy would have achieved, and whether groups see other pictures by it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import scipy.sparse as sp

from matinee.evaluation import off_policy
from matinee.insights import artwork_audit, artwork_policy, take_rates
from matinee.insights.artwork_policy import Policy
from matinee.insights.take_rates import ALL_SEGMENTS, Rates
from matinee.night.insights.artwork_log import Shown
from matinee.slates.member_groups import member_groups

AUDITED = ("gender", "age", "country")
"""What the policy never reads, and what its audit looks at."""

MEMBERS = "select member_id, country, plan, gender, birth_year from members order by member_id"


def value(shown: Shown, seed: int) -> dict[str, Any]:
    """The take rate that a policy learned from half of the members has on the other half.

    Impressions of one member are not independent, so members are the clusters.
    """
    log = shown.log
    if not len(log.asset):
        return {"verdict": "no verdict: no impressions with a propensity"}
    half = np.random.default_rng(seed).random(len(shown.members)) < 0.5
    weight = np.zeros(len(log.asset))
    for side in (True, False):
        learned, rest = half[shown.member] == side, half[shown.member] != side
        rates = take_rates.take_rates(shown.part(learned), shown.sets)
        policy = artwork_policy.policy(rates, seed=seed)
        keys = zip(rates.segment.tolist(), rates.asset.tolist(), strict=True)
        by_key = dict(zip(keys, policy.probability.tolist(), strict=True))
        target = [
            by_key.get((segment, asset), by_key[ALL_SEGMENTS, asset])
            for segment, asset in zip(
                log.segment[rest].tolist(), log.asset[rest].tolist(), strict=True
            )
        ]
        weight[rest] = off_policy.weights(np.array(target), log.propensity[rest])
    reward = log.clicked.astype(np.float64)
    estimate = off_policy.snips(reward, weight, shown.member)
    own = off_policy.snips(reward, np.ones(len(reward)), shown.member)
    return {
        "snips": _rounded(estimate),
        "of_log": _rounded(own),
        "verdict": estimate.verdict,
    }


def _rounded(estimate: off_policy.Estimate) -> dict[str, float]:
    return {name: round(value, 6) for name, value in asdict(estimate).items() if np.isfinite(value)}


def audit(shown: Shown, rates: Rates, policy: Policy, seed: int) -> list[dict[str, Any]]:
    """How far the pictures of groups that were never inputs are from those of all members."""
    log, n_assets = shown.log, len(shown.asset_rows)
    if not len(log.asset):
        return []
    n_segments = len(shown.segments[0]) + 1
    chance = sp.csr_array(
        (policy.probability, (rates.segment + 1, rates.asset)), shape=(n_segments, n_assets)
    )
    n_sets = int(shown.sets.max()) + 1
    seen = sp.csr_array(
        (np.ones(len(log.title)), (shown.member, log.title)), shape=(len(shown.members), n_sets)
    )
    of_set = sp.csr_array(
        (np.ones(n_assets), (shown.sets, np.arange(n_assets))), shape=(n_sets, n_assets)
    )
    expected = sp.csr_array((seen @ of_set).multiply(chance[shown.segments[1] + 1]))
    groups = member_groups(
        shown.inputs.query(MEMBERS), shown.members.ids, year=shown.inputs.night.as_of.year
    )
    rows = artwork_audit.audit(
        expected,
        shown.sets,
        {name: groups[name] for name in AUDITED},
        least_members=shown.inputs.rule.minimum,
        seed=seed,
    )
    return [
        {
            "attribute": row.attribute,
            "group": row.group,
            "members": row.members,
            "distance": round(row.distance, 6),
            "by_chance": round(row.by_chance, 6),
            "is_notable": row.is_notable,
        }
        for row in rows
    ]
