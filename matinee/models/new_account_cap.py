"""The new-account cap: a limit on likes from new accounts per title.

Caps on events bound the influence of one account. Many accounts that push one title are not bound
by them, and each looks like a new member. But an account cannot forge its history: the days on
which the service received its events. So of the members who like a title, those who were active on
few days apart from it are counted up to a limit. The limit follows from the other members: as many
as there are settled ones, or ten times the usual ratio where most members are new. The earliest
likes count first. A title that is popular among new members keeps its likes when settled members
like it too.

Days after the like count like days before it: a title that most members watch in their first week
is liked by few who were settled before, and by many who are settled now. An attacker pays the same
for either: each account has to be used on `SETTLED_DAYS` days without the title.

The cap bounds the effect of many accounts. It cannot tell an attack from a real crowd: accounts
that were used on enough days are members like any other. Each of them then counts little more than
an average interaction (`matrices.LARGEST_WEIGHT`).

References: Mobasher et al., "Toward trustworthy recommender systems", TOIT 2007 (attacks and their
cost); Resnick and Sami, "The influence limiter", RecSys 2007 (the influence of an account grows
with its history).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SETTLED_DAYS = 3
"""A member with events on so many days, apart from those with events on a title, is settled for
it."""

RATIO_FACTOR = 10.0
"""The largest ratio of new accounts to settled members, as a multiple of the usual ratio: tastes
differ."""

ALWAYS_COUNTED = 2
"""New accounts that always count: two may be by chance."""

REPORTED_FROM = 3
"""A title is reported from so many new accounts beyond the cap, if they are most of its members.
Where most likes are from new accounts, no title is reported."""


@dataclass(frozen=True)
class CappedLikes:
    """The likes of each title, and which of them are beyond the cap."""

    excluded: NDArray[np.bool_]
    """Events beyond the cap, shape (n,): models must not learn from them."""

    members: NDArray[np.int64]
    """Members who like each title, shape (n_titles,)."""

    new_accounts: NDArray[np.int64]
    """Those of them with a new account, shape (n_titles,)."""

    counted: NDArray[np.int64]
    """New accounts within the cap, shape (n_titles,)."""

    @property
    def reported(self) -> NDArray[np.intp]:
        """Rows of titles that are mostly liked by new accounts beyond the cap."""
        beyond = self.new_accounts - self.counted
        most = (beyond >= REPORTED_FROM) & (2 * beyond > self.members)
        is_unusual = 2 * self.new_accounts.sum() < self.members.sum()
        return np.flatnonzero(most & is_unusual)

    def warning(self, row: np.intp, title_id: str) -> str:
        """One sentence on one title: what is unusual, and what is done about it."""
        return (
            f"{title_id}: {self.new_accounts[row]:,} of the {self.members[row]:,} members who like"
            f" it had events on fewer than {SETTLED_DAYS} other days; {self.counted[row]:,} of"
            " them are learned from, and more when settled members like it too"
        )


def capped_likes(
    members: NDArray[np.intp],
    titles: NDArray[np.intp],
    liked: NDArray[np.bool_],
    times: NDArray[np.datetime64],
    *,
    shape: tuple[int, int],
) -> CappedLikes:
    """Apply the new-account cap to events.

    Parameters
    ----------
    members, titles : intp, shape (n,)
        Rows of the vocabularies; a pair may come many times.
    liked : bool, shape (n,)
        Whether the event has a positive signal.
    times : datetime64, shape (n,)
        The time of the event; of new accounts at the same instant the lower row comes first.
    shape : (n_members, n_titles)

    Examples
    --------
    Forty members like one title per day, each in a different order; four accounts like only
    title 12.

    >>> days, members = np.divmod(np.arange(480), 40)
    >>> titles = np.append((days + members) % 12, [12] * 4)
    >>> members = np.append(members, [40, 41, 42, 43])
    >>> times = np.datetime64("2026-01-01") + np.append(days, [11] * 4)
    >>> capped = capped_likes(members, titles, np.ones(484, bool), times, shape=(44, 13))
    >>> np.flatnonzero(capped.excluded)
    array([482, 483])
    """
    n_titles = shape[1]
    keys = members.astype(np.int64) * n_titles + titles
    pairs, place = np.unique(keys[liked], return_inverse=True)
    member, title = np.divmod(pairs, n_titles)
    seconds = times.astype("datetime64[s]").astype(np.int64)
    first_like = np.full(len(pairs), np.iinfo(np.int64).max)
    np.minimum.at(first_like, place, seconds[liked])
    day = seconds // 86_400
    of_member = _days(members, day, shape[0])[member]
    is_liked = np.isin(keys, pairs)
    of_title = _days(np.searchsorted(pairs, keys[is_liked]), day[is_liked], len(pairs))
    is_new = of_member - of_title < SETTLED_DAYS

    new_accounts, settled = (
        np.bincount(title[of_kind], minlength=n_titles) for of_kind in (is_new, ~is_new)
    )
    usual_ratio = is_new.sum() / max((~is_new).sum(), 1)
    cap = np.maximum(settled, np.floor(RATIO_FACTOR * usual_ratio * (settled + 1)))
    counted = np.minimum(new_accounts, np.maximum(cap, ALWAYS_COUNTED)).astype(np.int64)

    order = np.lexsort((member, first_like, title))
    order = order[is_new[order]]
    rank = np.arange(len(order)) - np.searchsorted(title[order], title[order])
    beyond = np.sort(pairs[order[rank >= counted[title[order]]]])
    return CappedLikes(np.isin(keys, beyond), new_accounts + settled, new_accounts, counted)


def _days(rows: NDArray[np.intp], day: NDArray[np.int64], n_rows: int) -> NDArray[np.intp]:
    """On how many days each row has events: intp, shape (n_rows,)."""
    first, last = (day.min(), day.max()) if len(day) else (0, 0)
    span = last - first + 1
    return np.bincount(np.unique(rows * span + day - first) // span, minlength=n_rows)
