"""The gate passes a good model, refuses a bad one, and gives the reason on one line."""

import doctest
import json
import re

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from matinee.errors import ConfigError
from matinee.evaluation import comparison
from matinee.evaluation import gate as evaluation_gate
from matinee.evaluation.gate import Status

MEMBERS, TITLES = 300, 40


@pytest.fixture(scope="module")
def truth():
    held_out = np.zeros((MEMBERS, TITLES), np.bool_)
    for member in range(MEMBERS - 1):  # the last member has no held-out title
        held_out[member, [member % TITLES, (member + 7) % TITLES]] = True
    return sp.csr_array(held_out)


def hitting(share):
    """Slates of ten whose first title is held out for a share of the members."""
    rows = np.arange(MEMBERS)
    slates = (rows[:, None] + 8 + np.arange(10)) % TITLES  # never held out
    hit = rows < share * MEMBERS
    slates[hit, 0] = rows[hit] % TITLES
    return slates


def evaluate(truth, **slates):
    cohorts = comparison.cohorts(np.arange(MEMBERS) % 40)
    return comparison.evaluate(slates, truth, cohorts, candidate="hybrid", seed=1)


def gate(evaluation, scores=(1.0, -np.inf), **more):
    return evaluation_gate.gate(
        evaluation,
        np.array(scores),
        candidate="hybrid",
        baseline="popularity",
        **({"coverage_floor": 0.03} | more),
    )


def test_cohorts_divide_members_by_length_of_history():
    cohorts = comparison.cohorts(np.array([0, 1, 19, 20]))
    assert {name: mask.tolist() for name, mask in cohorts.items()} == {
        "everyone": [True, True, True, True],
        "heavy": [False, False, False, True],
        "light": [False, True, True, False],
        "cold": [True, False, False, False],
    }


def test_an_evaluation_has_a_row_per_model_cohort_and_metric(truth):
    evaluation = evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.2))
    assert evaluation.schema == comparison.EVALUATION
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


def test_a_cohort_without_evaluated_members_has_no_rows(truth):
    empty = {"cold": np.zeros(MEMBERS, np.bool_)}
    slates = {"hybrid": hitting(1)}
    evaluation = comparison.evaluate(slates, truth, empty, candidate="hybrid", seed=1)
    assert evaluation["metric"].to_pylist() == ["coverage@10"]


def test_the_held_out_set_can_be_restricted_to_cold_titles():
    truth = sp.csr_array(np.array([[1, 1, 0], [0, 0, 1]], dtype=bool))
    narrowed = comparison.only_titles(truth, np.array([False, True, False]))
    assert narrowed.toarray().astype(int).tolist() == [[0, 1, 0], [0, 0, 0]]
    assert narrowed.nnz == 1


def test_a_better_model_passes_every_rule(truth):
    verdicts = gate(evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.2)))
    assert [verdict.rule for verdict in verdicts] == [
        "finite_scores",
        "not_worse_than_best_baseline",
        "coverage_floor",
    ]
    assert {verdict.status for verdict in verdicts} == {Status.PASS}
    assert verdicts[0].text == "non_finite_scores  0 of 2 scores  limit 0"
    assert re.fullmatch(
        r"ndcg@10 vs best baseline \(popularity\)  \+0\.3691 "
        r"\[\+0\.3\d{3}, \+0\.4\d{3}\]  limit -0\.0050"
        r"  299 members evaluated",
        verdicts[1].text,
    )
    assert verdicts[2].text == "coverage@10  100.0 % of titles  limit 3.0 %"


def test_a_worse_model_fails_and_the_line_has_the_numbers(truth):
    evaluation = evaluate(truth, hybrid=hitting(0.2), popularity=hitting(0.8))
    verdict = gate(evaluation)[1]
    assert (verdict.status, verdict.passed) == (Status.FAIL, False)
    assert verdict.observed < verdict.threshold == pytest.approx(-0.02 * 0.4922, abs=1e-4)
    assert verdict.low < verdict.observed < verdict.high < 0
    assert verdict.text.startswith("ndcg@10 vs best baseline (popularity)  -0.3691 [-0.4")
    assert verdict.text.endswith("]  limit -0.0098  299 members evaluated")


def test_a_model_within_the_tolerance_passes(truth):
    evaluation = evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.805))
    assert -0.005 < gate(evaluation)[1].observed < 0
    assert gate(evaluation)[1].status is Status.PASS


@pytest.mark.parametrize(
    ("mean", "allowed"), [(0.0, 0.0), (0.02, 0.001), (0.1, 0.005), (0.2, 0.005), (0.5, 0.01)]
)
def test_a_model_may_trail_by_a_share_of_what_the_baseline_attains(mean, allowed):
    row = {"model": "ease", "metric": "ndcg@10", "mean": mean, "member_count": 9}
    for gap, status in ((0.99 * allowed, Status.PASS), (1.01 * allowed + 1e-9, Status.FAIL)):
        behind = row | {"lead": -gap, "lead_low": -2 * gap, "lead_high": -gap / 2}
        assert evaluation_gate.not_worse(behind).status is status


