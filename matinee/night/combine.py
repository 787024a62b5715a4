"""Chooses the weights by which the parts are combined, and the calibration of the slates.

Weights for the next visit learn from three cuts in time, weights for a session from each member's
last titles. Evaluation must not use weights that learned from its held-out set. So the evaluation
of the next visit, on the first cut, has weights from the two earlier cuts alone. The evaluation of
the session halves the members, and each half is ranked by weights that learned from the other.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, PLACES
from matinee.errors import IntegrityError, StorageError
from matinee.models import fallback
from matinee.models.combination import COHORTS, Combination, Context
from matinee.models.default_weights import default_weights
from matinee.models.fits import Fit
from matinee.models.learned_weights import Evidence, choose_weights, evidence
from matinee.night import fit
from matinee.night.catalogue import read_catalogue
from matinee.night.frame import CUTS, EVALUATED, LAST, PUBLISHED
from matinee.night.night import Night
from matinee.night.policy import exposure_policy
from matinee.night.scorer import COMBINATION, CONTEXTS, ready
from matinee.provenance import parse_json
from matinee.slates import exposure

FILE = "combination.json"
"""Under `work/` and in a release: the weights, and the number of members they learned from."""

CALIBRATIONS = (1.0, 1.5, 2.0)
"""Times the setting: the least of them with which slates vary enough."""

MOST_MEMBERS = 4_000
"""The most members that the choice of the calibration uses, to bound its time."""

SAMPLED = 1.02
"""The gate counts all members, the choice `MOST_MEMBERS` at most."""

Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Chosen:
    """Weights, shape (n_cohorts, 2 * n_parts) each: spreads of all parts first, then ranks."""

    parts: tuple[str, ...]
    weights: Mapping[Context, Weights]
    """Of what is published."""

    evaluation_weights: Weights
    """Of the evaluation of the next visit."""

    halves: tuple[Weights, Weights]
    """Of the evaluation of the session: for members of either half."""

    evaluated: Mapping[str, Sequence[int]]
    """Split -> evaluated members of each cohort."""

    calibration_weight: float = 0.0
    published: Mapping[Context, str] | None = None
    """Context -> `COMBINATION`, or the baseline that is published in its place."""

    def combination(self, parts: tuple[str, ...] | None = None) -> Combination:
        """What is published in every context, over the parts of the combination or over `parts`."""
        names = parts or self.parts
        return Combination(
            names,
            {
                context: baseline_weights(rows, self.parts, self.model(context), names)
                for context, rows in self.weights.items()
            },
        )

    def publishing(self, context: Context, model: str) -> Chosen:
        """The same with a model that a context publishes."""
        return replace(self, published={**(self.published or {}), context: model})

    def model(self, context: Context) -> str:
        """What is published in a context."""
        return (self.published or {}).get(context, COMBINATION)

    def write(self, folder: Path) -> None:
        """Leave it to the steps that follow, and to the release."""
        document: dict[str, Any] = {
            "parts": list(self.parts),
            "cohorts": list(COHORTS),
            "weights": {context: rows.tolist() for context, rows in self.weights.items()},
            "evaluation_weights": {
                "next_visit": self.evaluation_weights.tolist(),
                "session": [rows.tolist() for rows in self.halves],
            },
            "evaluated_members": {name: list(counts) for name, counts in self.evaluated.items()},
            "calibration_weight": self.calibration_weight,
            "published": {context: self.model(context) for context in self.weights},
        }
        (folder / FILE).write_text(json.dumps(document, indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Chosen:
        """Read what `write` left.

        Raises
        ------
        StorageError
            If it left nothing: the night got no further, or was an older version's.
        IntegrityError
            If the file is damaged.
        """
        try:
            document = parse_json((folder / FILE).read_bytes())
            nested = document["evaluation_weights"]
            first, second = (np.array(rows) for rows in nested["session"])
            return cls(
                parts=tuple(document["parts"]),
                weights={context: np.array(rows) for context, rows in document["weights"].items()},
                evaluation_weights=np.array(nested["next_visit"]),
                halves=(first, second),
                evaluated=document["evaluated_members"],
                calibration_weight=document["calibration_weight"],
                published=document["published"],
            )
        except OSError as error:
            raise StorageError(
                f"the last night left no {FILE}: {error}; run `matinee run` once more"
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IntegrityError(
                f"{folder / FILE} is not what was written ({error}): run `matinee run` once more"
            ) from None


def combine(night: Night) -> None:
    """Leave the weights of tonight's combination in `work/`."""
    fits = fit.load_all(night)
    published = fits.pop(PUBLISHED)
    chosen = choose(fits, published.parts.names)
    weight = varied(night, published, chosen)
    replace(chosen, calibration_weight=weight).write(night.work(""))


