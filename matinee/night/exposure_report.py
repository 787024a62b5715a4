"""Exposure in tonight's slates: the numbers of `exposure/`, and the verdicts of the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices
from matinee.columns import MEMBER_ID
from matinee.evaluation import gate
from matinee.night.policy import exposure_policy
from matinee.night.scorer import Scorer
from matinee.night.shelves import NEW_FOR
from matinee.slates import exposure, ranking
from matinee.slates.exposure import Row
from matinee.slates.self_preference import SelfPreference, self_preference

MOST_LISTED = 8
"""Values of an attribute in the manifest: those most watched. `exposure/providers` has them all."""


@dataclass(frozen=True)
class Exposed:
    """A night's exposure."""

    lift: list[Row]
    lift_of_hits: list[Row]
    """The popularity lift of a plain popularity list for members of niche taste."""
    providers: list[Row]
    effective_titles: float
    verdicts: tuple[gate.Verdict, ...]

    def most_watched(self) -> list[Row]:
        """The first `MOST_LISTED` values of each attribute."""
        by_attribute: dict[str, list[Row]] = {}
        for row in sorted(self.providers, key=lambda row: (-row["watched_ratio"], row["value"])):
            by_attribute.setdefault(row["attribute"], []).append(row)
        return [row for name in sorted(by_attribute) for row in by_attribute[name][:MOST_LISTED]]


def measure_exposure(scorer: Scorer, first: NDArray[np.intp]) -> Exposed:
    """Exposure in the first places of all members.

    Parameters
    ----------
    first : intp, shape (n_members, places)
        In the order of the catalogue's members.
    """
    liked = scorer.ranker.liked
    rows = scorer.frame.members.rows(scorer.catalogue.members[MEMBER_ID])
    personal = np.full((liked.shape[0], first.shape[1]), ranking.NONE, np.intp)
    personal[rows[rows >= 0]] = first[rows >= 0]
    groups = exposure.taste_groups(liked)
    lift = exposure.popularity_lift(personal, liked, groups)
    niche = np.flatnonzero(groups == exposure.TASTES.index("niche"))
    allowed = scorer.catalogue.eligibility.allowed(None, None)
    hits = np.full(personal.shape, ranking.NONE, np.intp)
    hits[niche], _ = ranking.best_of_scores(
        np.bincount(liked.indices, minlength=liked.shape[1]).astype(np.float64)[None, :],
        np.zeros(len(niche), np.intp),
        first.shape[1],
        excluded=scorer.ranker.seen[niche],
        allowed=allowed,
    )
    lift_of_hits = exposure.popularity_lift(hits, liked, np.where(groups == 0, 0, -1))
    attributes = _attributes(scorer)
    provided = exposure.providers(first, liked, attributes)
    effective = exposure.effective_titles(first, title_count=liked.shape[1])
    verdicts = exposure.verdicts(
        lift,
        lift_of_hits,
        provided,
        effective=effective,
        places=first.shape[1],
        watched=exposure.watched_titles(liked),
        attainable=exposure.attainable_shares(
            attributes,
            _seen(scorer.ranker.seen, rows),
            allowed=allowed,
            places=first.shape[1],
            slots=int((first != ranking.NONE).sum()),
        ),
    )
    return Exposed(lift, lift_of_hits, provided, effective, tuple(verdicts))


def own_productions(scorer: Scorer, first: NDArray[np.intp]) -> SelfPreference | None:
    """Exposure of own productions in the first places, beside what viewing predicts.

    Strata are the titles of this month, of this year, and older ones. None where no title is known
    to be an own production, or there are too few.
    """
    titles = scorer.catalogue.titles
    is_own = pc.fill_null(titles["is_original"], False).to_numpy(zero_copy_only=False)
    if not is_own.any():
        return None
    added = titles["added_on"].cast(pa.date32())
    day = scorer.frame.as_of.date()
    stratum = sum(
        pc.fill_null(pc.less(added, pa.scalar(day - since, pa.date32())), True)
        .to_numpy(zero_copy_only=False)
        .astype(np.intp)
        for since in (NEW_FOR, timedelta(days=365))
    )
    rows = scorer.frame.members.rows(scorer.catalogue.members[MEMBER_ID])
    known = np.flatnonzero(rows >= 0)
    return self_preference(
        first[known],
        sp.csr_array(scorer.ranker.seen[rows[known]]),
        is_own=is_own,
        stratum=np.asarray(stratum, np.intp),
    )


def _seen(seen: sp.csr_array[np.bool_], rows: NDArray[np.intp]) -> sp.csr_array[np.bool_]:
    """What the members of the catalogue have seen; who is not in the frame has seen nothing."""
    known = seen[rows[rows >= 0]]
    counts = np.zeros(len(rows), known.indptr.dtype)
    counts[rows >= 0] = np.diff(known.indptr)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_array((known.data, known.indices, indptr), shape=(len(rows), seen.shape[1]))


def table(providers: Sequence[Row]) -> pa.Table:
    """All providers, for `exposure/providers.parquet`."""
    kinds = {"attribute": pa.string(), "value": pa.string(), "title_count": pa.int64()}
    kinds |= dict.fromkeys(("catalogue_ratio", "watched_ratio", "shown_ratio"), pa.float64())
    return pa.Table.from_pylist(list(providers), schema=pa.schema(kinds))


def _attributes(scorer: Scorer) -> dict[str, tuple[list[str], sp.csr_array[np.float32]]]:
    """Each title's shares in the values of each attribute."""
    titles = scorer.catalogue.titles
    since = pa.scalar(scorer.frame.as_of.date() - NEW_FOR, pa.date32())
    is_new = pc.greater_equal(titles["added_on"].cast(pa.date32()), since)
    age = pc.if_else(is_new, "new this month", "older")  # null where the day is unknown
    columns = {name: titles[column] for name, column in exposure_policy.ATTRIBUTES.items()} | {
        "added": age
    }
    found = {}
    for name, column in columns.items():
        described = matrices.features(
            scorer.catalogue.title_rows,
            {name: column},
            identity=True,  # so that a catalogue without any value is no error
            family_weights={name: 1.0},
            minimum_support=1,
        )
        of = described.columns_of(name)
        if of.any():
            values = [one.partition("=")[2] for one in np.array(described.names)[of].tolist()]
            found[name] = (values, sp.csr_array(described.matrix[:, of]))
    return found
