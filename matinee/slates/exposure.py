"""Exposure of titles and quality for groups of members: rows of the exposure report.

`verdicts` and `gap_verdicts` compare the rows with limits. `boosted` gives titles that are shown
too little a larger share of the first places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.evaluation import metrics
from matinee.evaluation.gate import Verdict, percent, status_if
from matinee.slates.ranking import NONE

Row: TypeAlias = dict[str, Any]
"""One row of a report."""

TASTES = ("niche", "blended", "blockbuster")

HEAD_RATIO = 0.2
"""The share of titles that counts as popular, and the share of members at each end of the scale."""


LARGEST_LIFT_RATIO = 0.95
"""The largest popularity lift of niche tastes, as a share of the lift of the popularity list.
Measured in November 2026: 0.80 on MovieTweetings (five ratings per member, so every model stays
near the popularity list), 0.49 on ml-latest-small."""

SMALLEST_SHOWN_RATIO = 0.3
"""The least exposure share of a value, as a share of its viewing share, or of what lists can have
of it where that is less: members have seen its titles, or the catalogue no longer has them."""

LEAST_WATCHED_RATIO = 0.05
"""The viewing share from which `SMALLEST_SHOWN_RATIO` applies."""


LARGEST_EFFECTIVE_SHARE = 0.75
"""The share of the effective catalogue size of what members watch beyond which none is required."""

SMALLEST_EFFECTIVE_SHARE = 0.075
"""The least effective catalogue size of slates, as a share of the way from one list for all to what
members watch, on a scale of logarithms. Measured in November 2026: on MovieTweetings 100K members
watch 2,159 effective titles and the limit is 15 of ten places; slates have 16 there, and 60 and 180
on sets with longer histories."""


def taste_groups(liked: sp.csr_array[np.float32]) -> NDArray[np.intp]:
    """The taste of each member as an index into `TASTES`; -1 for members without interactions.

    Members are ordered by the share of popular titles in their interactions. The lowest fifth is
    niche, the highest fifth is blockbuster.

    References
    ----------
    Abdollahpouri et al., "The unfairness of popularity bias in recommendation", RMSE at
    RecSys 2019.
    """
    counts = np.diff(liked.indptr)
    of_titles = np.bincount(liked.indices, minlength=liked.shape[1])
    head = np.argsort(-of_titles, kind="stable")[: max(1, round(HEAD_RATIO * len(of_titles)))]
    popular = np.zeros(liked.shape[1], np.bool_)
    popular[head] = True
    row = np.repeat(np.arange(len(counts)), counts)
    hits = np.bincount(row, weights=popular[liked.indices], minlength=len(counts))
    known = np.flatnonzero(counts > 0)
    order = known[np.argsort(hits[known] / counts[known], kind="stable")]
    end = round(HEAD_RATIO * len(order))
    groups = np.full(len(counts), -1, np.intp)
    groups[order] = 1
    groups[order[:end]] = 0
    groups[order[len(order) - end :]] = 2
    return groups


def popularity_lift(
    slates: NDArray[np.intp], liked: sp.csr_array[np.float32], groups: NDArray[np.intp]
) -> list[Row]:
    """The mean popularity of what members are shown, relative to that of what they watch.

    Popularity of a title is the share of active members who have an interaction with it.

    Rows: group, member_count, watched and shown (mean popularity of the members' interactions and
    of their slates), lift (`shown / watched - 1`; 0 is none).
    """
    counts = np.diff(liked.indptr)
    active_count = max(1, int((counts > 0).sum()))
    popularity = np.bincount(liked.indices, minlength=liked.shape[1]) / active_count
    row = np.repeat(np.arange(len(counts)), counts)
    total = np.bincount(row, weights=popularity[liked.indices], minlength=len(counts))
    watched = total / np.maximum(counts, 1)
    filled = slates != NONE
    shown = np.where(filled, popularity[slates], 0).sum(axis=1) / np.maximum(filled.sum(axis=1), 1)
    rows: list[Row] = []
    for number, name in enumerate(TASTES):
        inside = groups == number
        if not inside.any():
            continue
        before, after = float(watched[inside].mean()), float(shown[inside].mean())
        group = {"group": name, "member_count": int(inside.sum()), "watched": before}
        rows.append(group | {"shown": after, "lift": after / before - 1})
    return rows


def providers(
    slates: NDArray[np.intp],
    liked: sp.csr_array[np.float32],
    attributes: Mapping[str, tuple[Sequence[str], sp.csr_array[np.float32]]],
) -> list[Row]:
    """The share of catalogue, plays and slots of each value of each attribute of titles.

    Parameters
    ----------
    attributes : mapping of name to (values, shares)
        `shares` has one row per title and one column per value; rows sum to 1, or to 0 where
        the value is unknown.

    Returns
    -------
    Rows: attribute, value, title_count, catalogue_ratio, watched_ratio, shown_ratio.
    """
    in_slates = metrics.exposure(slates, title_count=liked.shape[1])
    in_likes = np.bincount(liked.indices, minlength=liked.shape[1])
    rows = []
    for attribute, (values, shares) in attributes.items():
        parts = [
            _ratios(np.asarray(shares.T @ counts.astype(np.float64)))
            for counts in (np.ones(shares.shape[0]), in_likes, in_slates)
        ]
        carried = np.bincount(shares.indices, minlength=len(values))
        for value, count, catalogue, watched, shown in zip(values, carried, *parts, strict=True):
            row: Row = {"attribute": attribute, "value": value, "title_count": int(count)}
            row |= {"catalogue_ratio": float(catalogue), "watched_ratio": float(watched)}
            rows.append(row | {"shown_ratio": float(shown)})
    return rows


def attainable_shares(
    attributes: Mapping[str, tuple[Sequence[str], sp.csr_array[np.float32]]],
    seen: sp.csr_array[np.bool_],
    *,
    allowed: NDArray[np.bool_],
    places: int,
    slots: int,
) -> dict[tuple[str, str], float]:
    """The largest exposure share that each value of each attribute can have, from 0 to 1.

    A list has a title once, no title that its member has seen, and only titles of the catalogue.

    Parameters
    ----------
    attributes
        As for `providers`.
    seen : bool CSR, shape (n_members, n_titles)
    allowed : bool, shape (n_titles,)
        The titles that may be shown.
    places : int
        Places of a slate that count.
    slots : int
        Places of all slates that are filled.
    """
    found = {}
    seen_titles = seen.astype(np.float32)
    for attribute, (values, shares) in attributes.items():
        left = sp.csr_array(sp.diags_array(allowed.astype(np.float64)) @ shares)
        all_titles: NDArray[np.float64] = np.asarray(left.sum(axis=0)).ravel()
        of_members = sp.csc_array(seen_titles @ left)  # seen titles of each value
        for column, value in enumerate(values):
            own = of_members.data[of_members.indptr[column] : of_members.indptr[column + 1]]
            most = min(places, all_titles[column])
            unseen = np.clip(all_titles[column] - own, 0, places)
            reachable = most * seen.shape[0] + float((unseen - most).sum())
            found[attribute, value] = min(1.0, reachable / max(1, slots))
    return found


def watched_titles(liked: sp.csr_array[np.float32]) -> float:
    """The effective catalogue size of what members watch; see `effective_titles`."""
    return _effective_size(np.bincount(liked.indices, minlength=liked.shape[1]))


def effective_titles(slates: NDArray[np.intp], *, title_count: int) -> float:
    r"""The effective catalogue size: the number of equally shown titles with the same exposure.

    :math:`2 \sum_i i \, p_i - 1` with shares of places in descending order: 1 when one title has
    all places, `title_count` when all titles have the same number.

    References
    ----------
    Gomez-Uribe and Hunt, "The Netflix recommender system", TMIS 2015.

    Examples
    --------
    >>> effective_titles(np.array([[0, 1], [0, 1]]), title_count=9)
    2.0
    """
    return _effective_size(metrics.exposure(slates, title_count=title_count))


def _effective_size(counts: NDArray[np.integer]) -> float:
    """The effective catalogue size of the numbers of times that titles were shown or watched."""
    total = counts.sum()
    rank = np.arange(1, len(counts) + 1)
    return float(2 * (rank @ np.sort(counts)[::-1]) / total - 1) if total else 0.0


def least_effective_titles(places: int, watched: float) -> float:
    """The least effective catalogue size that passes.

    Parameters
    ----------
    places : int
        Places of a slate that count: the effective catalogue size of one list for all.
    watched : float
        As `watched_titles` returns it.

    >>> round(least_effective_titles(10, 2159)), round(least_effective_titles(10, 150), 1)
    (15, 12.3)
    >>> least_effective_titles(10, 12)
    9.0
    """
    between = float(places * max(1.0, watched / places) ** SMALLEST_EFFECTIVE_SHARE)
    return min(between, LARGEST_EFFECTIVE_SHARE * watched)


def verdicts(
    lift: Sequence[Row],
    lift_of_popularity: Sequence[Row],
    provided: Sequence[Row],
    *,
    effective: float,
    places: int,
    watched: float,
    attainable: Mapping[tuple[str, str], float] | None = None,
) -> list[Verdict]:
    """The rules on slates: popularity lift, exposure shares, effective catalogue size.

    Parameters
    ----------
    lift, lift_of_popularity
        As `popularity_lift` returns them, for the slates and for the popularity list.
    provided
        As `providers` returns them.
    effective : float
        As `effective_titles` returns it.
    places : int
        Places of a slate that count.
    watched : float
        As `watched_titles` returns it.
    attainable
        As `attainable_shares` returns it; without it every share is attainable.
    """
    rules = [*_niche_lift(lift, lift_of_popularity)]
    for attribute in sorted({row["attribute"] for row in provided}):
        shares = [
            _exposure_share(row, (attainable or {}).get((attribute, row["value"]), 1.0), places)
            for row in provided
            if row["attribute"] == attribute and row["watched_ratio"] >= LEAST_WATCHED_RATIO
        ]
        if shares:
            rules.append(min(shares, key=lambda verdict: verdict.observed))
    floor = least_effective_titles(places, watched)
    rules.append(
        Verdict(
            rule="effective_titles",
            status=status_if(effective >= floor),
            metric=f"effective_titles@{places}",
            observed=effective,
            threshold=floor,
            value=f"{effective:.0f}",
            limit=f"{floor:.0f}",
        )
    )
    return rules


def _niche_lift(lift: Sequence[Row], lift_of_popularity: Sequence[Row]) -> list[Verdict]:
    """The popularity lift of niche tastes; no rule where the popularity list has no lift."""
    own, popular = (
        {row["group"]: row["lift"] for row in rows} for rows in (lift, lift_of_popularity)
    )
    if popular.get("niche", 0.0) <= 0:
        return []
    ratio = own["niche"] / popular["niche"]
    return [
        Verdict(
            rule="popularity_lift_niche",
            status=status_if(ratio <= LARGEST_LIFT_RATIO),
            metric="popularity_lift",
            subject="by member taste",
            observed=ratio,
            threshold=LARGEST_LIFT_RATIO,
            value=f"niche {100 * own['niche']:+.0f} %, popularity {100 * popular['niche']:+.0f} %",
            limit=f"{percent(LARGEST_LIFT_RATIO, decimals=0)} of popularity",
        )
    ]


def _exposure_share(row: Row, attainable: float, places: int) -> Verdict:
    """The exposure share of one value, one row of `providers`, beside its viewing share."""
    shown, watched = row["shown_ratio"], row["watched_ratio"]
    due = min(watched, attainable)
    ratio = shown / due if due else 1.0
    of_what = "its share" if due == watched else f"the {percent(due)} that are attainable"
    return Verdict(
        rule=f"exposure_by_{row['attribute']}",
        status=status_if(ratio >= SMALLEST_SHOWN_RATIO),
        metric="exposure_share",
        subject=f"by title {row['attribute']}",
        observed=ratio,
        threshold=SMALLEST_SHOWN_RATIO,
        value=f"{row['value']} {percent(shown)} of top-{places} slots, {percent(watched)} of plays",
        limit=f"{percent(SMALLEST_SHOWN_RATIO, decimals=0)} of {of_what}",
    )


def _ratios(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = amounts.sum()
    return amounts / total if total else amounts
