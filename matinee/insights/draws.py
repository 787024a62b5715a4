"""Draws an asset for a member and a title: with its probability, and the same one every time."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError

_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> int:
    """64 bits of a hash of some texts."""
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def draw(
    member_key: int, asset_keys: NDArray[np.uint64], probability: NDArray[np.float64]
) -> NDArray[np.intp]:
    """The assets that a member sees, of several titles; the same ones until the policy changes.

    Each asset gets a uniform number u from its key and the member's, and the smallest
    -log(u) / probability wins. So an asset is drawn with its probability, and where probabilities
    change, members move only from assets that lost to assets that won.

    Parameters
    ----------
    member_key : int
        `key_of(member_id)`.
    asset_keys : uint64, shape (n_titles, n_assets)
        `key_of(seed, title_id, asset_id)` each.
    probability : float64, shape (n_titles, n_assets)
        0 for an asset that is not shown, and where a title has fewer.

    Returns
    -------
    intp, shape (n_titles,)
        The place of the asset of each title.

    Raises
    ------
    DataError
        If no asset of a title has a positive probability.

    References
    ----------
    Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005 (the logarithmic
    method of weighted rendezvous hashing). The keys are mixed as in SplitMix64 (Steele, Lea and
    Flood, OOPSLA 2014).
    """
    mixed = (asset_keys ^ np.uint64(member_key)) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    u = ((mixed ^ (mixed >> np.uint64(31))) + 0.5) / 2.0**64
    with np.errstate(divide="ignore"):
        arrival = np.log(1.0 / u) / probability
    if len(arrival) and not np.isfinite(arrival.min(axis=1)).all():
        raise DataError("no asset of a title may be shown: all probabilities are 0")
    best: NDArray[np.intp] = arrival.argmin(axis=1)
    return best
