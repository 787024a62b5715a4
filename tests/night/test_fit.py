"""A warm start goes on from a release that knew nothing of what judges it, or does not happen."""

import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee.models import feature_families, fits, hybrid
from matinee.night import choose_trend, fit, scorer
from matinee.night.frame import INNER, JUDGED, PUBLISHED, read_frame, write_frame
from matinee.night.model_files import load_model, save_model
from matinee.night.night import Night
from matinee.settings import Settings
from tests import worlds


@pytest.fixture
def night(home, monkeypatch):
    """Two frames at work: the judged one ends ten days before the published one."""
    begun = Night(Settings(warm_start=True), worlds.AS_OF, worlds.AS_OF)
    known = worlds.frame()
    write_frame(replace(known, as_of=worlds.AS_OF - timedelta(days=10)), begun.work(JUDGED))
    write_frame(known, begun.work(PUBLISHED))
    monkeypatch.setattr(scorer, "read_catalogue", lambda _: worlds.catalogue(known))
    return begun


def release(night, name, *, days_ago, passed=True, cut=None, **numbers):
    """As much of a release as a warm start reads."""
    path = night.home / "releases" / name
    (path / "model").mkdir(parents=True)
    (path / "vocabulary").mkdir()
    few = replace(hybrid.Hyperparameters(epochs=1), **numbers)
    model, features = fits.fitted(worlds.frame(), feature_families.HYBRID, few)
    save_model(model, path / "model")
    (path / "model/hyperparameters.json").rename(path / "hyperparameters.json")
    files = []
    for side, described in (("member", features.members), ("title", features.titles)):
        files.append({"file": f"vocabulary/{side}_features.parquet"})
        pq.write_table(pa.table({"name": list(described.names)}), path / files[-1]["file"])
    manifest = {
        "schema_version": 1,
        "as_of": (night.as_of - timedelta(days=days_ago)).isoformat(),
        "files": files,
        "gate": {"rules": [{"passed": passed}]},
        "evaluation": {"cut": cut},
        "model": {"hyperparameters": json.loads((path / "hyperparameters.json").read_text())},
    }
    (path / "manifest.json").write_text(json.dumps(manifest))


def begins_from(night, frame_name):
    found = fit.earlier(night, read_frame(night.work(frame_name)))
    return found and found.release.id


OLD, NEW = "20260120T000000Z-000000000001", "20260131T000000Z-000000000002"


def test_each_frame_goes_on_from_the_newest_release_it_may_know(night):
    release(night, OLD, days_ago=12)
    release(night, NEW, days_ago=1)
    assert begins_from(night, JUDGED) == OLD
    assert begins_from(night, PUBLISHED) == NEW
    cold = replace(night, settings=Settings())
    assert begins_from(cold, PUBLISHED) is None


def test_what_is_published_is_not_warm_when_what_was_judged_is_not(night):
    release(night, NEW, days_ago=1)
    assert begins_from(night, JUDGED) is None
    assert begins_from(night, PUBLISHED) is None


def test_a_release_that_was_refused_is_no_start(night):
    release(night, OLD, days_ago=12, passed=False)
    assert begins_from(night, JUDGED) is None


@pytest.mark.parametrize(("cut", "expected"), [("2026-01-18T00:00:00Z", 0.4), (None, 0.1)])
def test_the_trend_that_a_cut_in_time_chose_is_kept_and_no_other(night, cut, expected):
    release(night, OLD, days_ago=12, cut=cut, trend_weight=0.4)
    for wanted in fit.FITS:
        fit.fit(night, *wanted)
    assert not fit.silent(night, INNER, feature_families.HYBRID).exists()
    choose_trend.choose_trend(night)
    assert fit.Chosen.read(night.work("")).trend_weight == expected
    for name in (JUDGED, PUBLISHED):
        model = fit.load(night, name, feature_families.HYBRID)
        assert model.hyperparameters.trend_weight == expected


def test_the_hybrid_goes_on_for_few_epochs_and_its_siblings_begin_anew(night):
    release(night, OLD, days_ago=12)
    fit.fit(night, JUDGED, feature_families.HYBRID)
    fit.fit(night, JUDGED, feature_families.COLLABORATIVE)
    warm, anew = (
        load_model(fit.silent(night, JUDGED, name)).hyperparameters
        for name in (feature_families.HYBRID, feature_families.COLLABORATIVE)
    )
    assert (warm.epochs, anew.epochs) == (fit.WARM_EPOCHS, hybrid.Hyperparameters().epochs)


def test_who_ordered_newcomers_goes_on_doing_so(night):
    release(night, OLD, days_ago=12, cold_start_content=1.0)
    known = read_frame(night.work(PUBLISHED))
    assert fit.earlier(night, known).cold_start_content == 1
    assert fit.cold(night, read_frame(night.work(JUDGED))) is None
