"""Every model that can be compared: what gives its scores, and what of it may be tuned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.evaluation import splits
from matinee.matrices import has_interactions
from matinee.models import fallback, feature_families, fits, hybrid, linear
from matinee.models.frame import Frame
from matinee.night import choose_cold_start, choose_trend, fit
from matinee.research import als
from matinee.research.datasets import IN_TIME, History
from matinee.research.tuner import Range

Scores: TypeAlias = Callable[[NDArray[np.intp]], NDArray[np.floating]]
"""The scores of all titles for a block of members, float, shape (n_block, n_titles)."""

Numbers: TypeAlias = Mapping[str, float]


@dataclass(frozen=True)
class Learned:
    """What a model makes of what it was given."""

    scores: Scores
    knows: NDArray[np.bool_]
    """Of whom it knows anything, bool, shape (n_members,)."""

    chosen: Numbers = field(default_factory=dict)
    """What it settled by itself, on what is held out within."""


@dataclass(frozen=True)
class Task:
    """What one model is asked to learn from."""

    model: str
    frame: Frame
    protocol: splits.Name
    seed: int
    inner: Frame | None = None
    """The same protocol held once more on what `frame` knows: all that a choice may look at."""

    numbers: Numbers = field(default_factory=dict)
    """What is to differ from the model's defaults."""

    calibration_weight: float = 0.0
    """Of slates whose variety is asked for; they are judged without."""

    @property
    def in_time(self) -> bool:
        """Whether what came next judges.

        What comes next depends on what came last, and on what is liked these days. What a random
        holdout took from the middle does not: there all likes count the same, for every model.
        """
        return self.protocol in IN_TIME

    @property
    def rival(self) -> Rival:
        return MODELS[self.model]

    @property
    def ranges(self) -> dict[str, Range]:
        """What may be tuned under this protocol."""
        usual = self.rival.ranges
        return {name: where for name, where in usual.items() if self.in_time or name not in OF_TIME}

    def number(self, name: str) -> float:
        """One of the model's numbers."""
        return self.numbers.get(name, self.rival.defaults[name])

    def tuned(self, numbers: Numbers) -> Task:
        """The same task with numbers that a search came by."""
        whole = {name for name, where in self.ranges.items() if where.whole}
        found = {name: round(value) if name in whole else value for name, value in numbers.items()}
        return replace(self, numbers={**self.numbers, **found})

    @property
    def hyperparameters(self) -> hybrid.Hyperparameters:
        """LightFM's, as far as the protocol knows time."""
        numbers: dict[str, Any] = dict(self.numbers)
        usual = replace(hybrid.Hyperparameters(seed=self.seed), **numbers)
        return usual if self.in_time else fits.timeless(usual)

    def asked(self) -> sp.csr_array[np.float32]:
        """What speaks for each member, for models that are asked by titles."""
        half = self.number("recent_titles") if self.in_time else fits.ALL_ALIKE
        return self.frame.recency_weighted(half_life_titles=half)


def task(
    history: History,
    model: str,
    protocol: splits.Name,
    *,
    seed: int,
    calibration_weight: float = 0.0,
) -> Task:
    """A model, what it may learn from, and what it may be tuned by."""
    frame = history.hold_out(protocol, seed=seed)
    inner = history.within(frame, protocol, seed=seed + 1)
    return Task(model, frame, protocol, seed, inner, calibration_weight=calibration_weight)


def learn(task: Task) -> Learned:
    """Fit a task's model; of whom it knows nothing is served what is popular, as in a night.

    Not among titles that nobody has met: of these popularity knows nothing either.
    """
    learned = task.rival.learn(task)
    if learned.knows.all() or task.protocol == "cold-titles":
        return learned
    popular = _popularity(task).scores

    def scores(rows: NDArray[np.intp]) -> NDArray[np.floating]:
        known = learned.knows[rows][:, None]
        return np.where(known, learned.scores(rows), popular(rows))

    return replace(learned, scores=scores)


def _popularity(task: Task) -> Learned:
    frame, chosen = task.frame, {}
    half_life = frame.half_life_days
    if task.in_time and task.inner:
        half_life = task.inner.best_half_life_days()
        chosen = {"half_life_days": half_life}
    popular = frame.popularity(half_life_days=half_life)
    return Learned(
        lambda rows: np.broadcast_to(popular, (len(rows), len(popular))),
        np.ones(frame.shape[0], np.bool_),
        chosen,
    )


def _acted(task: Task) -> NDArray[np.bool_]:
    return has_interactions(task.frame.interactions())


def _nearest(task: Task) -> Learned:
    weights = linear.nearest_titles(
        sp.csr_array(task.frame.interactions()),
        neighbours=int(task.number("neighbours")),
        shrinkage=task.number("shrinkage"),
    )
    asked = task.asked()
    return Learned(lambda rows: sp.csr_array(asked[rows] @ weights).toarray(), _acted(task))


