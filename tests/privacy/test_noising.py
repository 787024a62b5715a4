"""Counts that leave the house carry noise, and a day's budget is spent once."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace

import pyarrow as pa
import pytest

from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.pipeline import noising
from matinee.settings import Settings

AT = datetime(2026, 2, 1, tzinfo=UTC)
DAY = date(2026, 1, 27)
GENRES = {"t1": ["Drama", "Comedy"], "t2": ["Western", "Drama"], "t3": ["Horror", "Musical"]}


def act(member, title, day=DAY):
    return {
        "member_id": member,
        "title_id": title,
        "event_at": datetime.combine(day, datetime.min.time()),
    }


@pytest.fixture
def settings(home, monkeypatch):
    """A home whose last closed day is DAY; `settings.acts` are what happened."""
    import duckdb

    acts = []

    def query(sql, parameters, *, home):
        titles = [{"title_id": title, "genres": genres} for title, genres in GENRES.items()]
        with duckdb.connect() as connection:
            for name, rows in (("titles", titles), ("int_events__closed", acts)):
                connection.register(name, pa.Table.from_pylist(rows))
            return connection.sql(sql, params=parameters).to_arrow_table()

    monkeypatch.setattr(noising.warehouse, "query", query)
    monkeypatch.setattr(noising, "closed_until", lambda settings: DAY)
    acts.append(act("m0", "t1"))
    return SimpleNamespace(it=Settings(home=home), acts=acts)


def exact(settings, days=1):
    rows = noising.counts(settings.it, DAY - timedelta(days=days - 1), DAY)
    return {(row["day"], row["genre"]): row["member_count"] for row in rows}


def trends(settings, epsilon="0.5", days=1):
    return noising.trends(settings.it, epsilon, days, at=AT, by="ada")


def test_every_genre_of_every_day_is_there_empty_or_not(settings):
    assert exact(settings, days=2) == {
        **{(day, genre): 0 for day in (DAY - timedelta(days=1), DAY) for genre in all_genres()},
        (DAY, "Drama"): 1,
        (DAY, "Comedy"): 1,
    }


def all_genres():
    return {genre for genres in GENRES.values() for genre in genres}


def test_whatever_one_member_does_on_a_day_changes_few_counts_and_each_by_one(settings):
    before = exact(settings)
    settings.acts += [act("m9", title) for title in GENRES for _ in range(50)]
    after = exact(settings)
    changes = [after[cell] - before[cell] for cell in after]
    assert sorted(changes)[-noising.GENRES_A_DAY :] == [1] * noising.GENRES_A_DAY
    assert sum(changes) == noising.GENRES_A_DAY


def test_noise_is_what_is_told_and_it_is_of_the_scale_that_epsilon_asks_for(settings, monkeypatch):
    monkeypatch.setattr(noising.noise, "discrete_laplace", lambda scale, draw: 100 * scale)
    told = trends(settings, "0.5")
    assert (told.scale, told.left) == ("6", "1/2")
    assert {row["member_count"] for row in told.rows} == {600, 601}


def test_a_day_is_paid_for_until_its_budget_is_gone_then_nothing_is_told(settings):
    for left in ("3/5", "1/5"):
        assert trends(settings, "0.4").left == left
    said = r"2026-01-27 has 1/5 of its privacy budget of 1 left and 0\.4 is asked: ask for less"
    with pytest.raises(RefusedError, match=said) as error:
        trends(settings, "0.4")
    assert error.value.exit_code == 3
    assert len(noising.ledger(settings.it)) == 2
    assert trends(settings, "1/5").left == "0"


def test_a_budget_is_of_each_day_by_itself(settings):
    trends(settings, "1", days=1)
    with pytest.raises(RefusedError, match="2026-01-27 has 0 of"):
        trends(settings, "0.1", days=7)
    lines = noising.ledger(settings.it)
    assert noising.spent(lines, DAY) == 1
    assert noising.spent(lines, DAY - timedelta(days=1)) == 0


def test_it_is_written_down_before_a_number_is_drawn(settings, monkeypatch):
    def dies(scale, draw):
        raise RuntimeError("power cut")

    monkeypatch.setattr(noising.noise, "discrete_laplace", dies)
    with pytest.raises(RuntimeError, match="power cut"):
        trends(settings)
    assert noising.spent(noising.ledger(settings.it), DAY) == Fraction(1, 2)


@pytest.mark.parametrize("epsilon", ["0", "-1", "1.5", "much", "1/0", "nan"])
def test_an_epsilon_that_means_nothing_is_refused(settings, epsilon):
    with pytest.raises(ConfigError, match="epsilon must be above 0 and at most 1, got"):
        trends(settings, epsilon)


def test_a_ledger_that_cannot_be_read_tells_nothing(settings):
    trends(settings)
    (settings.it.home / noising.LEDGER).write_text('{"epsilon": "0"}\n')
    with pytest.raises(IntegrityError, match=r"is not what was written .* restore it"):
        trends(settings)


@pytest.mark.slow
def test_the_trends_of_a_whole_night_are_of_closed_days(night_home, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from matinee.cli import app

    home = shutil.copytree(night_home, tmp_path / "home")
    monkeypatch.setenv("MATINEE_HOME", str(home))
    done = CliRunner().invoke(app, ["trends", "--epsilon", "0.5", "--days", "3", "--format=json"])
    told = json.loads(done.stdout)
    assert {row["day"] for row in told["rows"]} == {"2026-01-25", "2026-01-26", "2026-01-27"}
    assert told["left"] == "1/2"