def test_a_gap_whose_interval_includes_zero_is_a_warning():
    baseline = {"model": "popularity", "metric": "ndcg@10", "mean": 0.2, "member_count": 9}
    inconclusive = baseline | {"lead": -0.05, "lead_low": -0.12, "lead_high": 0.02}
    conclusive = baseline | {"lead": -0.05, "lead_low": -0.06, "lead_high": -0.04}
    warned = evaluation_gate.not_worse(inconclusive)
    assert (warned.status, warned.passed) == (Status.WARN, True)
    assert evaluation_gate.not_worse(conclusive).status is Status.FAIL


def test_a_verdict_is_a_row_of_a_manifest_and_its_line_starts_with_the_status(truth):
    verdict = gate(evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.2)))[1]
    row = json.loads(json.dumps(verdict.facts()))
    assert list(row) == [
        "rule", "passed", "status", "metric", "subject",
        "observed", "low", "high", "threshold", "members", "text",
    ]  # fmt: skip
    assert (row["rule"], row["passed"], row["members"]) == (
        "not_worse_than_best_baseline",
        True,
        299,
    )
    line = evaluation_gate.line(row["status"], row["text"])
    assert line.startswith("PASS  ndcg@10 vs best baseline (popularity)  +0.3691 [")


def test_a_score_that_is_not_finite_fails(truth):
    evaluation = evaluate(truth, hybrid=hitting(1), popularity=hitting(0))
    verdict = gate(evaluation, scores=[1.0, np.nan, np.inf, -np.inf])[0]
    assert (verdict.passed, verdict.observed) == (False, 2)


def test_slates_of_too_few_titles_fail(truth):
    same = np.tile(np.arange(10), (MEMBERS, 1))
    evaluation = evaluate(truth, hybrid=same, popularity=same)
    verdict = gate(evaluation, coverage_floor=0.5)[-1]
    assert not verdict.passed
    assert verdict.text == "coverage@10  25.0 % of titles  limit 50.0 %"


def test_an_evaluation_read_from_parquet_gets_the_same_verdicts(truth, tmp_path):
    import pyarrow.parquet as pq

    evaluation = evaluate(truth, hybrid=hitting(0.8), popularity=hitting(0.2))
    pq.write_table(evaluation, tmp_path / "evaluation.parquet")
    assert gate(pq.read_table(tmp_path / "evaluation.parquet")) == gate(evaluation)


def test_a_candidate_without_slates_is_an_error(truth):
    with pytest.raises(ConfigError, match="no slates of hybrid, only of popularity"):
        evaluate(truth, popularity=hitting(1))


def test_slates_of_different_lengths_are_an_error(truth):
    with pytest.raises(ConfigError, match=r"slates must have one length to be compared, got {'hyb"):
        evaluate(truth, hybrid=hitting(1), popularity=hitting(1)[:, :5])


def test_a_baseline_that_was_not_evaluated_is_an_error():
    nothing = pa.Table.from_pylist([], schema=comparison.EVALUATION)
    with pytest.raises(ConfigError, match="the evaluation has 0 rows for hybrid and coverage@10"):
        gate(nothing)


def test_the_rules_and_metrics_of_another_context_have_its_prefix(truth):
    slates = {"hybrid": hitting(0.8), "popularity": hitting(0.2)}
    every = {evaluation_gate.EVERYONE: np.ones(MEMBERS, bool)}
    evaluation = comparison.evaluate(
        slates, truth, every, candidate="hybrid", seed=1, prefix="session_"
    )
    metrics = {row["metric"] for row in evaluation.to_pylist()}
    assert metrics == {"session_ndcg@10", "session_recall@10", "session_coverage@10"}
    verdicts = gate(evaluation, prefix="session_")
    assert [verdict.rule for verdict in verdicts] == [
        "session_finite_scores",
        "session_not_worse_than_best_baseline",
        "session_coverage_floor",
    ]


def test_attainable_coverage_is_that_of_lists_of_held_out_titles(truth):
    assert evaluation_gate.attainable_coverage(truth, 10) == 1.0
    assert evaluation_gate.attainable_coverage(truth[:3], 10) == 6 / TITLES
    assert evaluation_gate.attainable_coverage(truth[:3], 1) == 3 / TITLES


def test_without_evaluated_members_the_gate_fails():
    verdict = evaluation_gate.no_evaluated_members(7)
    assert not verdict.passed
    assert verdict.text.startswith("evaluated_members  0 of 7 members have two titles or more")


def test_the_examples_in_docstrings_are_true():
    result = doctest.testmod(evaluation_gate)
    assert result.attempted > 0
    assert result.failed == 0
