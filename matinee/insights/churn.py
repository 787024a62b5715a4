"""The hazard of cancelling at a renewal, from signs of satisfaction.

A row is a renewal of one member, with what was known some days before it. The hazard of each is a
logistic regression, so members who stay are in the data once per period: a discrete-time survival
model. A cancellation after a failed payment is no decision of the member and is left out.

Coefficients are associations: that satisfied members stay does not say that a change of the slate
would keep them.

References
----------
Singer and Willett, "It's about time: using discrete-time survival analysis", 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.metrics import binary
from matinee.insights import logistic

SATISFACTION = (
    "breadth",
    "completion",
    "rating",
    "plays",
    "recent_plays",
    "failed_searches",
)
"""Columns that a service can act on."""

ACCOUNT = ("tenure", "first_period", "ads_plan", "payment_failures")
"""Columns that go with leaving and are no satisfaction; payment failures stand apart."""

FEATURES = (*SATISFACTION, *ACCOUNT)

BASELINES = {"tenure only": ("tenure", "first_period"), "recency only": ("recent_plays",)}

SUPPORTED = "supported"

LEAST_CANCELLATIONS = 30
"""Cancellations to learn from, below which there is no model."""

LEAST_HELD_OUT = 10
"""Cancellations in the later part, below which there is no evaluation."""

LATER_SHARE = 0.3
"""The share of renewals, the latest, that evaluate a model of the others."""

LEAST_REASON = 0.1
"""Log-odds that a reason adds at least."""

REASONS = {
    "breadth": "watches few different titles",
    "completion": "does not finish what they start",
    "rating": "gives low ratings",
    "plays": "watches little",
    "recent_plays": "has not watched in the last week",
    "failed_searches": "searches without results",
}


@dataclass(frozen=True)
class Score:
    """How a model does on later renewals."""

    model: str
    auc: float
    brier: float


@dataclass(frozen=True)
class Evaluation:
    """Models on renewals after a cut that they were not fitted on."""

    scores: tuple[Score, ...]
    """The model first, then the baselines, and the mean rate."""
    calibration: tuple[binary.Bin, ...]
    renewals: int
    cancellations: int


@dataclass(frozen=True)
class Churn:
    """The model, or why there is none."""

    model: logistic.Logistic | None
    evaluation: Evaluation | None
    verdict: str


def columns(
    *,
    titles: NDArray[np.floating],
    plays: NDArray[np.floating],
    recent_plays: NDArray[np.floating],
    completion_milli: NDArray[np.floating],
    ratings: NDArray[np.floating],
    stars_milli: NDArray[np.floating],
    searches: NDArray[np.floating],
    no_result_ratio: NDArray[np.floating],
    tenure_days: NDArray[np.floating],
    is_ads_plan: NDArray[np.bool_],
    payment_failures: NDArray[np.floating],
) -> NDArray[np.float64]:
    """The design matrix, float, shape (n, len(FEATURES)), in the order of `FEATURES`.

    Counts are of 28 days, `recent_plays` of 7, and NaN where a member had no event. Without plays
    there is no completion, without ratings no rating.
    """
    counts = {
        name: np.nan_to_num(np.asarray(value, np.float64))
        for name, value in (
            ("titles", titles),
            ("plays", plays),
            ("recent_plays", recent_plays),
            ("ratings", ratings),
            ("searches", searches),
        )
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        plays_made, ratings_given = (
            np.where(counts[name] > 0, 1000 * counts[name], np.nan) for name in ("plays", "ratings")
        )
        completion, rating = completion_milli / plays_made, stars_milli / ratings_given
    # By plays, which it would repeat otherwise: who plays more plays more titles.
    breadth = np.log1p(counts["titles"]) - np.log1p(counts["plays"])
    failed = counts["searches"] * np.nan_to_num(no_result_ratio)
    return np.column_stack(
        [
            breadth,
            completion,
            rating,
            np.log1p(counts["plays"]),
            np.log1p(counts["recent_plays"]),
            np.log1p(failed),
            np.log1p(np.maximum(tenure_days, 0)),
            np.asarray(tenure_days) <= 31,
            is_ads_plan,
            np.log1p(payment_failures),
        ]
    ).astype(np.float64)


def fit(
    design: NDArray[np.float64],
    cancelled: NDArray[np.bool_],
    days: NDArray[np.floating],
    names: Sequence[str] = FEATURES,
) -> Churn:
    """The hazard model of all renewals, and its evaluation on the latest ones.

    Parameters
    ----------
    design : float, shape (n, k)
        One row per renewal; see `columns`.
    cancelled : bool, shape (n,)
        Whether the member cancelled at it.
    days : float, shape (n,)
        When it was, in days.
    """
    count = int(cancelled.sum())
    if count < LEAST_CANCELLATIONS or len(cancelled) - count < LEAST_CANCELLATIONS:
        return Churn(
            None,
            None,
            f"no verdict: {count} of {len(cancelled)} renewals are cancellations, a model needs "
            f"{LEAST_CANCELLATIONS} of either kind",
        )
    evaluation = evaluate(design, cancelled, days, names)
    return Churn(logistic.fit(design, cancelled, names), evaluation, _verdict(evaluation))


def _verdict(evaluation: Evaluation | None) -> str:
    """Whether the model orders later renewals better than every baseline."""
    if evaluation is None:
        return f"no verdict: fewer than {LEAST_HELD_OUT} cancellations in later weeks"
    own, *others = evaluation.scores
    best = max(others, key=lambda one: one.auc)
    if own.auc <= best.auc:
        return (
            f"no verdict: AUC {own.auc:.3f} on {evaluation.renewals} later renewals, "
            f"{best.auc:.3f} by {best.model}"
        )
    return SUPPORTED


def evaluate(
    design: NDArray[np.float64],
    cancelled: NDArray[np.bool_],
    days: NDArray[np.floating],
    names: Sequence[str],
) -> Evaluation | None:
    """Fit on earlier renewals, score the later ones; None with too few cancellations in either."""
    cut = np.quantile(days, 1 - LATER_SHARE)
    early, late = days < cut, days >= cut
    enough = [
        least <= cancelled[part].sum() <= part.sum() - least
        for part, least in ((early, LEAST_HELD_OUT), (late, LEAST_HELD_OUT))
    ]
    if not all(enough):
        return None
    subsets = {"satisfaction": tuple(names)}
    subsets |= {name: own for name, own in BASELINES.items() if set(own) <= set(names)}
    subsets["mean rate"] = ()
    scores: list[Score] = []
    bins: list[binary.Bin] = []
    for model, own in subsets.items():
        places = [names.index(name) for name in own]
        fitted = logistic.fit(design[early][:, places], cancelled[early], own)
        chance = fitted.probability(design[late][:, places])
        auc, brier = binary.roc_auc(chance, cancelled[late]), binary.brier(chance, cancelled[late])
        scores.append(Score(model, auc, brier))
        bins = bins or binary.reliability(chance, cancelled[late], bins=5)
    return Evaluation(tuple(scores), tuple(bins), int(late.sum()), int(cancelled[late].sum()))


def reasons(
    model: logistic.Logistic, design: NDArray[np.float64], *, most: int = 2
) -> list[list[str]]:
    """What increases each member's hazard, of `SATISFACTION` only, the largest first."""
    added = model.contributions(design)
    named = [(place, REASONS[name]) for place, name in enumerate(model.names) if name in REASONS]
    found = []
    for row in added:
        against = sorted((-row[place], text) for place, text in named if row[place] > LEAST_REASON)
        found.append([text for _, text in against[:most]])
    return found
