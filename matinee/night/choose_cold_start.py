"""Who orders titles that nobody has met: the hybrid by what it expects, or content alone.

Where titles have many likes the hybrid knows better what content means; where they have few, a
model that never looked at anything else does. So a fifth of the titles is hidden from both, and the
one that orders these better for those who met them orders tonight's newcomers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matinee.columns import PLACES
from matinee.evaluation import metrics
from matinee.matrices import IDENTITY, has_interactions
from matinee.models import cold_start, feature_families
from matinee.models.feature_families import CONTENT, HYBRID
from matinee.models.fits import Fitted
from matinee.models.frame import Frame, evenly_spaced
from matinee.models.hybrid import HybridModel
from matinee.night import fit
from matinee.night.frame import COLD, JUDGED, PUBLISHED, read_frame
from matinee.night.night import Night
from matinee.slates import ranking


def learned(night: Night) -> dict[tuple[str, str], Fitted]:
    """What `fit` left of the judged and the published frame, newcomers in the better order."""
    found = {
        wanted: fit.left(night, *wanted) for wanted in fit.FITS if wanted[0] in (JUDGED, PUBLISHED)
    }
    share = _tonights(night)
    if share == 0:
        return found
    fit.fit(night, PUBLISHED, CONTENT)
    contents = {
        JUDGED: found[JUDGED, CONTENT],
        PUBLISHED: fit.left(night, PUBLISHED, CONTENT),
    }
    for name, content in contents.items():
        frame = read_frame(night.work(name))
        model = introduced(found[name, HYBRID], content, frame, share=share)
        found[name, HYBRID] = model, found[name, HYBRID][1]
    return found


def _tonights(night: Night) -> float:
    judged = read_frame(night.work(JUDGED))
    if before := fit.earlier(night, judged):
        return before.cold_start_content
    frame = fit.cold(night, judged)
    if frame is None:
        return 0.0
    return better(frame, *(fit.left(night, COLD, model) for model in (HYBRID, CONTENT)))


def better(frame: Frame, hybrid: Fitted, content: Fitted) -> float:
    """1 where content orders what is held out better, among itself; else, or without judges, 0."""
    truth = frame.truth()
    judged = evenly_spaced(np.flatnonzero(has_interactions(truth)))
    if len(judged) == 0:
        return 0.0
    held_out = np.zeros(frame.shape[1], np.bool_)
    held_out[frame.rows(frame.held_out)[1]] = True

    def ndcg(model: HybridModel, features: feature_families.Described) -> float:
        members = model.member_vectors(features.members)[judged]
        titles = model.title_vectors(features.titles)
        slates, _ = ranking.best_titles(members, titles, PLACES, allowed=held_out)
        return float(metrics.ndcg(slates, truth[judged]).mean())

    return float(ndcg(*content) > ndcg(*hybrid))


def introduced(hybrid: Fitted, content: Fitted, frame: Frame, *, share: float) -> HybridModel:
    """The hybrid, with newcomers in the order that content alone gives them.

    They stay as far above and below other titles as the hybrid has them; see
    `models.cold_start.ordered_by_content`.
    """
    model, features = hybrid
    likes = frame.interactions()
    new = ~has_interactions(likes, of="titles")
    active = has_interactions(likes)
    if new.sum() < 2:
        return model  # no order
    vectors = model.title_vectors(features.titles)
    by_content, content_features = content
    told = cold_start.ordered_by_content(
        model.member_vectors(features.members)[active],
        vectors[new],
        by_content.member_vectors(content_features.members)[active],
        by_content.title_vectors(content_features.titles)[new],
    )
    titles = np.array(model.title_embeddings)
    identities = np.flatnonzero(features.titles.columns_of(IDENTITY))
    titles[identities[new]] += np.float32(share) * (told - vectors[new])
    numbers = replace(model.hyperparameters, cold_start_content=share)
    return HybridModel(model.member_embeddings, titles, numbers)
