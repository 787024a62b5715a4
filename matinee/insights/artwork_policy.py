"""The artwork policy: with which probability each asset of a title is shown to each segment.

A policy shows each asset with the probability that it is the best, and never below an exploration
floor. A title in a segment with little evidence takes the policy of the title for all segments; a
title with little evidence shows all its assets alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matinee.insights.take_rates import ALL_SEGMENTS, Rates

FLOOR = 0.1
"""The share of impressions that is spread over all assets of a title, to go on learning."""

LEAST_IMPRESSIONS = 100.0
"""Effective impressions of each asset of a title in a segment that a verdict needs."""

LEAST_CLICKS = 10.0
"""Effective clicks of all assets together that it needs."""

STRONG = 0.95
"""The probability to be the best from which an asset is called so."""

STABLE_DAYS = 14
"""Days for which the picture of a title stays, unless the evidence for another one is strong."""

DRAWS = 400
"""Draws of each posterior, for the probability to be the best."""

SEGMENT, TITLE, UNIFORM = "segment", "title", "uniform"
"""The evidence that a row of the policy is from: its own, that of its title, or none."""

BEST = "best"


def groups(rates: Rates) -> NDArray[np.intp]:
    """A number for each title and segment, of each row: intp, shape (k,)."""
    pairs = np.stack([rates.title, rates.segment])
    return np.asarray(np.unique(pairs, axis=1, return_inverse=True)[1], np.intp).ravel()


@dataclass(frozen=True)
class Policy:
    """k rows in the order of `Rates`: one per title, segment and asset."""

    probability: NDArray[np.float64]
    """With which the asset is shown; sums to 1 over the assets of a title and segment."""
    best: NDArray[np.float64]
    """The probability that the asset has the highest rate."""
    basis: NDArray[np.str_]
    """`SEGMENT`, `TITLE` or `UNIFORM`: the evidence that the row stands on."""
    verdict: NDArray[np.str_]
    """`best`, `not best`, or why there is no verdict."""
    changed_days: NDArray[np.intp]
    """Days since the probability last changed."""


def policy(
    rates: Rates,
    *,
    seed: int,
    servable: NDArray[np.bool_] | None = None,
    floor: float = FLOOR,
    least_impressions: float = LEAST_IMPRESSIONS,
) -> Policy:
    """The probability of each asset: that to be the best, mixed with the exploration floor.

    Parameters
    ----------
    rates : Rates
    seed : int
        Of the draws from the posteriors.
    servable : bool, shape (n_assets,), optional
        Assets that may be shown; others get probability 0.
    floor : float
        The share that is spread over all servable assets.

    References
    ----------
    Thompson, "On the likelihood that one unknown probability exceeds another", 1933; the mixture
    with a floor keeps importance weights of tomorrow's log below n_assets / floor.
    """
    allowed = np.ones(len(rates.title), np.bool_) if servable is None else servable[rates.asset]
    group = groups(rates)
    best = probability_to_be_best(rates, group, allowed, seed=seed)
    reasons = _without_verdict(rates, group, allowed, least_impressions)
    total = rates.segment == ALL_SEGMENTS
    of_title = np.zeros(int(rates.title.max(initial=-1)) + 1, np.intp)
    of_title[rates.title[total]] = group[total]
    own, of_its_title = reasons[group] == "", reasons[of_title[rates.title]] == ""
    by_title = np.zeros(int(rates.asset.max(initial=-1)) + 1)
    by_title[rates.asset[total]] = best[total]

    basis = np.where(own & ~total, SEGMENT, np.where(of_its_title, TITLE, UNIFORM))
    exploited = np.where(own, best, by_title[rates.asset])
    uniform = allowed / np.maximum(np.bincount(group, allowed)[group], 1)
    mixed = np.where(basis == UNIFORM, uniform, (1 - floor) * exploited + floor * uniform)
    found = np.where(
        best >= STRONG, BEST, np.where(best <= 1 - STRONG, "not best", "no clear best")
    )
    verdict = np.where(allowed, np.where(own, found, reasons[group]), "not servable")
    return Policy(mixed, best, basis, verdict, np.zeros(len(group), np.intp))


def _without_verdict(
    rates: Rates, group: NDArray[np.intp], allowed: NDArray[np.bool_], least: float
) -> NDArray[np.str_]:
    """Why each group has no verdict; empty where it has one."""
    clicks = np.where(allowed, rates.effective * np.nan_to_num(rates.snips), 0.0)
    return np.select(
        [
            np.bincount(group, allowed) < 2,
            np.bincount(group, clicks) < LEAST_CLICKS,
            np.bincount(group, allowed & (rates.effective < least)) > 0,
        ],
        ["one asset", "no verdict: few clicks", "no verdict: few impressions"],
        "",
    )


def probability_to_be_best(
    rates: Rates, group: NDArray[np.intp], allowed: NDArray[np.bool_], *, seed: int
) -> NDArray[np.float64]:
    """float, shape (k,): how often a draw of the posterior is the highest of its group."""
    random = np.random.default_rng(seed)
    drawn = random.beta(rates.alpha, rates.beta, size=(DRAWS, len(group)))
    drawn[:, ~allowed] = -1.0
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    highest = np.maximum.reduceat(drawn[:, order], starts, axis=1) if len(starts) else drawn
    wins = (drawn == highest[:, group]) & allowed
    return np.asarray(wins.mean(axis=0), np.float64)


def keep_stable(
    policy: Policy,
    previous: NDArray[np.float64],
    days: NDArray[np.intp],
    group: NDArray[np.intp],
    *,
    stable_days: int = STABLE_DAYS,
) -> Policy:
    """The policy, with groups that changed less than `stable_days` ago as they were.

    Parameters
    ----------
    previous : float, shape (k,)
        The probability of each row in the policy before; NaN where it had none.
    days : intp, shape (k,)
        Days since that probability last changed, as of now.
    group : intp, shape (k,)
        See `groups`.

    Notes
    -----
    A group changes all the same if an asset came or went, or if the evidence is strong: an asset is
    the best with probability `STRONG`, and was not the most probable one before.
    """
    before = np.nan_to_num(previous, nan=-1.0)
    came_or_went = (before < 0) | ((policy.probability == 0) != (before == 0))
    top = np.full(int(group.max(initial=-1)) + 1, -1.0)
    np.maximum.at(top, group, before)
    overturned = (policy.verdict == BEST) & (before < top[group])
    released = np.bincount(group, came_or_went | overturned | (days >= stable_days))[group] > 0
    probability = np.where(released, policy.probability, before)
    changed = np.bincount(group, ~np.isclose(probability, before, rtol=0, atol=2e-6))[group] > 0
    return replace(policy, probability=probability, changed_days=np.where(changed, 0, days))
