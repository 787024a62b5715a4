"""Titles that hardly anybody but newcomers likes: what a ring of accounts that push one looks like.

One account is bounded by caps on its acts. Many accounts are not, and each looks like a new member.
What gives them away is whom a title is liked by: a ring has no history of its own, and an honest
hit is liked by members who like other things too. So what newcomers say of a title counts, unless
they are far more of its crowd than of everybody's.

The oldest idea on push attacks is to look at profiles one by one, and the next to look at them
together (Mehta, "Unsupervised shilling detection for collaborative filtering", AAAI 2007); this is
the second, by title, so that it says which title is pushed and needs no examples of attacks. An
account that likes `SETTLED` other titles is past it: rings can buy that, at ten plays an account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

SETTLED = 10
"""Titles besides the one asked about that make a member more than a newcomer to it."""

MOST_OF_CROWD = 0.5
"""The least share of newcomers in a crowd that is doubted."""

TIMES_USUAL = 2.0
"""And how many times their share in all crowds: where most members are new, that is no sign."""

FEWEST = 3
"""Newcomers that make a ring: one or two are chance, whatever else is so."""

CHANCE = 0.01
"""How seldom a title liked by the usual mix of members would look like this by chance."""


@dataclass(frozen=True)
class Crowds:
    """Who likes each title, and which crowds are doubted."""

    viewers: NDArray[np.int64]
    """Members who like it, shape (n_titles,)."""
    newcomers: NDArray[np.int64]
    """Those of them who like fewer than `SETTLED` other titles."""
    usual: float
    """The share of newcomers in all crowds together."""
    doubted: NDArray[np.bool_]
    """Titles whose newcomers are more of the crowd than chance and habit make them."""
    unsettled: NDArray[np.bool_]
    """Newcomers, shape (n_members,)."""

    def sentence(self, row: np.intp, title_id: str) -> str:
        """What is odd about one title."""
        return (
            f"{title_id}: {self.newcomers[row]:,} of the {self.viewers[row]:,} members who like it"
            f" like fewer than {SETTLED} other titles, and {self.usual:.0%} is usual: what they did"
            " with it is not learned from until others like it too"
        )


def crowds(
    members: NDArray[np.intp],
    titles: NDArray[np.intp],
    liked: NDArray[np.bool_],
    *,
    shape: tuple[int, int],
) -> Crowds:
    """Look at who likes what.

    Parameters
    ----------
    members, titles : intp, shape (n,)
        Rows of the vocabularies; a pair may come many times.
    liked : bool, shape (n,)
        Whether the act speaks for the title.
    shape : (n_members, n_titles)

    Examples
    --------
    Forty members like titles 0 to 11 each, and four accounts nothing but title 12.

    >>> members = np.concatenate([np.repeat(np.arange(40), 12), np.arange(40, 44)])
    >>> titles = np.concatenate([np.tile(np.arange(12), 40), np.full(4, 12)])
    >>> found = crowds(members, titles, np.ones(484, bool), shape=(44, 13))
    >>> np.flatnonzero(found.doubted)
    array([12])
    """
    n_members, n_titles = shape
    pairs = np.unique(members[liked].astype(np.int64) * n_titles + titles[liked])
    member, title = pairs // n_titles, pairs % n_titles
    unsettled = np.bincount(member, minlength=n_members) - 1 < SETTLED
    viewers = np.bincount(title, minlength=n_titles)
    newcomers = np.bincount(title[unsettled[member]], minlength=n_titles)
    usual = float(newcomers.sum() / max(viewers.sum(), 1))
    share = newcomers / np.maximum(viewers, 1)
    by_chance = bdtrc(np.maximum(newcomers - 1, 0), np.maximum(viewers, 1), usual)
    doubted = (
        (newcomers >= FEWEST)
        & (share > max(MOST_OF_CROWD, TIMES_USUAL * usual))
        & (by_chance < CHANCE)
    )
    return Crowds(viewers, newcomers, usual, doubted, unsettled)
