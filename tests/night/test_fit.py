"""A warm start uses a release older than the held-out set, or does not happen."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee.models import fits, hybrid
from matinee.night import fit
from matinee.night.frame import EVALUATED, PUBLISHED, read_frame, write_frame
from matinee.night.model_files import save_model
from matinee.night.night import Night
from matinee.settings import Settings
from tests import worlds


@pytest.fixture
def night(home):
    """Two frames at work: the evaluation frame ends ten days before the published one."""
    begun = Night(Settings(warm_start=True), worlds.AS_OF, worlds.AS_OF)
    known = worlds.frame()
    write_frame(replace(known, as_of=worlds.AS_OF - timedelta(days=10)), begun.work(EVALUATED))
    write_frame(known, begun.work(PUBLISHED))
    return begun


def release(night, name, *, days_ago, passed=True, cut=None, **numbers):
    """As much of a release as a warm start reads."""
    path = night.home / "releases" / name
    (path / "model").mkdir(parents=True)
    (path / "vocabulary").mkdir()
    few = replace(hybrid.Hyperparameters(epochs=1), **numbers)
    model, features = fits.fit_hybrid(worlds.frame(), few)
    save_model(model, path / "model")
    (path / "model/hyperparameters.json").rename(path / "hyperparameters.json")
    files = []
    for side, described in (("member", features.members), ("title", features.titles)):
        file = path / f"vocabulary/{side}_features.parquet"
        pq.write_table(pa.table({"name": list(described.names)}), file)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        files.append({"file": str(file.relative_to(path)), "sha256": sha256})
    manifest = {
        "schema_version": 1,
        "as_of": (night.as_of - timedelta(days=days_ago)).isoformat(),
        "files": files,
        "gate": {"rules": [{"rule": "coverage_floor", "passed": passed}]},
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
    assert begins_from(night, EVALUATED) == OLD
    assert begins_from(night, PUBLISHED) == NEW
    cold = replace(night, settings=Settings())
    assert begins_from(cold, PUBLISHED) is None


def test_the_published_fit_is_not_warm_when_the_evaluated_one_is_not(night):
    release(night, NEW, days_ago=1)
    assert begins_from(night, EVALUATED) is None
    assert begins_from(night, PUBLISHED) is None


def test_a_release_that_was_refused_is_no_start(night):
    release(night, OLD, days_ago=12, passed=False)
    assert begins_from(night, EVALUATED) is None


def test_a_warm_hybrid_goes_on_for_few_epochs(night):
    release(night, OLD, days_ago=12)
    fit.fit(night, PUBLISHED)
    assert fit.load(night, PUBLISHED).model.hyperparameters.epochs == fit.WARM_EPOCHS
    cold = replace(night, settings=Settings())
    fit.fit(cold, "cut-3")
    assert not night.work("fit-cut-3").exists()


def test_a_fit_opens_as_it_was_left(night):
    whole = replace(night, settings=Settings())
    fit.fit(whole, PUBLISHED)
    opened = fit.load(whole, PUBLISHED)
    fitted = fits.fit_all(worlds.frame(), hybrid.Hyperparameters())
    assert opened.parts.names == fitted.parts.names
    rows = np.arange(60)
    for name in fitted.parts.names:
        one, two = (parts.by_name[name].scores(rows) for parts in (opened.parts, fitted.parts))
        assert one.tobytes() == two.tobytes(), name
