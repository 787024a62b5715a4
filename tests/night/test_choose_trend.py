"""The trend is as loud as an inner cut in time says, and what is judged has no say in it."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from matinee.errors import StorageError
from matinee.models import feature_families, fits, hybrid
from matinee.models.frame import TREND_HALF_LIVES
from matinee.night import choose_trend, exposure_policy, fit, scorer
from matinee.night.frame import JUDGED, PUBLISHED, read_frame, write_frame
from matinee.night.night import Night
from matinee.settings import Settings
from matinee.slates import exposure
from tests import worlds

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
    inner = whole.validation_split(seed=1)
    assert len(inner.signals) + len(inner.held_out) == len(whole.signals)
    cut = np.datetime64(inner.as_of.replace(tzinfo=None))
    assert inner.signals["interacted_at"].to_numpy().max() < cut
    assert inner.held_out["interacted_at"].to_numpy().min() >= cut
    late = whole.signals.set_column(
        whole.signals.schema.get_field_index("observed_at"),
        "observed_at",
        pa.array(np.full(len(whole.signals), cut + np.timedelta64(1, "D"))),
    )
    assert len(replace(whole, signals=late).validation_split(seed=1).signals) == 0


def test_where_too_few_members_could_choose_there_is_nothing_within():
    assert worlds.frame().validation_split(seed=1) is None


def test_popularity_fades_as_fits_best_what_came_next_and_no_slower():
    whole = service(of_the_day=True)
    assert whole.popular_half_life_days == whole.validation_split(seed=9).best_half_life_days() <= 1
    for deaf in (replace(whole, follows_time=False), worlds.frame()):
        assert deaf.popular_half_life_days == deaf.half_life_days == 30


def test_popularity_that_nobody_can_judge_fades_as_the_service_says():
    known = worlds.frame()
    assert known.best_half_life_days() == known.half_life_days == 30


def test_popularity_need_not_fade_and_a_trend_must():
    known = worlds.frame(members=MEMBERS)

    def likes(members, title, day):
        at = pa.array(np.full(len(members), np.datetime64(day, "us")))
        return pa.table(
            {
                "member_id": known.members.take(members),
                "title_id": known.titles.take(np.full(len(members), title)),
                "observed_at": at,
                "interacted_at": at,
                "signal_milli": pa.array(np.full(len(members), 1000)),
                "is_seen": pa.array(np.ones(len(members), bool)),
            }
        )

    many, few, others = np.split(np.arange(MEMBERS), [200, 203])
    signals = pa.concat_tables([likes(many, 7, "1996-01-01"), likes(few, 3, "2026-01-31")])
    judged = replace(known, signals=signals, held_out=likes(others, 7, "2026-02-02"))
    assert judged.best_half_life_days() == math.inf
    assert judged.best_half_life_days(TREND_HALF_LIVES) in TREND_HALF_LIVES
    assert max(TREND_HALF_LIVES) < math.inf


@pytest.mark.parametrize("half_life", [30.0, math.inf])
def test_a_frame_is_read_as_it_was_written_with_a_half_life_that_is_json(tmp_path, half_life):
    folder = tmp_path / "judged"
    write_frame(replace(worlds.frame(), half_life_days=half_life), folder)
    json.loads((folder / "frame.json").read_text(), parse_constant=pytest.fail)
    assert read_frame(folder).half_life_days == half_life


def test_what_judges_has_no_say_in_how_popularity_fades():
    whole = service(of_the_day=True)
    one_list = whole.signals.slice(0, MEMBERS)
    assert replace(whole, held_out=one_list).popular_half_life_days == whole.popular_half_life_days


def fitted(*, of_the_day):
    whole = service(of_the_day=of_the_day)
    inner = whole.validation_split(seed=1)
    model, _ = choose_trend.fitted(
        whole, inner, feature_families.HYBRID, FEW, calibration_weight=0.1
    )
    assert model.hyperparameters.epochs == FEW.epochs
    return model.hyperparameters, inner


def test_where_taste_decides_the_trend_is_silent():
    assert fitted(of_the_day=False)[0].trend_weight == 0


def test_where_everybody_watches_what_is_new_the_trend_speaks():
    found, inner = fitted(of_the_day=True)
    assert found.trend_weight > 0
    assert found.trend_half_life_days == inner.best_half_life_days()


def test_no_trend_may_make_all_slates_one_list(monkeypatch):
    monkeypatch.setattr(exposure, "SMALLEST_EFFECTIVE_PLACES", 150.0)
    assert fitted(of_the_day=True)[0].trend_weight == 0


@pytest.fixture(scope="module")
def silent():
    known = worlds.frame()
    quiet = replace(FEW, trend_weight=0.0)
    return choose_trend.Silent(known, *fits.fitted(known, feature_families.HYBRID, quiet), 3.0)


@pytest.mark.parametrize(
    ("varied", "expected"), [((40, 40, 40), 0.1), ((10, 20, 40), 0.15), ((10, 10, 10), None)]
)
def test_slates_are_calibrated_no_more_than_their_variety_asks(silent, varied, expected):
    """`varied` titles are shown with each of the calibrations."""

    def shown(_titles):
        places = {
            round(0.1 * times, 3): np.arange(count).repeat(20).reshape(-1, 10)
            for times, count in zip(choose_trend.CALIBRATIONS, varied, strict=True)
        }
        return lambda weight: places[round(weight, 3)]

    found = choose_trend.varied(fit.Chosen(0.5, 3.0, 0.1), silent, shown)
    assert (found and round(found.calibration_weight, 3)) == expected


def test_a_louder_trend_makes_slates_alike_and_calibration_the_members_own(silent):
    first = {
        weight: silent.shown(np.arange(59), slate_size=30)(silent.lifted(weight))
        for weight in (0.0, 9.0)
    }

    def varies(weight, calibrated):
        return exposure.effective_titles(first[weight](calibrated), title_count=48)

    assert varies(0.0, 0.0) > varies(9.0, 0.0) + 3
    assert varies(9.0, 0.5) > varies(9.0, 0.0)


def test_a_newcomer_has_the_trend_that_its_content_lets_expect():
    known = worlds.frame()
    new = known.titles.ids[3].as_py()  # a Crime title that nobody met
    titles = known.signals["title_id"].to_numpy(zero_copy_only=False)
    crime = np.array([int(one[2:]) % 3 == 0 for one in titles])
    days = np.where(crime, 0, 9).astype("timedelta64[D]")
    times = pa.array(known.signals["interacted_at"].to_numpy() - days)
    signals = known.signals.set_column(3, "interacted_at", times)
    frame = replace(known, signals=signals.filter(pa.array(titles != new)))
    quiet = replace(FEW, trend_weight=0.0)
    model, features = fits.fitted(frame, feature_families.HYBRID, quiet)
    lift = fits.trend_lift(model, features, frame, half_life_days=1.0)
    of_titles = features.titles.matrix @ lift
    dramas = np.arange(1, 48, 3)
    assert of_titles[3] > of_titles[dramas].max()
    loud, _ = fits.fitted(
        frame, feature_families.HYBRID, replace(quiet, trend_weight=2.0, trend_half_life_days=1.0)
    )
    moved = loud.title_vectors(features.titles) - model.title_vectors(features.titles)
    np.testing.assert_allclose(moved[:, -1], 2 * of_titles, atol=1e-5)


@pytest.fixture
def night(home, monkeypatch):
    begun = Night(Settings(), worlds.AS_OF, worlds.AS_OF)
    for name in (JUDGED, PUBLISHED):
        write_frame(worlds.frame(), begun.work(name))
    monkeypatch.setattr(scorer, "read_catalogue", lambda _: worlds.catalogue(worlds.frame()))
    return begun


def fit_all(night):
    for wanted in fit.FITS:
        fit.fit(night, *wanted)
    choose_trend.choose_trend(night)
    return [
        fit.load(night, name, model).hyperparameters
        for name, model in fit.FITS
        if name in (JUDGED, PUBLISHED)
    ]


def test_all_models_of_a_night_but_content_have_the_trend_that_was_chosen(night):
    found = fit_all(night)
    usual = hybrid.Hyperparameters()
    chosen = fit.Chosen.read(night.work(""))
    assert chosen.trend(usual) == usual  # too few members to choose by
    assert [one.trend_weight for one in found] == [0.1, 0.1, 0.0, 0.1]


def test_where_time_does_not_judge_there_is_no_trend(night):
    for name in (JUDGED, PUBLISHED):
        shutil.rmtree(night.work(name))
        write_frame(replace(worlds.frame(), follows_time=False), night.work(name))
    assert {one.trend_weight for one in fit_all(night)} == {0.0}
    assert fit.Chosen.read(night.work("")).trend_weight == 0


def test_a_night_that_chose_nothing_is_told_from_one_that_did(tmp_path):
    with pytest.raises(StorageError, match=r"left no chosen\.json: .*run `matinee run` once more"):
        fit.Chosen.read(tmp_path)
    wanted = fit.Chosen(0.5, 7.0, 0.15)
    wanted.write(tmp_path)
    assert fit.Chosen.read(tmp_path) == wanted


def test_variety_is_asked_of_the_very_slates_that_are_published(night, monkeypatch):
    policy = (exposure_policy.Wanted("language", "sv", 0.7),)
    monkeypatch.setattr(exposure_policy, "policy", lambda _: policy)
    fit_all(night)
    found = fit.Chosen.read(night.work(""))
    model = fit.load(night, PUBLISHED, feature_families.HYBRID)
    published = scorer.ready(night, model, calibration_weight=found.calibration_weight)
    left = fit.left(night, PUBLISHED, feature_families.HYBRID)
    quiet = choose_trend.Silent(published.frame, *left, found.trend_half_life_days)
    shown = choose_trend._published(night, quiet)(quiet.lifted(found.trend_weight))
    rows = published.block(0).rows[:, : choose_trend.PLACES]
    assert shown(found.calibration_weight).tolist() == rows.tolist()
    assert shown(0.9).tolist() != rows.tolist()
