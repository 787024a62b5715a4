"""Every model is compared under one protocol, from real layouts, by the command that people use."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from matinee import cli, splits
from matinee.errors import ConfigError, DataError
from matinee.pipeline import benchmark, histories, tuning
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
    return histories.read(ratings, Settings())


@pytest.mark.parametrize("protocol", splits.NAMES)
def test_every_protocol_splits_a_history_without_a_leak(history, protocol):
    frame = history.hold_out(protocol, seed=1)
    assert len(frame.signals) + len(frame.held_out) == MEMBERS * TITLES / 2
    if protocol == "time":
        last = frame.signals["interacted_at"].to_numpy().max()
        assert last < frame.held_out["interacted_at"].to_numpy().min()
    again = history.within(frame, protocol, seed=1)
    assert len(again.signals) + len(again.held_out) == len(frame.signals)
    assert again.shape == frame.shape == (MEMBERS, TITLES)


def test_each_model_beats_popularity_where_taste_is_plain(history):
    frame = history.hold_out("holdout", seed=1)
    found = {
        name: benchmark.answer(benchmark.Task(name, frame, "holdout", 1))
        for name in benchmark.MODELS
    }
    rows = benchmark._rows(frame, found, list(benchmark.MODELS), 1)
    by_name = {row["model"]: row for row in rows}
    popular = by_name["popularity"]["ndcg"]
    assert all(
        by_name[name]["ndcg"] > popular
        for name in by_name
        if name != "trending" and name != "popularity"
    )
    assert by_name["hybrid"]["hybrid_lead"] is None
    lead = by_name["ease"]["hybrid_lead"]
    assert lead == pytest.approx(by_name["hybrid"]["ndcg"] - by_name["ease"]["ndcg"])
    assert all(row["peak_mb"] > 10 for row in rows)


def test_cold_titles_are_ranked_among_themselves(history):
    frame = history.hold_out("cold-titles", seed=1)
    task = benchmark.Task("popularity", frame, "cold-titles", 1)
    shown = set(benchmark.answer(task).slates.ravel()) - {-1}
    held = set(frame.rows(frame.held_out)[1].tolist())
    assert shown == held
    assert np.nanmean(benchmark.answer(task).auc) == 0.5  # nobody has met any of them


def test_the_command_prints_json_and_draws(ratings, tmp_path):
    drawn = tmp_path / "plot.svg"
    command = ["benchmark", "--data", str(ratings), "--protocol", "last", "--format", "json"]
    done = CliRunner().invoke(
        cli.app, [*command, "--models", "ease,popularity", "--plot", str(drawn)]
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["model"] for row in rows] == ["ease", "popularity"]
    assert rows[0]["low"] <= rows[0]["ndcg"] <= rows[0]["high"]
    svg = drawn.read_text()
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "http" not in svg.split(">", 1)[1]


def test_the_search_for_better_numbers_is_written_down(ratings, home):
    tuned = tuning.tune(ratings, Settings(), protocol="last", budget_seconds=0)
    assert tuned.trials == 1
    assert tuned.best == tuned.default
    assert json.loads(tuned.path.read_text())["parameters"] == tuned.parameters
    assert {row["parameter"] for row in tuned.rows()} == set(tuning.RANGES)


def test_unknown_names_are_refused_with_those_there_are(ratings, tmp_path):
    with pytest.raises(ConfigError, match="no model oracle: there are popularity, trending, item"):
        benchmark.run(ratings, Settings(), protocol="last", models=["oracle"])
    with pytest.raises(ConfigError, match="no protocol 'psychic': it is one of"):
        benchmark.run(ratings, Settings(), protocol="psychic", models=["ease"])
    with pytest.raises(DataError, match=r"no folder .*nowhere: name one of MovieLens, Movie"):
        benchmark.run(tmp_path / "nowhere", Settings(), protocol="last")
