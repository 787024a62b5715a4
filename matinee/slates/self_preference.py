"""Whether the service shows its own productions more than what members watch predicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.evaluation.gate import Status, Verdict
from matinee.slates.ranking import NONE

LARGEST_RATIO = 1.25
"""The most exposure of own productions, as a multiple of what viewing predicts."""

PRIOR_VIEWINGS = 10.0
"""Viewings of all members that a member's own are mixed with, so that few say little."""

LEAST_TITLES, LEAST_SLOTS, LEAST_MEMBERS = 5, 20.0, 20
"""Own titles, predicted slots and members below which there is no verdict."""


@dataclass(frozen=True)
class SelfPreference:
    """Exposure of own productions beside what viewing predicts."""

    shown_ratio: float
    """Their share of slots."""
    predicted_ratio: float
    """The share that members' viewing predicts."""
    ratio: float
    """The first by the second."""
    low: float
    high: float
    """The 95 % interval of `ratio`, over members."""
    members: int
    titles: int
    """Own titles of the catalogue."""

    def verdict(self, worst: Status, *, places: int) -> Verdict:
        """The gate's line. Beyond the limit it is `worst`, or WARN where it may be chance."""
        if self.ratio <= LARGEST_RATIO:
            status = Status.PASS
        else:
            status = worst if self.low > 1 else Status.WARN
        return Verdict(
            rule="self_preference",
            status=status,
            metric=f"own_exposure@{places}",
            subject="vs viewing",
            observed=self.ratio,
            threshold=LARGEST_RATIO,
            value=f"{self.ratio:.2f}",
            limit=f"{LARGEST_RATIO:.2f}",
            low=self.low,
            high=self.high,
            members=self.members,
        )

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def self_preference(
    slates: NDArray[np.intp],
    watched: sp.csr_array[Any],
    *,
    is_own: NDArray[np.bool_],
    stratum: NDArray[np.intp],
) -> SelfPreference | None:
    """Compare the slots of own productions with those that viewing predicts.

    In each stratum of titles, such as those that came this month, a member is predicted to be shown
    own productions as often as among the titles of the stratum that the member watched, mixed with
    `PRIOR_VIEWINGS` of all members. So a service whose new titles are mostly its own is not blamed
    for showing new titles.

    Viewing is itself a consequence of what was shown before: a preference that has lasted for long
    is in both, and the ratio does not show it.

    Parameters
    ----------
    slates : intp, shape (n_members, places)
        Rows of titles, `NONE` for an empty slot.
    watched : CSR, shape (n_members, n_titles)
        Nonzero where a member watched a title; rows as in `slates`.
    is_own : bool, shape (n_titles,)
    stratum : intp, shape (n_titles,)
        From 0.

    Returns
    -------
    None where own titles, members or predicted slots are too few for a verdict.
    """
    n_strata = int(stratum.max(initial=0)) + 1
    filled = slates != NONE
    who = np.repeat(np.arange(len(slates)), filled.sum(axis=1))
    titles = slates[filled]
    slots = _counts(who, stratum[titles], (len(slates), n_strata))
    shown = np.bincount(who, weights=is_own[titles], minlength=len(slates))
    row = np.repeat(np.arange(watched.shape[0]), np.diff(watched.indptr))
    viewings = _counts(row, stratum[watched.indices], (len(slates), n_strata))
    own = is_own[watched.indices]
    own_viewings = _counts(row[own], stratum[watched.indices[own]], viewings.shape)
    total = np.maximum(viewings.sum(axis=0), 1)
    usual = own_viewings.sum(axis=0) / total
    predicted_share = (own_viewings + PRIOR_VIEWINGS * usual) / (viewings + PRIOR_VIEWINGS)
    predicted = (slots * predicted_share).sum(axis=1)
    members = int((slots.sum(axis=1) > 0).sum())
    expected = float(predicted.sum())
    if is_own.sum() < LEAST_TITLES or expected < LEAST_SLOTS or members < LEAST_MEMBERS:
        return None
    ratio = float(shown.sum()) / expected
    # The usual shares are estimates too, from the viewing of the same members.
    leverage = (slots * PRIOR_VIEWINGS / (viewings + PRIOR_VIEWINGS)).sum(axis=0) / total
    through_usual = ((own_viewings - usual * viewings) * leverage).sum(axis=1)
    influence = (shown - ratio * (predicted + through_usual)) / expected
    error = float(np.sqrt((influence**2).sum() * members / (members - 1)))
    count = float(slots.sum())
    return SelfPreference(
        shown_ratio=float(shown.sum()) / count,
        predicted_ratio=expected / count,
        ratio=ratio,
        low=max(0.0, ratio - 1.96 * error),
        high=ratio + 1.96 * error,
        members=members,
        titles=int(is_own.sum()),
    )


def _counts(
    row: NDArray[np.intp], column: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.float64]:
    flat = np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)