def _ease(task: Task) -> Learned:
    likes = sp.csr_array(task.frame.interactions())
    weights = linear.ease(likes, penalty=task.number("penalty"))
    asked = task.asked()
    return Learned(lambda rows: asked[rows] @ weights, _acted(task))


def _als(task: Task) -> Learned:
    likes = sp.csr_array(task.frame.interactions())
    if task.in_time:
        # It has no query apart from what it learned from, so what is old teaches less: down to a
        # quarter.
        likes = sp.csr_array(likes.multiply(task.asked())) * 0.75 + likes * 0.25
    members, titles = als.fit(
        sp.csr_array(likes.astype(np.float32)),
        dimensions=int(task.number("dimensions")),
        penalty=task.number("penalty"),
        confidence=task.number("confidence"),
        seed=task.seed,
    )
    return Learned(lambda rows: members[rows] @ titles.T, _acted(task))


def _lightfm(task: Task) -> Learned:
    chosen: dict[str, float] = {}
    if task.in_time and task.inner and task.model != feature_families.CONTENT:
        model, features = choose_trend.fitted(
            task.frame,
            task.inner,
            task.model,
            task.hyperparameters,
            calibration_weight=task.calibration_weight,
        )
        used = {name: getattr(model.hyperparameters, name) for name in fit.OF_TREND}
        chosen = used if used["trend_weight"] else {"trend_weight": 0.0}
    else:
        model, features = fits.fitted(task.frame, task.model, task.hyperparameters)
    if task.model == feature_families.HYBRID and task.protocol == "cold-titles" and task.inner:
        told = task.hyperparameters
        both = (fits.fitted(task.inner, name, told) for name in OF_NEWCOMERS)
        share = choose_cold_start.better(task.inner, *both)
        chosen = {"cold_start_content": share}
        if share:
            content = fits.fitted(task.frame, feature_families.CONTENT, told)
            model = choose_cold_start.introduced(
                (model, features), content, task.frame, share=share
            )
    members = model.member_vectors(features.members)
    titles = model.title_vectors(features.titles)
    knows = np.ones(len(members), np.bool_)
    knows[fallback.cold_members(model, features, task.frame.interactions())] = False
    return Learned(lambda rows: members[rows] @ titles.T, knows, chosen)


@dataclass(frozen=True)
class Rival:
    """A model, and what may be turned about it."""

    learn: Callable[[Task], Learned]
    defaults: Numbers = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)


_FADING = Range(1, 100)

# The trend is not among them, nor is popularity's half-life: every night, and every benchmark,
# looks for its own.
_OF_LIGHTFM = {
    "components": Range(16, 128, whole=True),
    "epochs": Range(5, 60, whole=True),
    "learning_rate": Range(0.005, 0.08),
    "title_alpha": Range(1e-6, 1e-3),
    "member_alpha": Range(1e-6, 1e-3),
    "max_sampled": Range(10, 100, whole=True),
    "member_shrinkage": Range(0.1, 20),
    "linear_penalty": Range(20, 3000),
    "linear_share": Range(0.0, 0.8, log=False),
    "recent_titles": _FADING,
}

OF_TIME = ("recent_titles",)
"""Left out where time does not matter."""

_BLENDED = ("linear_penalty", "linear_share", *OF_TIME)
"""What a model of content alone does not have."""


def _of_lightfm(*, without: Sequence[str] = ()) -> Rival:
    ranges = {name: where for name, where in _OF_LIGHTFM.items() if name not in without}
    usual = asdict(hybrid.Hyperparameters())
    return Rival(_lightfm, {name: usual[name] for name in ranges}, ranges)


OF_NEWCOMERS = (feature_families.HYBRID, feature_families.CONTENT)
"""The better of which orders titles that nobody has met."""

POPULARITY = "popularity"

MODELS: dict[str, Rival] = {
    POPULARITY: Rival(_popularity),
    "item-knn": Rival(
        _nearest,
        {"neighbours": 100, "shrinkage": 20.0, "recent_titles": 5.0},
        {
            "neighbours": Range(20, 500, whole=True),
            "shrinkage": Range(1, 200),
            "recent_titles": _FADING,
        },
    ),
    "ease": Rival(
        _ease,
        {"penalty": 400.0, "recent_titles": 5.0},
        {"penalty": Range(20, 3000), "recent_titles": _FADING},
    ),
    "als": Rival(
        _als,
        {"dimensions": 64, "penalty": 10.0, "confidence": 1.0, "recent_titles": 20.0},
        {
            "dimensions": Range(16, 128, whole=True),
            "penalty": Range(0.5, 200),
            "confidence": Range(0.2, 20),
            "recent_titles": _FADING,
        },
    ),
    feature_families.COLLABORATIVE: _of_lightfm(),
    feature_families.CONTENT: _of_lightfm(without=_BLENDED),
    feature_families.HYBRID: _of_lightfm(),
}
"""Name -> what gives its scores. The last three are LightFM's."""
