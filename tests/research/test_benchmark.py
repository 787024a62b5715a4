"""Every model is compared under one protocol, from real layouts, by the command that people use."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from matinee import cli
from matinee.errors import ConfigError, DataError
from matinee.evaluation import splits
from matinee.research import baselines, benchmark, datasets, rank, tune
from matinee.research.baselines import MODELS, POPULARITY, Task
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
    if protocol == "time":
        last = frame.signals["interacted_at"].to_numpy().max()
        assert last < frame.held_out["interacted_at"].to_numpy().min()
    again = history.within(frame, protocol, seed=1)
    assert len(again.signals) + len(again.held_out) == len(frame.signals)
    assert again.shape == frame.shape == (MEMBERS, TITLES)


def test_each_model_beats_popularity_where_taste_is_plain(history):
    frame = history.hold_out("holdout", seed=1)
    found = {name: benchmark.perform(Task(name, frame, "holdout", 1)) for name in MODELS}
    rows = benchmark._rows([benchmark.Compared(frame, "holdout", found)], list(MODELS), 1)
    by_name = {row["model"]: row for row in rows}
    popular = by_name["popularity"]["ndcg"]
    assert all(by_name[name]["ndcg"] > popular for name in by_name if name != POPULARITY)
    assert by_name["hybrid"]["hybrid_lead"] is None
    lead = by_name["ease"]["hybrid_lead"]
    assert lead == pytest.approx(by_name["hybrid"]["ndcg"] - by_name["ease"]["ndcg"])
    assert all(row["peak_mb"] > 10 for row in rows)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_serves_strangers_what_is_popular_as_a_night_does(history, model):
    task = baselines.task(history, model, "cold-members", seed=1)
    of_strangers = rank.ask(replace(task, model=POPULARITY)).slates
    assert np.array_equal(rank.ask(task).slates, of_strangers)
    among_acts = baselines.task(history, model, "last", seed=1)
    popular = rank.ask(replace(among_acts, model=POPULARITY)).slates
    assert np.array_equal(rank.ask(among_acts).slates, popular) == (model == POPULARITY)


def test_popularity_fades_as_fits_what_came_next_within_and_says_so(history):
    task = baselines.task(history, POPULARITY, "time", seed=1)
    told = rank.ask(task).chosen
    assert told == {"half_life_days": task.inner.best_half_life_days()}
    faded = task.frame.popularity(half_life_days=told["half_life_days"])
    assert np.array_equal(baselines.learn(task).scores(np.array([3]))[0], faded)


def test_where_time_does_not_judge_all_likes_count_the_same_to_popularity(history):
    task = baselines.task(history, POPULARITY, "holdout", seed=1)
    likes = np.bincount(task.frame.rows(task.frame.signals)[1], minlength=TITLES)
    learned = baselines.learn(task)
    assert np.array_equal(learned.scores(np.array([0]))[0], likes)
    assert not learned.chosen


def test_cold_titles_are_ranked_among_themselves(history):
    frame = history.hold_out("cold-titles", seed=1)
    answer = rank.ask(Task("popularity", frame, "cold-titles", 1), with_auc=True)
    held = set(frame.rows(frame.held_out)[1].tolist())
    assert set(answer.slates.ravel()) - {-1} == held
    assert np.nanmean(answer.auc) == 0.5  # nobody has met any of them


def test_titles_that_are_not_ranked_do_not_count_as_not_shown(history):
    task = baselines.task(history, POPULARITY, "cold-titles", seed=1)
    one = benchmark.Compared(task.frame, "cold-titles", {POPULARITY: benchmark.perform(task)})
    row = benchmark._rows([one], [POPULARITY], 1)[0]
    assert (row["coverage"], row["gini"]) == pytest.approx((1, 0))  # all four, to everybody


def test_all_models_that_have_numbers_get_one_budget_and_see_only_what_is_within(history):
    task = baselines.task(history, "ease", "last", seed=1)
    assert len(task.inner.signals) + len(task.inner.held_out) == len(task.frame.signals)
    asked = []
    for name, rival in MODELS.items():
        of_name = replace(task, model=name)
        found = tune.search(of_name, trials=1)
        asked.append((name, found.trials))
        assert found.parameters == pytest.approx(
            {key: rival.defaults[key] for key in of_name.ranges}
        )
    assert {trials for _, trials in asked} == {1}
    with pytest.raises(ConfigError, match="nothing is held out within to tune by: give the task"):
        tune.search(replace(task, inner=None), trials=1)
    silent = replace(task.inner, held_out=task.inner.held_out.slice(0, 0))
    with pytest.raises(DataError, match="nobody met anything new in what 'last' holds out within"):
        tune.search(replace(task, inner=silent), trials=1)


def test_what_is_found_is_used_and_told(history):
    task = baselines.task(history, "ease", "last", seed=1)
    done = benchmark.perform(task, trials=3)
    assert set(done.numbers) == {"penalty", "recent_titles"}
    assert done.tuning_cpu_seconds > 0
    plain = benchmark.perform(task)
    assert not plain.numbers
    assert tune.search(task, trials=3).best >= tune.search(task, trials=1).best
    assert task.tuned({"penalty": 7.0}).number("penalty") == 7


def test_what_was_used_is_said_in_words_where_it_is_no_default():
    row = {"model": "ease", "settings": [{"penalty": 400.0, "recent_titles": 5.0}]}
    assert benchmark.settings_text(row) == ""
    row["settings"].append({"penalty": 700.0, "recent_titles": 5.0})
    assert benchmark.settings_text(row) == "penalty 400 to 700"
    faded = [{"half_life_days": None}, {"half_life_days": 90.0}]
    assert (
        benchmark.settings_text({"model": POPULARITY, "settings": faded})
        == "half_life_days 90 to never"
    )
    assert (
        benchmark.settings_text({"model": POPULARITY, "settings": faded[:1]})
        == "half_life_days never"
    )


def test_each_seed_is_tuned_by_itself(ratings, history):
    settings = Settings()
    rows = benchmark.run(ratings, settings, protocol="last", models=["ease"], trials=3, seeds=2)
    tasks = (baselines.task(history, "ease", "last", seed=settings.seed + nth) for nth in range(2))
    alone = [one.tuned(tune.search(one, trials=3).parameters).numbers for one in tasks]
    assert rows[0]["settings"] == alone
    assert alone[0] != alone[1]


def test_time_is_tuned_only_where_what_comes_next_judges(history):
    last = baselines.task(history, "hybrid", "last", seed=1)
    holdout = baselines.task(history, "hybrid", "holdout", seed=1)
    assert set(last.ranges) - set(holdout.ranges) == {"recent_titles"}
    assert holdout.hyperparameters.trend_weight == 0


def test_seeds_are_averaged_and_their_spread_is_told(history):
    def with_seed(seed):
        task = baselines.task(history, POPULARITY, "holdout", seed=seed)
        return benchmark.Compared(task.frame, "holdout", {POPULARITY: benchmark.perform(task)})

    compared = [with_seed(1), with_seed(2)]
    first, second, both = (
        benchmark._rows(some, [POPULARITY], 1)[0] for some in (compared[:1], compared[1:], compared)
    )
    means = first["ndcg"], second["ndcg"]
    assert means[0] != means[1]
    assert both["ndcg"] == pytest.approx(np.mean(means))
    assert (both["lowest_seed"], both["highest_seed"]) == pytest.approx((min(means), max(means)))
    assert both["recall"] == pytest.approx((first["recall"] + second["recall"]) / 2)
    assert (both["seeds"], both["members"]) == (2, first["members"])


def test_the_command_prints_json_and_draws(ratings, tmp_path):
    drawn = tmp_path / "plot.svg"
    command = ["benchmark", "--data", str(ratings), "--protocol", "last", "--format", "json"]
    done = CliRunner().invoke(
        cli.app, [*command, "--models", "ease,popularity", "--tune", "2", "--plot", str(drawn)]
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["model"] for row in rows] == ["ease", "popularity"]
    assert rows[0]["low"] <= rows[0]["ndcg"] <= rows[0]["high"]
    assert [used.keys() for used in rows[0]["settings"]] == [{"penalty", "recent_titles"}]
    assert rows[1]["settings"][0].keys() == {"half_life_days"}
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
    assert {row["parameter"] for row in tuned.rows()} == set(MODELS["hybrid"].ranges)


def test_a_history_in_which_nobody_can_judge_is_refused(tmp_path):
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,1,4.0,1000000000\n2,1,4.0,1000000000\n"
    )
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n1,Film (1990),Drama\n")
    with pytest.raises(DataError, match=r"nobody in .* met anything new in what 'last' holds out"):
        benchmark.run(tmp_path, Settings(), protocol="last", models=["popularity"])


def test_unknown_names_are_refused_with_those_there_are(ratings, tmp_path):
    with pytest.raises(ConfigError, match="no model 'oracle': there are popularity, item"):
        benchmark.run(ratings, Settings(), protocol="last", models=["oracle"])
    with pytest.raises(ConfigError, match="no protocol 'psychic': it is one of"):
        benchmark.run(ratings, Settings(), protocol="psychic", models=["ease"])
    with pytest.raises(ConfigError, match="no model '', '': there are popularity"):
        benchmark.run(ratings, Settings(), protocol="last", models=["", ""])
    done = CliRunner().invoke(cli.app, ["benchmark", "--data", str(ratings), "--models", ","])
    assert isinstance(done.exception, ConfigError)
    with pytest.raises(DataError, match=r"no folder .*nowhere: name one of MovieLens, Movie"):
        benchmark.run(tmp_path / "nowhere", Settings(), protocol="last")
