"""Who is shown what: whether some tastes, makers, titles or members are served less than others.

Arrays in, rows of a report out; `verdicts` holds thresholds to them, and `moved_up` gives titles
that are shown too little more of the first places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.evaluation import metrics
from matinee.evaluation.gate import Verdict
from matinee.slates.ranking import NONE

Row: TypeAlias = dict[str, Any]
"""One line of a report."""

TASTES = ("niche", "blended", "blockbuster")

HEAD_RATIO = 0.2
"""The most liked titles that count as popular; and the members at either end of the scale."""

SMALLEST_GROUP = 20
"""Members below which a group has no row of its own: its mean would be luck, and telling."""

LARGEST_LIFT_RATIO = 0.95
"""Niche tastes may see at most so much of the lift toward hits that a plain list of hits gives.
Where members have told little (MovieTweetings: five ratings each) an honest model stays near it:
0.80 was seen there, 0.49 on ml-latest-small, November 2026."""

SMALLEST_SHOWN_RATIO = 0.3
"""Who has a share of the watching gets at least so much of it in first places."""

LEAST_WATCHED_RATIO = 0.05
"""The share of the watching from which that holds."""

LARGEST_GAP_RATIO = 0.3
"""How far a group's mean may be under everybody else's, as a share of theirs."""

SMALLEST_EFFECTIVE_PLACES = 1.5
"""Effective titles for each of the first places: 1 is everybody seeing one list. Where members have
told little (MovieTweetings) a night's trend is as loud as this lets it, 1.6; 6 and 18 were seen on
richer logs; November 2026."""

CHANCE_REFUSES = 0.01
"""How often a night at most finds a group behind where none is, however many groups there are."""


def taste_groups(liked: sp.csr_array[np.float32]) -> NDArray[np.intp]:
    """Which of `TASTES` each member has; -1 for members who liked nothing.

    Members are ordered by how much of what they liked is popular. The fifth with least is niche,
    the fifth with most is blockbuster.

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
    """How much more popular than what they like are the titles that members are shown.

    Rows: group, member_count, watched (the mean popularity of what its members liked: the share of
    all who liked it), shown, lift (`shown / watched - 1`; 0 is none).
    """
    counts = np.diff(liked.indptr)
    liking = max(1, int((counts > 0).sum()))
    popularity = np.bincount(liked.indices, minlength=liked.shape[1]) / liking
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
        row_ = {"group": name, "member_count": int(inside.sum()), "watched": before}
        rows.append(row_ | {"shown": after, "lift": after / before - 1})
    return rows


