"""The trend is as loud as an inner cut in time says, and what is judged has no say in it."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from matinee import exposure, hybrid
from matinee.pipeline import training, trending
from matinee.pipeline.frames import JUDGED, PUBLISHED
from matinee.pipeline.night import Night
from matinee.settings import Settings
from tests.pipeline import worlds

FEW = hybrid.Hyperparameters(components=8, epochs=45, linear_dimensions=8)

MEMBERS, TITLES, DAYS = 360, 48, 24


def service(*, of_the_day):
    """Everybody watches a title of their taste each third day, and at last what all do that day."""
    known = worlds.frame(members=MEMBERS, titles=TITLES)
    random = np.random.default_rng(5)
    member, title, at = [], [], []
    for row in range(MEMBERS):
        own = random.permutation(np.arange(9 * of_the_day + row // 3 % 3, TITLES, 3))
        for turn, day in enumerate(range(row % 3, DAYS, 3)):
            member.append(row)
            title.append(day // 3 if of_the_day and turn > 5 else own[turn])
            at.append(np.datetime64("2026-01-01T20:00:00", "us") + np.timedelta64(day, "D"))
    times = pa.array(np.array(at))
    signals = pa.table(
        {
            "member_id": known.members.take(np.array(member)),
            "title_id": known.titles.take(np.array(title)),
            "observed_at": times,
            "interacted_at": times,
            "signal_milli": pa.array(np.full(len(member), 1000)),
            "is_seen": pa.array(np.ones(len(member), bool)),
        }
    )
    return replace(known, signals=signals)


def test_a_frame_is_cut_within_and_what_arrived_after_the_cut_is_in_neither_part():
    whole = service(of_the_day=False)
    inner = whole.inner(seed=1)
    assert len(inner.signals) + len(inner.held_out) == len(whole.signals)
    cut = np.datetime64(inner.as_of.replace(tzinfo=None))
    assert inner.signals["interacted_at"].to_numpy().max() < cut
    assert inner.held_out["interacted_at"].to_numpy().min() >= cut
    late = whole.signals.set_column(
        whole.signals.schema.get_field_index("observed_at"),
        "observed_at",
        pa.array(np.full(len(whole.signals), cut + np.timedelta64(1, "D"))),
    )
    assert len(replace(whole, signals=late).inner(seed=1).signals) == 0


def test_where_too_few_members_could_choose_there_is_nothing_within():
    assert worlds.frame().inner(seed=1) is None


def test_popularity_fades_as_fits_best_what_came_next_and_no_slower():
    whole = service(of_the_day=True)
    assert whole.popular_half_life_days == whole.inner(seed=9).best_half_life_days() <= 1
    for deaf in (replace(whole, follows_time=False), worlds.frame()):
        assert deaf.popular_half_life_days == deaf.half_life_days == 30


def test_what_judges_has_no_say_in_how_popularity_fades():
    whole = service(of_the_day=True)
    one_list = whole.signals.slice(0, MEMBERS)
    assert replace(whole, held_out=one_list).popular_half_life_days == whole.popular_half_life_days


def test_where_taste_decides_the_trend_is_silent():
    inner = service(of_the_day=False).inner(seed=1)
    found = trending.chosen(inner, FEW)
    assert found.trend_weight == 0
    assert found.trend_half_life_days == inner.best_half_life_days()
    usual = {name: getattr(FEW, name) for name in training.OF_TREND}
    assert replace(found, **usual) == FEW


def test_where_everybody_watches_what_is_new_the_trend_speaks():
    assert trending.chosen(service(of_the_day=True).inner(seed=1), FEW).trend_weight > 0


def test_no_trend_may_make_all_slates_one_list(monkeypatch):
    monkeypatch.setattr(exposure, "SMALLEST_EFFECTIVE_PLACES", 150.0)
    assert trending.chosen(service(of_the_day=True).inner(seed=1), FEW).trend_weight == 0


@pytest.fixture
def night(home):
    begun = Night(Settings(), worlds.AS_OF, worlds.AS_OF)
    for name in (JUDGED, PUBLISHED):
        worlds.frame().write(begun.work(name))
    return begun


def test_all_models_of_a_night_have_the_trend_that_was_chosen(night):
    trending.choose_trend(night)
    told = json.loads(night.work(training.TREND).read_text())
    usual = hybrid.Hyperparameters(seed=night.settings.seed)
    assert told == {name: getattr(usual, name) for name in training.OF_TREND}
    night.work(training.TREND).write_text(json.dumps(told | {"trend_half_life_days": 7.0}))
    training.fit(night, PUBLISHED, training.HYBRID)
    fitted = training.load(night, PUBLISHED, training.HYBRID).hyperparameters
    assert fitted.trend_half_life_days == 7.0


def test_where_time_does_not_judge_there_is_no_trend(night):
    deaf = replace(worlds.frame(), follows_time=False)
    night.work(training.TREND).write_text(json.dumps({"trend_weight": 0.5}))
    found = training.tonights(night.work(training.TREND), deaf, seed=1)
    assert found == training.timeless(hybrid.Hyperparameters(seed=1))
