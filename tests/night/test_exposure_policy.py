"""Slates meet the targets of the exposure policy, and its cost is reported."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from matinee import report, transform
from matinee.errors import ConfigError
from matinee.evaluation.names import BEFORE_POLICY
from matinee.models import fits, hybrid
from matinee.night import combine, evaluate
from matinee.night.frame import EVALUATED
from matinee.night.policy import exposure_policy
from matinee.night.policy.exposure_policy import ExposureTarget
from matinee.settings import Settings
from tests import worlds

TARGETS = (ExposureTarget("language", "sv", 0.6),)


def share_of(titles, first):
    return titles[first[first >= 0]].mean()


def test_published_slates_meet_the_target_and_lose_no_title():
    plain = worlds.scorer(slate_size=30)
    boosted = plain.with_policy(TARGETS)
    swedish = TARGETS[0].carriers(plain.frame)
    for context in ("next_visit", "session"):
        before, after = (worlds.block(one, context).lists for one in (plain, boosted))
        assert share_of(swedish, before.rows[:, :10]) < 0.55
        assert share_of(swedish, after.rows[:, :10]) == pytest.approx(0.6, abs=0.02)
        assert np.sort(after.rows).tolist() == np.sort(before.rows).tolist()
        (boost,) = boosted.ranker.boosts[context]
        assert boost.row()["head_start"] > 0
    assert not plain.ranker.boosts


@pytest.fixture(scope="module")
def evaluated():
    """The world with some interactions held out, evaluated with and without the policy."""
    known = worlds.frame(members=90)
    late = np.arange(len(known.signals)) % 8 == 7
    frame = replace(
        known,
        signals=known.signals.filter(pa.array(~late)),
        held_out=known.signals.filter(pa.array(late)),
    )
    fitted = {EVALUATED: fits.fit_all(frame, hybrid.Hyperparameters(epochs=5, components=8))}
    chosen = combine.choose(fitted, fitted[EVALUATED].parts.names)

    def run(policy=()):
        result, _ = evaluate.compare(
            fitted,
            replace(chosen, calibration_weight=0.1),
            evaluate.Options(slate_size=20, coverage_share=0.05, seed=1, policy=policy),
        )
        return result

    return run


def test_the_cost_of_the_policy_is_evaluated_and_printed_on_the_card(evaluated):
    result = evaluated(TARGETS)
    cost = result.policy_cost(BEFORE_POLICY)
    means = {
        row["model"]: row["mean"]
        for row in result.table.to_pylist()
        if (row["metric"], row["cohort"]) == ("ndcg@10", "everyone")
    }
    assert cost["lead"] == pytest.approx(means["hybrid"] - means["unraised"])
    raised = [{"attribute": "language", "value": "sv", "share": 0.6, "head_start": 0.21}]
    exposure = {"raised": raised, "price_of_raising": cost}
    card = report.card({"release_id": "r", "as_of": "2026-01-02", "exposure": exposure})
    assert f"exposure policy change NDCG@10 by {cost['lead']:+.4f} (95 %: " in card
    assert "| language" in card
    assert evaluated().policy_cost(BEFORE_POLICY) is None


def project(tmp_path, text):
    (tmp_path / "dbt_project").mkdir()
    (tmp_path / "dbt_project/dbt_project.yml").write_text(f"vars:\n  raised_shares: {text}\n")
    return tmp_path


def test_the_policy_is_read_from_the_project_and_is_empty_there():
    assert exposure_policy.policy(Settings().project) == ()
    assert transform.project_vars(Settings().project)["raised_shares"] == {}


def test_a_policy_names_values_and_shares(tmp_path):
    configured = project(tmp_path, "{language: {sv: 0.1}, genre: {Drama: 0.2}}")
    assert exposure_policy.policy(configured) == (
        ExposureTarget("language", "sv", 0.1),
        ExposureTarget("genre", "Drama", 0.2),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{colour: {red: 0.1}}", "raised_shares: titles have no 'colour', only country, genre"),
        ("{language: {sv: 10}}", "raised_shares: language sv is 10, not 0 to 1"),
    ],
)
def test_an_invalid_policy_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        exposure_policy.policy(project(tmp_path, text))


def test_a_value_that_no_title_has_is_refused():
    with pytest.raises(ConfigError, match="no title has the genre 'Noir'; mend or remove it"):
        ExposureTarget("genre", "Noir", 0.1).carriers(worlds.frame())
