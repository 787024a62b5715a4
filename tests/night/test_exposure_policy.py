"""A policy raises what it names, in what is judged and in what is published, at a printed price."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from matinee import report, transform
from matinee.errors import ConfigError
from matinee.models import fallback, feature_families, fits
from matinee.night import evaluate, exposure_policy, fit
from matinee.night.exposure_policy import Wanted
from matinee.settings import Settings
from tests import worlds

WANTED = (Wanted("language", "sv", 0.6),)


def share_of(titles, first):
    return titles[first[first >= 0]].mean()


def test_what_is_published_has_the_share_and_no_title_is_lost():
    plain = replace(worlds.scorer(), slate_size=30)
    raised = replace(plain, policy=WANTED)
    swedish = WANTED[0].carriers(plain.frame)
    before, after = plain.block(0), raised.block(0)
    assert share_of(swedish, before.rows[:, :10]) < 0.55
    assert share_of(swedish, after.rows[:, :10]) == pytest.approx(0.6, abs=0.02)
    assert np.sort(after.rows).tolist() == np.sort(before.rows).tolist()
    (row,) = [lift.row() for lift in raised.lifts]
    assert row["head_start"] > 0
    assert not plain.lifts


@pytest.fixture(scope="module")
def judged():
    """The world with some acts held out, judged with and without the policy."""
    known = worlds.frame(members=90)
    late = np.arange(len(known.signals)) % 8 == 7
    frame = replace(
        known,
        signals=known.signals.filter(pa.array(~late)),
        held_out=known.signals.filter(pa.array(late)),
    )
    few = fits.timeless(replace(fit.hybrid.Hyperparameters(), epochs=5, components=8))
    models = {
        name: fits.fitted(frame, name, few)
        for name in (
            feature_families.HYBRID,
            feature_families.COLLABORATIVE,
            feature_families.CONTENT,
        )
    }

    def judge(policy=()):
        return evaluate.compare(
            frame, models, slate_size=20, calibration_weight=0.1, seed=1, policy=policy
        )

    return judge


def test_its_price_is_judged_every_night_and_the_card_prints_it(judged):
    found = judged(WANTED)
    price = found.price_of_raising()
    means = {
        row["model"]: row["mean"]
        for row in found.evaluation.to_pylist()
        if (row["metric"], row["cohort"]) == ("ndcg@10", "everyone")
    }
    assert price["lead"] == pytest.approx(means["hybrid"] - means["unraised"])
    raised = [{"attribute": "language", "value": "sv", "share": 0.6, "head_start": 0.21}]
    exposure = {"raised": raised, "price_of_raising": price}
    card = report.card({"release_id": "r", "as_of": "2026-01-02", "exposure": exposure})
    assert f"exposure policy change NDCG@10 by {price['lead']:+.4f} (95 %: " in card
    assert "| language" in card
    assert judged().price_of_raising() is None


def test_who_is_served_what_is_popular_is_judged_by_it(judged, monkeypatch):
    seen = []
    monkeypatch.setattr(fallback, "cold_members", lambda *_: np.arange(90))
    real = evaluate._popular
    monkeypatch.setattr(evaluate, "_popular", lambda *given: seen.append(real(*given)) or seen[-1])
    everybody = judged()
    means = {
        (row["model"], row["cohort"]): row["mean"]
        for row in everybody.evaluation.to_pylist()
        if row["metric"] == "ndcg@10"
    }
    assert means["hybrid", "everyone"] == means["uncalibrated", "everyone"]
    assert seen[0].shape == (90, 10)


def project(tmp_path, text):
    (tmp_path / "dbt_project").mkdir()
    (tmp_path / "dbt_project/dbt_project.yml").write_text(f"vars:\n  raised_shares: {text}\n")
    return tmp_path


def test_the_policy_is_read_from_the_project_and_is_empty_there():
    assert exposure_policy.policy(Settings().project) == ()
    assert transform.project_vars(Settings().project)["raised_shares"] == {}


def test_a_policy_names_values_and_shares(tmp_path):
    asked = project(tmp_path, "{language: {sv: 0.1}, genre: {Drama: 0.2}}")
    assert exposure_policy.policy(asked) == (
        Wanted("language", "sv", 0.1),
        Wanted("genre", "Drama", 0.2),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{colour: {red: 0.1}}", "raised_shares: titles have no 'colour', only country, genre"),
        ("{language: {sv: 10}}", "raised_shares: language sv is 10, not 0 to 1"),
    ],
)
def test_a_policy_that_means_nothing_is_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        exposure_policy.policy(project(tmp_path, text))


def test_a_value_that_no_title_has_is_refused():
    with pytest.raises(ConfigError, match="no title has the genre 'Noir'; mend or remove it"):
        Wanted("genre", "Noir", 0.1).carriers(worlds.frame())
