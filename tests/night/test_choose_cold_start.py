"""The better of hybrid and content alone orders titles that nobody has met, and nothing else."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from matinee.models import feature_families, fits, hybrid
from matinee.night import choose_cold_start
from tests import worlds

QUIET = hybrid.Hyperparameters(components=8, epochs=20, linear_dimensions=8, trend_weight=0.0)


@pytest.fixture(scope="module")
def cold():
    return worlds.frame().cold_title_split(seed=1)


@pytest.fixture(scope="module")
def models(cold):
    return {
        name: fits.fitted(cold, name, QUIET)
        for name in (feature_families.HYBRID, feature_families.CONTENT)
    }


def new(frame):
    return np.bincount(frame.interactions().col, minlength=frame.shape[1]) == 0


def test_a_fifth_of_the_titles_is_hidden_whole_and_nothing_is_lost(cold):
    whole = worlds.frame()
    assert len(cold.signals) + len(cold.held_out) == len(whole.signals)
    hidden = set(cold.held_out["title_id"].to_pylist())
    assert len(hidden) == pytest.approx(48 / 5, abs=1)
    assert not hidden & set(cold.signals["title_id"].to_pylist())
    assert cold.cold_title_count() == whole.cold_title_count() + len(hidden) == new(cold).sum()


def test_who_orders_hidden_titles_better_orders_newcomers(cold, models):
    model, features = models[feature_families.HYBRID]
    titles = model.title_embeddings.copy()
    titles[:] = np.random.default_rng(2).standard_normal(titles.shape)
    lost = replace(model, title_embeddings=titles), features
    assert choose_cold_start.better(cold, lost, models[feature_families.CONTENT]) == 1
    assert choose_cold_start.better(cold, models[feature_families.CONTENT], lost) == 0


def test_without_anybody_who_judges_the_hybrid_orders_newcomers(cold, models):
    nobody = replace(cold, held_out=cold.held_out.slice(0, 0))
    both = models[feature_families.HYBRID], models[feature_families.CONTENT]
    with np.errstate(all="raise"):
        assert choose_cold_start.better(nobody, *both) == 0


def test_content_orders_newcomers_and_moves_no_other_title(cold, models):
    model, features = models[feature_families.HYBRID]
    told = choose_cold_start.introduced(
        models[feature_families.HYBRID], models[feature_families.CONTENT], cold, share=1.0
    )
    is_new = new(cold)
    before, after = (one.title_vectors(features.titles) for one in (model, told))
    assert after[~is_new].tolist() == before[~is_new].tolist()
    assert told.hyperparameters == replace(QUIET, cold_start_content=1.0)
    content, content_features = models[feature_families.CONTENT]
    members = model.member_vectors(features.members)
    wanted = content.member_vectors(content_features.members) @ (
        content.title_vectors(content_features.titles)[is_new].T
    )
    like = [
        np.corrcoef((members @ one[is_new].T).ravel(), wanted.ravel())[0, 1]
        for one in (before, after)
    ]
    assert like[1] > max(0.9, like[0])


def test_one_newcomer_alone_has_no_order(cold, models):
    first = cold.signals.slice(0, 1)
    place = first.schema.get_field_index("title_id")
    ids = cold.titles.take(np.flatnonzero(new(cold))[1:])
    met = pa.concat_tables([first.set_column(place, "title_id", pa.array([one])) for one in ids])
    frame = replace(cold, signals=pa.concat_tables([cold.signals, met]))
    assert frame.cold_title_count() == 1
    both = models[feature_families.HYBRID], models[feature_families.CONTENT]
    assert (
        choose_cold_start.introduced(*both, frame, share=1.0) is models[feature_families.HYBRID][0]
    )


def test_where_content_orders_newcomers_a_trend_lifts_all_of_them_alike(cold, models):
    model, features = models[feature_families.HYBRID]
    times = cold.signals["interacted_at"].to_numpy().copy()
    crime = cold.rows(cold.signals)[1] % 3 == 0
    times[~crime] -= np.timedelta64(9, "D")
    place = cold.signals.schema.get_field_index("interacted_at")
    frame = replace(cold, signals=cold.signals.set_column(place, "interacted_at", pa.array(times)))
    told = choose_cold_start.introduced(
        (model, features), models[feature_families.CONTENT], frame, share=1.0
    )
    expected, alike = (
        (features.titles.matrix @ fits.trend_lift(one, features, frame, half_life_days=1.0))
        for one in (model, told)
    )
    is_new = new(frame)
    assert np.ptp(expected[is_new]) > 0.01
    assert np.ptp(alike[is_new]) < 1e-6
    assert alike[is_new].mean() == pytest.approx(expected[is_new].mean(), rel=0.02)
    np.testing.assert_allclose(alike[~is_new], expected[~is_new], rtol=0.02)
