"""The benchmark evaluates what a night would publish, from real layouts, by the command line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from matinee import cli
from matinee.errors import ConfigError, DataError
from matinee.evaluation import splits
from matinee.models import fits, hybrid
from matinee.night import combine, evaluate
from matinee.night.frame import CUTS, EVALUATED
from matinee.research import benchmark, datasets, tune
from matinee.settings import Settings

MEMBERS, TITLES = 24, 20


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """MovieLens in CSV: even members rate even films, odd ones odd films, one film a day."""
    folder = tmp_path_factory.mktemp("ml-tiny")
    random = np.random.default_rng(1)
    lines = ["userId,movieId,rating,timestamp"]
    for member in range(1, MEMBERS + 1):
        own = [title for title in range(1, TITLES + 1) if title % 2 == member % 2]
        for day, title in enumerate(random.permutation(own)):
            lines.append(f"{member},{title},4.0,{1_000_000_000 + 86_400 * (3 * day + member % 3)}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    films = [
        f"{title},Film {title} ({1990 + title}),{'Drama' if title % 2 else 'Comedy'}"
        for title in range(1, TITLES + 1)
    ]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *films]) + "\n")
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n")
    return folder


@pytest.fixture(scope="module")
def history(ratings):
    return datasets.read(ratings, Settings())


@pytest.mark.parametrize("protocol", splits.NAMES)
def test_every_protocol_splits_a_history_without_a_leak(history, protocol):
    frame = history.hold_out(protocol, seed=1)
    assert len(frame.signals) + len(frame.held_out) == MEMBERS * TITLES / 2
    assert frame.shape == (MEMBERS, TITLES)
    if protocol == "time":
        last = frame.signals["interacted_at"].to_numpy().max()
        assert last < frame.held_out["interacted_at"].to_numpy().min()


def test_the_evaluation_of_a_night_is_that_of_the_benchmark_on_the_same_frame(history):
    settings = Settings()
    prepared = benchmark.prepare(history, "time", settings)
    of_benchmark = {row["model"]: row for row in benchmark.table(prepared, settings)}

    frames = {EVALUATED: history.hold_out("time", seed=settings.seed)}
    frames[CUTS[0]] = frames[EVALUATED].time_cut()
    frames[CUTS[1]] = frames[CUTS[0]].time_cut()
    numbers = hybrid.Hyperparameters(seed=settings.seed)
    fitted = {name: fits.fit_all(frame, numbers) for name, frame in frames.items() if frame}
    chosen = combine.choose(fitted, fitted[EVALUATED].parts.names)
    # A night adds the held-out set of its first cut to the evidence of what it publishes.
    assert chosen.weights["next_visit"].tolist() != chosen.evaluation_weights.tolist()
    result, _ = evaluate.compare(
        fitted,
        chosen_with(chosen, settings),
        evaluate.Options(slate_size=settings.slate_size, coverage_share=0.05, seed=settings.seed),
    )
    of_night = {
        row["model"]: row
        for row in result.table.to_pylist()
        if (row["metric"], row["cohort"]) == ("ndcg@10", "everyone")
    }
    assert of_night.keys() == of_benchmark.keys()
    for model, row in of_night.items():
        for name in ("mean", "low", "high", "lead", "lead_low", "lead_high"):
            assert row[name] == of_benchmark[model][name], (model, name)


def chosen_with(chosen, settings):
    from dataclasses import replace

    return replace(chosen, calibration_weight=settings.calibration_weight)


def test_successive_predicts_each_interaction_from_all_earlier_ones(history):
    frame = history.hold_out("last", seed=1)
    outer = fits.fit_all(frame, hybrid.Hyperparameters(epochs=2))
    later = benchmark.successive(outer)
    held_out = len(outer.frame.held_out)
    assert later.frame.shape == (held_out, TITLES)
    truth = later.frame.truth()
    assert np.diff(truth.indptr).tolist() == [1] * held_out
    for row in range(held_out):
        member = later.frame.held_out["interacted_at"][row].as_py()
        own = later.frame.signals.filter(
            np.array(later.frame.signals["member_id"].to_pylist()) == f"{row:09d}"
        )
        assert max(own["interacted_at"].to_pylist()) < member
    ease, frozen = (one.parts.by_name["ease"] for one in (later, outer))
    assert ease.weights is frozen.weights
    assert np.diff(ease.queries.indptr).tolist() == later.frame.history.lengths().tolist()


def test_the_command_prints_json_for_each_protocol_and_draws(ratings, tmp_path):
    drawn = tmp_path / "plot.svg"
    command = ["benchmark", "--data", str(ratings), "--protocol", "last", "--format", "json"]
    done = CliRunner().invoke(cli.app, [*command, "--ablate", "--plot", str(drawn)])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    models = [row["model"] for row in rows]
    assert {"hybrid", "ease", "item_knn", "without ease", "without hybrid"} <= set(models)
    assert {row["protocol"] for row in rows} == {"last"}
    assert all(row["low"] <= row["mean"] <= row["high"] for row in rows)
    svg = drawn.read_text()
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "http" not in svg.split(">", 1)[1]


def test_a_picture_that_cannot_be_drawn_is_refused_before_anything_is_compared(ratings, tmp_path):
    command = ["benchmark", "--data", str(ratings), "--plot", str(tmp_path / "none" / "plot.svg")]
    done = CliRunner().invoke(cli.app, command)
    with pytest.raises(ConfigError, match=r"no folder .*none for the plot: create it"):
        raise done.exception


def test_the_search_for_better_numbers_is_written_down(ratings, home):
    tuned = tune.tune(ratings, Settings(), protocol="last", budget_seconds=0)
    assert tuned.trials == 1
    assert tuned.best == tuned.default
    assert json.loads(tuned.path.read_text())["parameters"] == tuned.parameters
    assert {row["parameter"] for row in tuned.rows()} == set(tune.RANGES)


def test_a_history_in_which_no_member_is_evaluated_is_refused(tmp_path):
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,1,4.0,1000000000\n2,1,4.0,1000000000\n"
    )
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n1,Film (1990),Drama\n")
    with pytest.raises(DataError, match=r"no member of .* has a new title in what 'last' holds"):
        benchmark.run(tmp_path, Settings(), protocols=["last"])
    with pytest.raises(DataError, match=r"no member has a new title in what 'last' holds out"):
        tune.tune(tmp_path, Settings(), protocol="last", budget_seconds=0)


def test_unknown_names_are_refused_with_those_there_are(ratings, tmp_path):
    with pytest.raises(ConfigError, match="no protocol 'psychic': it is one of time, last"):
        benchmark.run(ratings, Settings(), protocols=["psychic"])
    with pytest.raises(DataError, match=r"no folder .*nowhere: name one of MovieLens, Movie"):
        benchmark.run(tmp_path / "nowhere", Settings(), protocols=["last"])