def providers(
    slates: NDArray[np.intp],
    liked: sp.csr_array[np.float32],
    attributes: Mapping[str, tuple[Sequence[str], sp.csr_array[np.float32]]],
) -> list[Row]:
    """What part of the catalogue, of the watching and of the first places each value has.

    Parameters
    ----------
    attributes : mapping of name to (values, shares)
        `shares` has a row a title and a column a value; rows sum to 1, or to 0 where unknown.

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


def effective_titles(slates: NDArray[np.intp], *, title_count: int) -> float:
    r"""The effective catalogue size: how many titles, shown alike, would feel as many.

    :math:`2 \sum_i i \, p_i - 1` with shares of places in descending order: 1 when one title has
    all, `title_count` when all have as much.

    References
    ----------
    Gomez-Uribe and Hunt, "The Netflix recommender system", TMIS 2015.

    Examples
    --------
    >>> effective_titles(np.array([[0, 1], [0, 1]]), title_count=9)
    2.0
    """
    counts = np.sort(metrics.exposure(slates, title_count=title_count))[::-1]
    if not counts.sum():
        return 0.0
    return float(2 * (np.arange(1, title_count + 1) @ counts) / counts.sum() - 1)


def group_means(
    values: NDArray[np.floating], attributes: Mapping[str, Sequence[str | None]]
) -> list[Row]:
    """A metric in every group of members beside the mean of everybody else.

    Parameters
    ----------
    values : float, shape (n_members,)
        NaN for members who were not judged.
    attributes : mapping of name to one value a member
        None where it is unknown; those members are in no group, and in nobody else's either.

    Returns
    -------
    Rows: attribute, value, n, mean, rest, short (`rest - mean`), short_low, short_high. Groups of
    `SMALLEST_GROUP` and more.

    Notes
    -----
    The interval has the variance of all members within their groups, because the few of a small
    group may all have had the same bad luck and then hardly vary, and is widened by Bonferroni,
    because the worst of all groups is looked at.
    """
    rows: list[Row] = []
    judged = np.isfinite(values)
    for attribute, of_members in attributes.items():
        known = np.array([value is not None for value in of_members]) & judged
        for value in sorted({str(value) for value in of_members if value is not None}):
            inside = known & np.array([one == value for one in of_members])
            mine, others = values[inside], values[known & ~inside]
            if min(len(mine), len(others)) < SMALLEST_GROUP:
                continue
            row: Row = {"attribute": attribute, "value": value, "n": len(mine)}
            row |= {"mean": float(mine.mean()), "rest": float(others.mean())}
            row["short"] = row["rest"] - row["mean"]
            sizes = 1 / len(mine) + 1 / len(others)
            within = np.concatenate([mine - mine.mean(), others - others.mean()])
            row["error"] = float(np.sqrt(within.var() * sizes))
            rows.append(row)
    sure = NormalDist().inv_cdf(1 - CHANCE_REFUSES / max(len(rows), 1))
    for row in rows:
        error = sure * row.pop("error")
        row |= {"short_low": row["short"] - error, "short_high": row["short"] + error}
    return rows


def verdicts(
    lift: Sequence[Row],
    lift_of_hits: Sequence[Row],
    provided: Sequence[Row],
    *,
    effective: float,
    places: int,
) -> list[Verdict]:
    """What the thresholds say of the slates: lift, shares of providers, effective catalogue."""
    found = []
    mine, hits = ({row["group"]: row["lift"] for row in rows} for rows in (lift, lift_of_hits))
    if hits.get("niche", 0.0) > 0:
        observed = mine["niche"] / hits["niche"]
        text = (
            f"niche tastes are shown titles {mine['niche']:+.0%} as popular as what they like; a "
            f"list of hits makes it {hits['niche']:+.0%}, at most {LARGEST_LIFT_RATIO:.0%} of that "
            "is allowed"
        )
        held = observed <= LARGEST_LIFT_RATIO
        found.append(Verdict("popularity_lift_niche", held, observed, LARGEST_LIFT_RATIO, text))
    for attribute in sorted({row["attribute"] for row in provided}):
        big = [
            row
            for row in provided
            if row["attribute"] == attribute and row["watched_ratio"] >= LEAST_WATCHED_RATIO
        ]
        if big:
            worst = min(big, key=lambda row: row["shown_ratio"] / row["watched_ratio"])
            observed = worst["shown_ratio"] / worst["watched_ratio"]
            text = (
                f"{worst['value']} has {worst['watched_ratio']:.1%} of the watching and "
                f"{worst['shown_ratio']:.1%} of first places, at least {SMALLEST_SHOWN_RATIO:.0%} "
                "of its share is asked"
            )
            held = observed >= SMALLEST_SHOWN_RATIO
            rule = f"exposure_by_{attribute}"
            found.append(Verdict(rule, held, observed, SMALLEST_SHOWN_RATIO, text))
    floor = SMALLEST_EFFECTIVE_PLACES * places
    text = f"first places are worth {effective:.0f} titles shown alike, at least {floor:.0f} asked"
    found.append(Verdict("effective_titles", effective >= floor, effective, floor, text))
    return found


def gap_verdicts(groups: Sequence[Row]) -> list[Verdict]:
    """For each attribute of members: no group falls behind the rest by more than chance and much.

    A group is behind when it is short by more than `LARGEST_GAP_RATIO` of the rest's mean and the
    whole interval is above zero.
    """
    found = []
    for attribute in dict.fromkeys(row["attribute"] for row in groups):
        of_attribute = [row for row in groups if row["attribute"] == attribute]
        behind = [row for row in of_attribute if row["short_low"] > 0 and row["rest"] > 0]
        worst = max(behind or of_attribute, key=lambda row: row["short"])
        allowed = LARGEST_GAP_RATIO * worst["rest"]
        held = worst["short"] <= allowed or worst["short_low"] <= 0
        chance = ", which may be chance" if held and worst["short"] > allowed else ""
        text = (
            f"{attribute} {worst['value']}: {worst['mean']:.4f} for {worst['n']} members, "
            f"{worst['rest']:.4f} for the rest: short by {worst['short']:+.4f} "
            f"({worst['short_low']:+.4f} to {worst['short_high']:+.4f}{chance}), tolerated "
            f"{allowed:+.4f}"
        )
        found.append(Verdict(f"gap_by_{attribute}", held, worst["short"], allowed, text))
    return found


def head_start(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    titles: NDArray[np.bool_],
    *,
    share: float,
    places: int,
) -> float:
    """The least head start that gives some titles `share` of the first places; see `moved_up`.

    Parameters
    ----------
    rows, scores : shape (n_members, k)
        Slates as `ranking.best_titles` gives them, or reordered, longer than `places`.
    titles : bool, shape (n_titles,)
        Those that are shown too little.

    Notes
    -----
    Slates that hold too few of the titles keep the share below; what they hold all moves up.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"a share is 0 to 1, got {share}")
    filled = rows != NONE
    lifted = titles[rows] & filled

    def reached(start: float) -> float:
        found = _order(rows, scores, titles, start)[:, :places]
        first = np.take_along_axis(lifted, found, 1)
        return float(first.sum() / max(1, np.take_along_axis(filled, found, 1).sum()))

    low, high = 0.0, 2.0
    if reached(low) >= share:
        return low
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) >= share else (middle, high)
    return high


def moved_up(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    titles: NDArray[np.bool_],
    start: float,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The same slates with some titles moved up by a head start.

    It is in units of the spread of each slate's scores, so that the slates that change are those
    where little is lost.
    """
    order = _order(rows, scores, titles, start)
    return np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)


def _order(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    titles: NDArray[np.bool_],
    start: float,
) -> NDArray[np.intp]:
    """Which place of each slate comes first, second, ... A place is worth what stands there by
    score, so that slates which were reordered before keep that order."""
    filled = rows != NONE
    by_score = -np.sort(-np.where(filled, scores, -np.inf), axis=1)
    last = np.where(filled, scores, np.inf).min(axis=1, keepdims=True)
    spread = np.maximum(by_score[:, :1] - last, 1e-9)
    worth = np.where(filled, (by_score - last) / spread, -1.0)
    return np.argsort(-(worth + start * (titles[rows] & filled)), axis=1, kind="stable")


def _ratios(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = amounts.sum()
    return amounts / total if total else amounts