def choose(fits: Mapping[str, Fit], parts: tuple[str, ...]) -> Chosen:
    """Weights from the fits of the validation splits, by the names of their frames."""
    cuts = {
        name: _evidence(one)
        for name, one in fits.items()
        if name in (EVALUATED, *CUTS) and one.frame.is_time_cut
    }
    last = session_fit(fits)
    halves = [_evidence(last, half=half) for half in (0, 1)] if last else []
    visit, session = (default_weights(context, parts) for context in CONTEXTS)
    counts = {name: one.counts.tolist() for name, one in cuts.items()}
    if halves:
        counts[LAST] = (halves[0].counts + halves[1].counts).tolist()
    earlier = [cuts[name] for name in CUTS if name in cuts]
    return Chosen(
        parts=parts,
        weights={
            "next_visit": choose_weights(list(cuts.values()), visit),
            "session": choose_weights(halves, session),
        },
        evaluation_weights=choose_weights(earlier, visit),
        halves=(choose_weights(halves[1:], session), choose_weights(halves[:1], session)),
        evaluated=counts,
    )


def baseline_weights(
    weights: Weights, parts: tuple[str, ...], model: str, names: tuple[str, ...]
) -> Weights:
    """Weights over the parts `names`: the combination's, or those of one part alone.

    A baseline has a weight of 1 on both features of its part, whose order is the part's own.
    Members without history keep the combination's weights: most parts say nothing of them.

    Parameters
    ----------
    weights : float64, shape (n_cohorts, 2 * n_parts)
        Of the combination of `parts`.
    model : str
        `COMBINATION`, or the name of a part.
    """
    placed = np.zeros((len(weights), 2 * len(names)))
    columns = [names.index(part) for part in parts]
    both = [*columns, *(len(names) + column for column in columns)]
    placed[:, both] = weights
    if model != COMBINATION:
        placed[1:] = 0.0
        placed[1:, [names.index(model), len(names) + names.index(model)]] = 1.0
    return placed


def session_fit(fits: Mapping[str, Fit]) -> Fit | None:
    """The fit that last titles are held out of."""
    one = fits.get(EVALUATED)
    return fits.get(LAST) or (one if one and not one.frame.is_time_cut else None)


def half_of(members: pa.Array) -> NDArray[np.bool_]:
    """Which half each member is in, by a hash of the id that stays: bool, shape (n_members,)."""
    return np.array([zlib.crc32(name.encode()) & 1 for name in members.to_pylist()], np.bool_)


def _evidence(one: Fit, half: int | None = None) -> Evidence:
    frame, truth = one.frame, one.frame.truth()
    if half is not None:
        kept = half_of(frame.members.ids) == bool(half)
        of_half = np.repeat(kept, np.diff(truth.indptr))
        entries = truth.data[of_half], truth.indices[of_half]
        lengths = np.where(kept, np.diff(truth.indptr), 0)
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        truth = sp.csr_array((*entries, indptr), shape=truth.shape)
    described = fallback.described(one.model, one.features)
    return evidence(one.parts, truth, allowed=frame.in_catalogue, described=described)


def varied(night: Night, published: Fit, chosen: Chosen) -> float:
    """The least calibration with which tonight's slates vary as much as the gate needs.

    The setting itself where no calibration is enough: the gate then reports it.
    """
    usual = night.settings.calibration_weight
    catalogue = read_catalogue(night)
    every = len(catalogue.members)
    some = np.arange(0, every, max(1, -(-every // MOST_MEMBERS)))
    members = catalogue.members.take(pa.array(some))
    scorer = ready(
        published,
        chosen.combination(),
        catalogue,
        slate_size=night.settings.slate_size,
        calibration_weight=usual,
    )
    rows = published.frame.members.rows(members[MEMBER_ID])
    (lists,) = scorer.ranked(members, ("next_visit",)).values()
    targets = exposure_policy.policy(night.settings.project)
    watched = exposure.watched_titles(scorer.ranker.liked)
    floor = exposure.least_effective_titles(PLACES, watched) * SAMPLED
    for times in CALIBRATIONS:
        weight = min(1.0, times * usual)
        ranker = replace(scorer.ranker, calibration_weight=weight)
        ranker = ranker.with_policy(targets, rows, {"next_visit": lists})
        first = ranker.published(rows, lists, context="next_visit").rows[:, :PLACES]
        if exposure.effective_titles(first, title_count=published.frame.shape[1]) >= floor:
            return weight
    return usual
