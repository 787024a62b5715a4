"""The gate lets a good model through, stops a bad one, and says why in one sentence."""

import json

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from matinee.errors import ConfigError
from matinee.evaluation import gate as evaluation_gate

MEMBERS, TITLES = 300, 40


@pytest.fixture(scope="module")
def truth():
    wanted = np.zeros((MEMBERS, TITLES), np.bool_)
    for member in range(MEMBERS - 1):  # the last one has nothing to find
        wanted[member, [member % TITLES, (member + 7) % TITLES]] = True
    return sp.csr_array(wanted)


def hitting(share):
    """Slates of ten that find the first wanted title of a share of the members, at the top."""
    rows = np.arange(MEMBERS)
    slates = (rows[:, None] + 8 + np.arange(10)) % TITLES  # never wanted
    lucky = rows < share * MEMBERS
    slates[lucky, 0] = rows[lucky] % TITLES
    return slates


def evaluate(truth, **slates):
    everyone = evaluation_gate.cohorts(np.arange(MEMBERS) % 40)
    return evaluation_gate.evaluate(slates, truth, everyone, contender="hybrid", seed=1)


def gate(evaluation, scores=(1.0, -np.inf), **more):
    rivals = ("popularity",)
    return evaluation_gate.gate(
        evaluation, np.array(scores), contender="hybrid", rivals=rivals, **more
    )  # fmt: skip


def test_cohorts_part_the_members():
    cohorts = evaluation_gate.cohorts(np.array([0, 1, 19, 20]))
    assert {name: mask.tolist() for name, mask in cohorts.items()} == {
        "everyone": [True, True, True, True],
        "heavy": [False, False, False, True],
        "light": [False, True, True, False],
        "cold": [True, False, False, False],
    }


def test_an_evaluation_has_a_row_per_model_cohort_and_metric(truth):
    evaluation = evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.2))
    assert evaluation.schema == evaluation_gate.EVALUATION
    assert len(evaluation) == 2 * 4 * 2 + 2
    rows = {(r["model"], r["cohort"], r["metric"]): r for r in evaluation.to_pylist()}
    row = rows["popularity", "everyone", "recall@10"]
    assert row["member_count"] == MEMBERS - 1
    assert row["mean"] == pytest.approx(0.5 * 60 / 299)
    assert row["low"] < row["mean"] < row["high"]
    assert row["lead"] == pytest.approx(0.5 * 180 / 299)
    assert 0 < row["lead_low"] < row["lead"] < row["lead_high"]
    assert rows["hybrid", "everyone", "recall@10"]["lead"] is None
    assert rows["hybrid", "everyone", "coverage@10"]["mean"] == 1
    assert json.loads(json.dumps(evaluation.to_pylist())) == evaluation.to_pylist()


def test_a_cohort_without_anyone_to_judge_has_no_rows(truth):
    nobody = {"cold": np.zeros(MEMBERS, np.bool_)}
    slates = {"hybrid": hitting(1)}
    evaluation = evaluation_gate.evaluate(slates, truth, nobody, contender="hybrid", seed=1)
    assert evaluation["metric"].to_pylist() == ["coverage@10"]


def test_the_truth_can_be_narrowed_to_cold_titles():
    truth = sp.csr_array(np.array([[1, 1, 0], [0, 0, 1]], dtype=bool))
    narrowed = evaluation_gate.only_titles(truth, np.array([False, True, False]))
    assert narrowed.toarray().astype(int).tolist() == [[0, 1, 0], [0, 0, 0]]
    assert narrowed.nnz == 1


def test_a_better_model_passes_every_rule(truth):
    verdicts = gate(evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.2)))
    assert [verdict.rule for verdict in verdicts] == [
        "finite_scores",
        "not_worse_than_popularity",
        "coverage_floor",
    ]
    assert all(verdict.passed for verdict in verdicts)
    assert verdicts[0].text == "0 of 2 scores are not finite"
    assert verdicts[1].text.startswith(
        "hybrid ndcg@10 0.4922 is not worse than popularity 0.1230: lead +0.3691 ("
    )
    assert verdicts[1].text.endswith("tolerated -0.0050, 299 members")
    assert verdicts[2].text == "hybrid shows 100.0% of the catalogue, at least 3.0% is asked"


def test_a_worse_model_is_refused_with_the_numbers(truth):
    evaluation = evaluate(truth, hybrid=hitting(0.2), popularity=hitting(0.8))
    verdict = gate(evaluation)[1]
    assert not verdict.passed
    assert verdict.observed < verdict.threshold == pytest.approx(-0.02 * 0.4922, abs=1e-4)
    assert "hybrid ndcg@10 0.1230 is worse than popularity 0.4922: lead -0.3691" in verdict.text


def test_a_little_worse_is_tolerated(truth):
    evaluation = evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.805))
    assert -0.005 < gate(evaluation)[1].observed < 0
    assert gate(evaluation)[1].passed


def test_what_chance_may_explain_is_no_refusal():
    rival = {"model": "popularity", "metric": "ndcg@10", "mean": 0.2, "member_count": 9}
    unsure = rival | {"lead": -0.05, "lead_low": -0.12, "lead_high": 0.02}
    sure = rival | {"lead": -0.05, "lead_low": -0.06, "lead_high": -0.04}
    rule = {"contender": "hybrid", "tolerance": 0.005, "relative_tolerance": 0.02}
    assert evaluation_gate.not_worse(unsure, **rule).passed
    assert not evaluation_gate.not_worse(sure, **rule).passed


def test_a_score_that_is_no_number_is_refused(truth):
    evaluation = evaluate(truth, hybrid=hitting(1), popularity=hitting(0))
    verdict = gate(evaluation, scores=[1.0, np.nan, np.inf, -np.inf])[0]
    assert (verdict.passed, verdict.observed) == (False, 2)


def test_slates_of_a_handful_of_titles_are_refused(truth):
    same = np.tile(np.arange(10), (MEMBERS, 1))
    evaluation = evaluate(truth, hybrid=same, popularity=same)
    verdict = gate(evaluation, coverage_floor=0.5)[-1]
    assert not verdict.passed
    assert verdict.text == "hybrid shows 25.0% of the catalogue, at least 50.0% is asked"


def test_an_evaluation_survives_parquet_and_is_judged_alike(truth, tmp_path):
    import pyarrow.parquet as pq

    evaluation = evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.2))
    pq.write_table(evaluation, tmp_path / "evaluation.parquet")
    assert gate(pq.read_table(tmp_path / "evaluation.parquet")) == gate(evaluation)


def test_a_contender_that_is_not_there_is_refused(truth):
    with pytest.raises(ConfigError, match="no slates of hybrid, only of popularity"):
        evaluate(truth, popularity=hitting(1))


def test_slates_of_different_lengths_are_refused(truth):
    with pytest.raises(ConfigError, match=r"slates must have one length to be compared, got {'hyb"):
        evaluate(truth, hybrid=hitting(1), popularity=hitting(1)[:, :5])


def test_a_rival_that_was_not_evaluated_is_refused():
    nothing = pa.Table.from_pylist([], schema=evaluation_gate.EVALUATION)
    with pytest.raises(ConfigError, match="the evaluation has 0 rows for popularity and ndcg@10"):
        gate(nothing)


def test_where_nobody_did_enough_the_gate_says_that_nobody_judges():
    verdict = evaluation_gate.nobody_judges(7)
    assert not verdict.passed
    assert verdict.text.startswith("none of 7 members met two titles or more")
