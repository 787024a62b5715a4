"""Planted tastes determine plays, completion, ratings and cancellations."""

import numpy as np
import pyarrow as pa
import pytest

from matinee.simulator import Simulation, world
from matinee.simulator.taste import RisingTheme


@pytest.fixture(scope="module")
def plays(landed, simulation):
    table = pa.concat_tables(day.tables["plays"] for day in landed)
    rows = [row for row in table.to_pylist() if not row["is_trailer"]]
    titles = {film.id: k for k, film in enumerate(simulation.catalogue.films)}
    member = np.array([int(row["member_id"][2:]) for row in rows])
    title = np.array([titles[row["title_id"]] for row in rows])
    score = simulation.taste.score(member, title[:, None])[:, 0]
    return rows, member, title, score


def test_played_titles_have_a_high_utility(plays, simulation):
    _, member, _, score = plays
    anything = np.random.default_rng(0).integers(200, size=(len(member), 20))
    assert score.mean() > simulation.taste.score(member, anything).mean() + 0.6


def test_most_of_the_utility_is_content(plays, simulation):
    # The genres that members love, by themselves, set what they play apart from the rest.
    _, member, title, _ = plays
    genres = simulation.catalogue.genres.astype(float)
    liking = simulation.people.genres @ (genres / np.sqrt(genres.sum(axis=1))[:, None]).T
    assert liking[member, title].mean() > liking.mean() + 0.5 * liking.std()


def test_completion_rises_with_utility(plays):
    rows, _, _, score = plays
    share = np.array([row["watched_seconds"] / row["runtime_seconds"] for row in rows])
    chosen = ~np.array([row["is_autoplay"] for row in rows])
    liked, disliked = chosen & (score > 1.2), chosen & (score < 0.3)
    assert share[liked].mean() > share[disliked].mean() + 0.1


def test_ratings_rise_with_utility(landed, simulation):
    rows = pa.concat_tables(day.tables["ratings"] for day in landed).to_pylist()
    titles = {film.id: k for k, film in enumerate(simulation.catalogue.films)}
    for kind in ("thumbs", "stars"):
        of_kind = [row for row in rows if row["rating_kind"] == kind]
        member = np.array([int(row["member_id"][2:]) for row in of_kind])
        title = np.array([[titles[row["title_id"]]] for row in of_kind])
        value = np.array([row["value"] for row in of_kind])
        score = simulation.taste.score(member, title)[:, 0]
        assert np.corrcoef(score, value)[0, 1] > 0.5
    assert {row["value"] for row in rows if row["rating_kind"] == "thumbs"} == {-1, 1, 2}


def test_members_with_low_satisfaction_cancel():
    simulation = Simulation(members=800, titles=120, days=45, seed=2)
    for _ in simulation.landing_days(start=45):
        pass
    left = [row["satisfaction"] for row in simulation.cancellations]
    assert 40 < len(left) < 500
    assert np.mean(left) < 0.6
    assert all(0 <= row["chance"] <= 1 for row in simulation.cancellations)


def test_clicks_fall_with_position(landed):
    table = pa.concat_tables(day.tables["impressions"] for day in landed)
    clicked = table["was_clicked"].to_numpy(zero_copy_only=False)
    column = table["column_index"].to_numpy()
    assert clicked[column == 0].mean() > clicked[column == 2].mean()


def test_titles_of_favourite_people_are_played_more(simulation):
    taste = simulation.taste
    with_them = taste.has_favourite(
        np.arange(50), np.tile(np.arange(len(simulation.catalogue)), (50, 1))
    )
    assert with_them.any()
    member, title = np.nonzero(with_them)
    cast = simulation.catalogue.people[title]
    loved = simulation.people.favourites[member]
    assert (cast[:, :, None] == loved[:, None, :]).any(axis=(1, 2)).all()


def test_a_planted_trend_changes_the_days_from_its_own_on_and_the_theme_alone():
    quiet = Simulation(members=200, titles=80, days=6, seed=3)
    rising = Simulation(members=200, titles=80, days=6, seed=3, rising=RisingTheme("epic", 4, 2.0))
    before, after = (list(one.landing_days()) for one in (quiet, rising))
    assert all(
        x.tables["plays"].equals(y.tables["plays"])
        for x, y in zip(before[:4], after[:4], strict=True)
    )
    epic = quiet.catalogue.themes[:, list(world.THEMES).index("epic")]
    ids = {quiet.catalogue.films[row].id for row in np.flatnonzero(epic)}

    def share(days):
        titles = [one for day in days for one in day.tables["plays"]["title_id"].to_pylist()]
        return sum(one in ids for one in titles) / len(titles)

    assert share(after[4:]) > share(before[4:]) + 0.1
