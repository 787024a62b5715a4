"""Two weeks of viewing of a small service, drawn so that the truth is known."""

import numpy as np
import scipy.sparse as sp

from matinee.insights.attributes import Attributes, narratives

THEMES, GENRES = 12, 20
RISING = "theme-03"


def two_weeks(seed, *, rise=1.0, members=1000, titles=300, shock=0.15, calendar=1.3):
    """Seconds of two weeks by member and title, and the attributes of the titles.

    Titles differ in popularity and members in taste and activity. In the second week every title
    has a shock of its own, all are watched `calendar` times as often, and those of one theme `rise`
    times as often again.
    """
    random = np.random.default_rng(seed)
    themes = [sorted(random.choice(THEMES, 2, replace=False)) for _ in range(titles)]
    genres = [random.choice(GENRES, random.integers(1, 4), replace=False) for _ in range(titles)]
    lists = [[f"theme-{one:02}" for one in some] for some in themes]
    attributes = Attributes.of(
        {
            "genre": [[f"genre-{one:02}" for one in some] for some in genres],
            "theme": lists,
            "narrative": narratives(lists),
        }
    )
    columns = attributes.matrix[
        :, np.r_[attributes.of_family("genre"), attributes.of_family("theme")]
    ]
    taste = random.normal(0, 0.7, (members, columns.shape[1]))
    weight = np.exp(taste @ columns.toarray().T) * random.lognormal(0, 1, titles)
    weight /= weight.sum(axis=1, keepdims=True)
    active = random.gamma(1.0, 3.0, members)
    is_rising = attributes.matrix[:, [attributes.values.index(RISING)]].toarray().ravel() > 0
    weeks = []
    for level, lift in ((1.0, 1.0), (calendar, rise)):
        of_week = weight * np.exp(random.normal(0, shock, titles)) * np.where(is_rising, lift, 1.0)
        plays = random.poisson(active * of_week.sum(axis=1) * level)
        row = np.repeat(np.arange(members), plays)
        places = of_week.cumsum(axis=1)
        drawn = random.random(len(row)) * places[row, -1]
        title = (places[row] < drawn[:, None]).sum(axis=1)
        seconds = random.integers(300, 9000, len(row)).astype(float)
        weeks.append(sp.coo_array((seconds, (row, title)), shape=weight.shape).tocsr())
    return weeks, attributes
