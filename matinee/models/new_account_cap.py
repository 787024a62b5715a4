"""How many newcomers are heard on one title: what a ring of accounts that push one can buy.

One account is bounded by caps on its acts. Many accounts are not, and each looks like a new member.
What an account cannot make up is a past: the days on which the service received its acts. So of the
members who like a title, those who had acted on few days before are heard up to a number that
follows from the others: as many as there are of these, or three times what is usual where most
members are new. Who liked it first is heard first. Nobody is accused, and nothing has to be lifted:
a hit of new members grows with the settled ones who like it too.

This bounds what numbers buy, and tells rings from crowds no better than that: accounts that were
used on `SETTLED_DAYS` days before are members like any other. Each of them counts for little more
than an average opinion then (`matrices.LARGEST_WEIGHT`).

References: Mobasher et al., "Toward trustworthy recommender systems", TOIT 2007 (attacks, and
what they cost); Resnick and Sami, "The influence limiter", RecSys 2007 (an account's say grows
with its history).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SETTLED_DAYS = 3
"""Days with acts of any kind, before the first on a title, that make a member no newcomer to it."""

TIMES_USUAL = 3.0
"""How often newcomers may be what they usually are for one settled member: tastes differ."""

ALWAYS_HEARD = 2
"""Newcomers of whom a title may live on: two are chance, whatever else is so."""

TOLD_FROM = 3
"""Newcomers who are not heard, and who outnumber all others, that are worth a sentence; where most
likes are of newcomers they are no news."""


@dataclass(frozen=True)
class Crowds:
    """Who likes each title, and who of them is heard."""

    unheard: NDArray[np.bool_]
    """Acts that say nothing to models, shape (n,)."""
    viewers: NDArray[np.int64]
    """Members who like each title, shape (n_titles,)."""
    newcomers: NDArray[np.int64]
    """Those of them who were new when they began to."""
    heard: NDArray[np.int64]
    """How many newcomers are heard."""

    @property
    def told(self) -> NDArray[np.intp]:
        """Titles that are mostly liked by newcomers who are not heard."""
        silenced = self.newcomers - self.heard
        most = (silenced >= TOLD_FROM) & (2 * silenced > self.viewers)
        rare = 2 * self.newcomers.sum() < self.viewers.sum()
        return np.flatnonzero(most & rare)

    def sentence(self, row: np.intp, title_id: str) -> str:
        """What is odd about one title, and what is done about it."""
        return (
            f"{title_id}: {self.newcomers[row]:,} of the {self.viewers[row]:,} members who like it"
            f" had acted on fewer than {SETTLED_DAYS} days before; {self.heard[row]:,} of them are"
            " learned from, and more when settled members like it too"
        )


def crowds(
    members: NDArray[np.intp],
    titles: NDArray[np.intp],
    liked: NDArray[np.bool_],
    times: NDArray[np.datetime64],
    *,
    shape: tuple[int, int],
) -> Crowds:
    """Look at who likes what, and since when.

    Parameters
    ----------
    members, titles : intp, shape (n,)
        Rows of the vocabularies; a pair may come many times.
    liked : bool, shape (n,)
        Whether the act speaks for the title.
    times : datetime64, shape (n,)
        When it was; of newcomers at the same instant the lower row came first.
    shape : (n_members, n_titles)

    Examples
    --------
    Forty members like a title a day, each in an order of their own, and four accounts nothing but
    title 12.

    >>> days, members = np.divmod(np.arange(480), 40)
    >>> titles = np.append((days + members) % 12, [12] * 4)
    >>> members = np.append(members, [40, 41, 42, 43])
    >>> times = np.datetime64("2026-01-01") + np.append(days, [11] * 4)
    >>> found = crowds(members, titles, np.ones(484, bool), times, shape=(44, 13))
    >>> np.flatnonzero(found.unheard)
    array([482, 483])
    """
    n_titles = shape[1]
    keys = members.astype(np.int64) * n_titles + titles
    pairs, place = np.unique(keys[liked], return_inverse=True)
    member, title = np.divmod(pairs, n_titles)
    seconds = times.astype("datetime64[s]").astype(np.int64)
    begun = np.full(len(pairs), np.iinfo(np.int64).max)
    np.minimum.at(begun, place, seconds[liked])
    new = _days_before(members, seconds, member, begun) < SETTLED_DAYS

    newcomers, settled = (np.bincount(title[of], minlength=n_titles) for of in (new, ~new))
    usual = new.sum() / max((~new).sum(), 1)
    room = np.maximum(settled, np.floor(TIMES_USUAL * usual * (settled + 1)))
    heard = np.minimum(newcomers, np.maximum(room, ALWAYS_HEARD)).astype(np.int64)

    came = np.lexsort((member, begun, title))
    came = came[new[came]]
    turn = np.arange(len(came)) - np.searchsorted(title[came], title[came])
    silenced = np.sort(pairs[came[turn >= heard[title[came]]]])
    return Crowds(np.isin(keys, silenced), newcomers + settled, newcomers, heard)


def _days_before(
    members: NDArray[np.intp],
    seconds: NDArray[np.int64],
    member: NDArray[np.int64],
    begun: NDArray[np.int64],
) -> NDArray[np.intp]:
    """On how many days each `member` acted before the day of `begun`."""
    first = seconds.min(initial=0) // 86_400
    span = seconds.max(initial=0) // 86_400 - first + 1
    days = np.unique(members * span + seconds // 86_400 - first)
    until = np.searchsorted(days, member * span + begun // 86_400 - first)
    since = np.searchsorted(days, member * span)
    before: NDArray[np.intp] = until - since
    return before
