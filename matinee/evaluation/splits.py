"""Protocols: which interactions are held out for evaluation.

Each protocol is a mask over interactions, True where one is held out. All interactions of one
member with one title are held out together; otherwise the answer would be in the training data.
Cold members and cold titles stay in the held-out set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError
from matinee.matrices import seen

Name: TypeAlias = Literal["time", "last", "holdout", "cold-titles", "cold-members"]

NAMES: tuple[Name, ...] = get_args(Name)

PER_MEMBER = 10
"""Titles held out of each member where members are split one by one."""

MINIMUM_TEST_MEMBERS = 20
"""A time cut that evaluates fewer says nothing of any model."""

Rows: TypeAlias = NDArray[np.intp]

Mask: TypeAlias = NDArray[np.bool_]

Times: TypeAlias = NDArray[np.datetime64]


@dataclass(frozen=True)
class Protocol:
    """The protocol that evaluates the models of one night."""

    name: Literal["global_time_cut", "leave_last"]
    held_out: Mask
    """bool, one per interaction."""

    cut: np.datetime64 | None
    """Midnight UTC from which interactions are held out; None when time does not decide."""

    test_member_count: int
    verdict: str
    """One sentence: how many members are evaluated, and why by this protocol."""


def global_time_cut(times: Times, *, share: float = 0.1) -> np.datetime64:
    """The midnight (UTC) that leaves closest to `share` of the interactions after it.

    Of two midnights that are equally close the later one: more to learn from.

    Raises
    ------
    ConfigError
        If `share` is not between 0 and 1.
    DataError
        If all interactions fall on one day, so that no midnight divides them.
    """
    _check_share(share)
    days, counts = np.unique(times.astype("datetime64[D]"), return_counts=True)
    if len(days) < 2:
        raise DataError(
            f"{len(times)} interactions on {len(days)} day(s): no midnight divides them"
        )
    after = len(times) - np.cumsum(counts)[:-1]  # held out when cut at days[1], days[2], ...
    distance = np.abs(after - share * len(times))
    best = len(distance) - 1 - int(np.argmin(distance[::-1]))
    cut: np.datetime64 = days[best + 1]
    return cut


def time_split(times: Times, cut: np.datetime64) -> Mask:
    """Held out: interactions at or after `cut`."""
    return times >= cut


def member_holdout(members: Rows, titles: Rows, *, per_member: int, seed: int) -> Mask:
    """Held out: `per_member` random titles of each member, at most half of the member's titles.

    The draw depends on the seed and the set of interactions only, not on their order.
    """
    _check_count(per_member)
    pairs, place = _pairs(members, titles)
    random_key = np.random.default_rng(seed).random(len(pairs))
    return _last_of_each(pairs[:, 0], random_key, per_member)[place]


def leave_last(members: Rows, titles: Rows, times: Times, *, per_member: int = 1) -> Mask:
    """Held out: the `per_member` last titles of each member, at most half of the member's titles.

    Titles are ordered by their first interaction. Of titles at the same instant the one with the
    higher row counts as later.
    """
    _check_count(per_member)
    pairs, place = _pairs(members, titles)
    first = np.full(len(pairs), np.iinfo(np.int64).max)
    np.minimum.at(first, place, times.astype("datetime64[us]").astype(np.int64))
    return _last_of_each(pairs[:, 0], first, per_member)[place]


def cold_titles(titles: Rows, *, share: float = 0.2, seed: int) -> Mask:
    """Held out: all interactions of a random `share` of the titles, as if they were new."""
    _check_share(share)
    distinct, place = np.unique(titles, return_inverse=True)
    count = max(1, round(share * len(distinct)))
    cold = np.zeros(len(distinct), np.bool_)
    cold[np.random.default_rng(seed).permutation(len(distinct))[:count]] = True
    return cold[place]


def cold_members(members: Rows, *, share: float = 0.2, seed: int) -> Mask:
    """Held out: all interactions of a random `share` of the members, as if they were new."""
    return cold_titles(members, share=share, seed=seed)


def hold_out(name: Name, members: Rows, titles: Rows, times: Times, *, seed: int) -> Mask:
    """The mask of a protocol, with the shares that this project's reports use.

    `time` holds out the last tenth of all interactions; `last` and `holdout` ten titles of each
    member, at most half; `cold-titles` and `cold-members` a fifth of titles or members.

    Raises
    ------
    ConfigError
        If there is no protocol of that name.
    """
    match name:
        case "time":
            return time_split(times, global_time_cut(times))
        case "last":
            return leave_last(members, titles, times, per_member=PER_MEMBER)
        case "holdout":
            return member_holdout(members, titles, per_member=PER_MEMBER, seed=seed)
        case "cold-titles":
            return cold_titles(titles, seed=seed)
        case "cold-members":
            return cold_members(members, seed=seed)
        case _:
            raise ConfigError(f"no protocol {name!r}: it is one of {', '.join(NAMES)}")


def truth(
    members: Rows, titles: Rows, held_out: Mask, *, shape: tuple[int, int]
) -> sp.csr_array[np.bool_]:
    """The held-out set: held-out titles that the member has not seen in the training data.

    Titles seen before are left out, as slates leave them out.
    """
    later = seen(members[held_out], titles[held_out], shape=shape).astype(np.int8)
    known = seen(members[~held_out], titles[~held_out], shape=shape).astype(np.int8)
    fresh = sp.csr_array(later - later.multiply(known)).astype(np.bool_)
    fresh.eliminate_zeros()
    fresh.sort_indices()
    return fresh


def choose_protocol(
    members: Rows,
    titles: Rows,
    times: Times,
    *,
    share: float = 0.1,
    per_member: int = PER_MEMBER,
    minimum_test_members: int = MINIMUM_TEST_MEMBERS,
) -> Protocol:
    """The global time cut, or each member's last titles where the cut evaluates too few members.

    The time cut is closest to production, so it is preferred. On short or sparse logs few members
    have interactions on both sides of it, and differences between models are inconclusive.
    """
    days = np.unique(times.astype("datetime64[D]"))
    if len(days) < 2:
        reason = f"all {len(times)} interactions are on one day"
    else:
        cut = global_time_cut(times, share=share)
        held_out = time_split(times, cut)
        count = _test_member_count(members, titles, held_out)
        reason = f"time cut {cut}: {count} members, {minimum_test_members} needed"
        if count >= minimum_test_members:
            verdict = f"global time cut at {cut}: {count} members evaluated"
            return Protocol("global_time_cut", held_out, cut, count, verdict)
    held_out = leave_last(members, titles, times, per_member=per_member)
    count = _test_member_count(members, titles, held_out)
    verdict = (
        f"leave last: {count} members evaluated, up to {per_member} last titles each ({reason})"
    )
    return Protocol("leave_last", held_out, None, count, verdict)


def _pairs(members: Rows, titles: Rows) -> tuple[Rows, Rows]:
    """Distinct (member, title) pairs in ascending order, and which one each interaction is of."""
    pairs, place = np.unique(np.column_stack([members, titles]), axis=0, return_inverse=True)
    return pairs, place.reshape(-1)


def _last_of_each(members: Rows, key: NDArray[np.generic], count: int) -> Mask:
    """The `count` pairs of each member with the highest key, at most half of the member's.

    `members` ascend; of equal keys the later pair, that is the higher title, counts as higher.
    """
    order = np.lexsort([np.arange(len(members)), key, members])
    _, starts, sizes = np.unique(members, return_index=True, return_counts=True)
    rank_from_end = np.repeat(starts + sizes, sizes) - 1 - np.arange(len(members))
    chosen = rank_from_end < np.repeat(np.minimum(count, sizes // 2), sizes)
    held_out = np.zeros(len(members), np.bool_)
    held_out[order] = chosen
    return held_out


def _test_member_count(members: Rows, titles: Rows, held_out: Mask) -> int:
    """Members with at least one held-out title that they have not seen in the training data."""
    pairs, place = _pairs(members, titles)
    known = np.zeros(len(pairs), np.bool_)
    known[place[~held_out]] = True
    return len(np.unique(pairs[~known, 0]))


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise ConfigError(f"a share must lie between 0 and 1, got {share}")


def _check_count(per_member: int) -> None:
    if per_member < 1:
        raise ConfigError(f"at least 1 title per member must be held out, got {per_member}")
