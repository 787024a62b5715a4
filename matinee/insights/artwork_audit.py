"""An audit of the artwork policy: do groups that it never reads get other pictures than all?

Segments come from behaviour, and behaviour goes with age, gender and country. So a policy that
reads none of them can still show one group other pictures than the rest. The audit measures that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

PERMUTATIONS = 99
"""Random assignments of members to groups, for the level that chance gives."""


@dataclass(frozen=True)
class Row:
    """How far the pictures of one group are from those of all."""

    attribute: str
    group: str
    members: int
    distance: float
    """Total variation between the group's assets and everyone's, 0 to 1, mean over titles."""
    by_chance: float
    """The 95th percentile of that for random groups of the same size."""

    @property
    def is_notable(self) -> bool:
        """Whether the group sees other pictures than chance explains."""
        return self.distance > self.by_chance


def audit(
    shown: sp.csr_array[np.float64],
    titles: NDArray[np.intp],
    groups: Mapping[str, Sequence[str | None]],
    *,
    least_members: int,
    seed: int,
) -> list[Row]:
    """The distance of each group of each attribute, largest excess over chance first.

    Parameters
    ----------
    shown : CSR, shape (n_members, n_assets)
        How often each asset is expected to be shown to each member, or was.
    titles : intp, shape (n_assets,)
        The title of each asset.
    groups : attribute -> the group of each member, null for unknown
        Attributes that were never inputs: gender, age, country.
    least_members : int
        Smaller groups are left out.
    seed : int
        Of the permutations.
    """
    random = np.random.default_rng(seed)
    active = np.flatnonzero(np.diff(shown.indptr))
    shown = sp.csr_array(shown[active])
    orders = [random.permutation(len(active)) for _ in range(PERMUTATIONS)]
    rows = []
    for attribute, labels in groups.items():
        own = np.array([labels[row] or "" for row in active.tolist()], np.str_)
        for group in sorted(set(own) - {""}):
            inside = own == group
            if not least_members <= inside.sum() < len(active):
                continue
            masks = np.stack([inside, *(inside[order] for order in orders)]).astype(np.float64)
            found = _distances(masks, shown, titles)
            chance = float(np.quantile(found[1:], 0.95))
            rows.append(Row(attribute, str(group), int(inside.sum()), float(found[0]), chance))
    return sorted(rows, key=lambda row: (row.by_chance - row.distance, row.attribute, row.group))


def _distances(
    masks: NDArray[np.float64], shown: sp.csr_array[np.float64], titles: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The mean distance over titles, by what the group saw of each, of each mask of members."""
    of_title = sp.csr_array(
        (np.ones(len(titles)), (np.arange(len(titles)), titles)),
        shape=(len(titles), int(titles.max(initial=-1)) + 1),
    )
    everyone = np.ones((1, len(masks[0])))
    assets = np.asarray(np.vstack([everyone, masks]) @ shown, np.float64)
    per_title = np.asarray(assets @ of_title, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.nan_to_num(assets / per_title[:, titles])
    gaps = np.asarray(np.abs(shares[1:] - shares[0]) @ of_title, np.float64)
    seen = per_title[1:]
    distances: NDArray[np.float64] = (0.5 * gaps * seen).sum(axis=1) / seen.sum(axis=1)
    return distances
