"""Published slates on real logs, judged by code that is not the project's; see `judge.py`.

The tables of docs/research/quality.md come from the same commands on more sets.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from matinee.cli import app
from tests.conftest import run_night
from tests.real import judge

pytestmark = [pytest.mark.real, pytest.mark.slow]

SET = "movietweetings-50k"


def judged(protocol, home, tmp_path, *, slates=None):
    """NDCG@10 of each member: the published slates, and popularity.

    As in `judge.compare`, its half-life is the best on a split of the same form of what was known.
    """
    folder, out = Path(os.environ["MATINEE_REAL_DATA"]) / SET, tmp_path / "part"
    judge.split(folder, protocol, out)
    run = CliRunner().invoke(app, ["import", "movietweetings", str(out)])
    assert run.exit_code == 0, run.output
    run_night(home)
    if slates:
        written = CliRunner().invoke(app, ["slates", "--context", "session", "--output", slates])
        assert written.exit_code == 0, written.output
    data = pd.read_parquet(out / "held_out.parquet").drop_duplicates(["user", "item"])
    mask = data.held_out.to_numpy()
    titles = np.unique([*judge.items(folder), *data.item])
    part = judge.Part(data, mask, np.unique(data.user), titles, liked=False)
    truth = part.truth[part.members]
    published = judge.ndcg(judge.published(home, part, data, slates), truth)
    train = data[~mask].reset_index(drop=True)
    inner = judge.Part(train, judge.held_out(train, protocol), part.users, titles, liked=False)

    def of_popularity(where, days):
        slates = judge.top(where, judge.popularity(where, days), where.members)
        return judge.ndcg(slates, where.truth[where.members])

    half_lives = [days for (days,) in judge.BASELINES["popularity"][1]]
    best = max(half_lives, key=lambda days: of_popularity(inner, days).mean())
    return published, of_popularity(part, best)


def not_behind(published, baseline):
    """Whether the mean is ahead, or its 95 % interval reaches the baseline."""
    lead = published - baseline
    draws = np.random.default_rng(3).integers(0, len(lead), (1000, len(lead)))
    return np.percentile(lead[draws].mean(axis=1), 97.5) >= 0


def test_slates_for_the_next_visit_are_not_behind_the_best_popularity(home, tmp_path):
    assert not_behind(*judged("time", home, tmp_path))


def test_session_slates_are_ahead_of_the_best_popularity(home, tmp_path):
    published, baseline = judged("last", home, tmp_path, slates=str(tmp_path / "session.parquet"))
    assert published.mean() > 1.1 * baseline.mean()
