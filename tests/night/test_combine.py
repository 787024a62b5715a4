"""Weights come from validation splits; no evaluation uses weights that saw its members."""

from dataclasses import replace

import numpy as np
import pytest

from matinee.errors import StorageError
from matinee.models import fits, hybrid
from matinee.models.combination import COHORTS
from matinee.models.default_weights import default_weights
from matinee.night import combine, evaluate
from matinee.night.frame import CUTS, EVALUATED, LAST, PUBLISHED
from tests import worlds

FEW = hybrid.Hyperparameters(components=4, epochs=3)


def over_time(frame, days=40):
    """The same signals, one day after the other in the order of their rows."""
    count = len(frame.signals)
    order = np.random.default_rng(5).permutation(count)
    start = np.datetime64("2025-12-20T20:00:00", "us")
    at = start + (order * days // count).astype("timedelta64[D]")
    names = frame.signals.column_names
    signals = frame.signals
    for name in ("observed_at", "interacted_at"):
        signals = signals.set_column(names.index(name), name, [at])
    return replace(frame, signals=signals)


@pytest.fixture(scope="module")
def fitted():
    """The fits of a night, by the name of their frame."""
    published = over_time(worlds.frame(members=120))
    frames = {PUBLISHED: published, EVALUATED: published.time_cut()}
    frames[CUTS[0]] = frames[EVALUATED].time_cut()
    frames[CUTS[1]] = frames[CUTS[0]].time_cut()
    frames[LAST] = published.last_titles()
    return {name: fits.fit_all(frame, FEW) for name, frame in frames.items()}


def splits_of(fitted, *names):
    return {name: fitted[name] for name in names}


def test_each_cut_ends_before_what_it_holds_out_and_lies_within_the_one_before(fitted):
    instants = [fitted[name].frame.as_of for name in (PUBLISHED, EVALUATED, *CUTS)]
    assert instants == sorted(instants, reverse=True)
    for name in (EVALUATED, *CUTS):
        frame = fitted[name].frame
        assert frame.is_time_cut
        known = frame.signals["interacted_at"].to_numpy()
        assert known.max() < frame.held_out["interacted_at"].to_numpy().min()
    assert not fitted[LAST].frame.is_time_cut


def test_the_evaluation_of_the_next_visit_has_weights_of_the_earlier_cuts_alone(fitted):
    parts = fitted[PUBLISHED].parts.names
    chosen = combine.choose(splits_of(fitted, EVALUATED, *CUTS, LAST), parts)
    without = combine.choose(splits_of(fitted, *CUTS, LAST), parts)
    assert chosen.evaluation_weights.tolist() == without.evaluation_weights.tolist()
    assert chosen.weights["next_visit"].tolist() != chosen.evaluation_weights.tolist()
    assert sum(chosen.evaluated[EVALUATED]) > 0


def test_the_evaluation_of_a_session_has_weights_of_the_other_half_of_members(fitted):
    last = fitted[LAST]
    half = combine.half_of(last.frame.members.ids)
    assert 30 < half.sum() < 90
    parts = last.parts.names
    whole = combine.choose({LAST: last}, parts)
    kept = last.frame.held_out.filter(
        [not half[row] for row in last.frame.rows(last.frame.held_out)[0]]
    )
    of_first_half = replace(last, frame=replace(last.frame, held_out=kept))
    alone = combine.choose({LAST: of_first_half}, parts)
    assert whole.halves[1].tolist() == alone.halves[1].tolist()  # learned from the first half
    assert whole.halves[0].tolist() != alone.halves[0].tolist()


def test_without_splits_the_weights_are_the_default_ones():
    parts = ("popularity", "ease", "hybrid")
    chosen = combine.choose({}, parts)
    for context in ("next_visit", "session"):
        assert chosen.weights[context].tolist() == default_weights(context, parts).tolist()
    assert chosen.evaluated == {}


def test_weights_are_read_as_they_were_written(fitted, tmp_path):
    chosen = combine.choose(
        splits_of(fitted, EVALUATED, *CUTS, LAST), fitted[PUBLISHED].parts.names
    )
    chosen = chosen.publishing("session", "ease")
    chosen.write(tmp_path)
    read = combine.Chosen.read(tmp_path)
    assert read.parts == chosen.parts
    assert (read.model("next_visit"), read.model("session")) == ("combination", "ease")
    for context, rows in chosen.weights.items():
        assert read.weights[context].tobytes() == rows.tobytes()
    assert read.evaluation_weights.tobytes() == chosen.evaluation_weights.tobytes()
    with pytest.raises(StorageError, match=r"left no combination.json: .*run `matinee run` once"):
        combine.Chosen.read(tmp_path / "nowhere")


def compare(fitted, chosen):
    return evaluate.compare(
        fitted, chosen, evaluate.Options(slate_size=12, coverage_share=0.05, seed=1)
    )


def test_both_contexts_are_evaluated_beside_every_baseline(fitted):
    chosen = combine.choose(
        splits_of(fitted, EVALUATED, *CUTS, LAST), fitted[PUBLISHED].parts.names
    )
    result, published = compare(fitted, chosen)
    models = {row["model"] for row in result.table.to_pylist() if row["metric"] == "ndcg@10"}
    assert {"hybrid", "ease", "rp3beta", "item_knn", "lightfm", "popularity-1000"} <= models
    by_cohort = {}
    for row in result.table.to_pylist():
        by_cohort.setdefault((row["metric"], row["cohort"]), set()).add(row["model"])
    cohorts = [key for key in by_cohort if key[0].endswith(("ndcg@10", "recall@10"))]
    assert {cohort for _, cohort in cohorts} >= {"everyone", "light"}
    assert all({"hybrid", "popularity"} <= by_cohort[key] for key in cohorts)
    metrics = set(result.table["metric"].to_pylist())
    assert {"ndcg@10", "session_ndcg@10", "coverage@10", "session_coverage@10"} <= metrics
    rules = [verdict.rule for verdict in result.verdicts]
    assert "not_worse_than_best_baseline" in rules
    assert "session_not_worse_than_best_baseline" in rules
    assert {published.model(context) for context in chosen.weights} <= {
        "combination", *fitted[PUBLISHED].parts.names, "item_knn",
    }  # fmt: skip


def test_a_baseline_that_is_better_than_the_combination_is_published(fitted):
    names = fitted[PUBLISHED].parts.names
    chosen = combine.choose(splits_of(fitted, EVALUATED, *CUTS, LAST), names)
    wrong = np.zeros((len(COHORTS), 2 * len(names)))
    wrong[:, names.index("ease")] = -1.0
    worst = replace(chosen, evaluation_weights=wrong, halves=(wrong, wrong))
    result, published = compare(fitted, worst)
    rows = {
        (row["model"], row["metric"]): row["mean"]
        for row in result.table.to_pylist()
        if row["cohort"] == "everyone"
    }
    model = published.model("session")
    assert model != "combination"
    assert rows["combination", "session_ndcg@10"] < rows["hybrid", "session_ndcg@10"]
    assert published.combination((*names, "item_knn")).weights["session"][1].sum() == 2.0
    verdict = next(
        one for one in result.verdicts if one.rule == "session_not_worse_than_best_baseline"
    )
    assert verdict.passed
