"""Differentially private counts have noise, and the budget of a day is spent once."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace

import pyarrow as pa
import pytest

from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.rights import dp_counts
from matinee.settings import Settings

AT = datetime(2026, 2, 1, tzinfo=UTC)
DAY = date(2026, 1, 27)
GENRES = {"t1": ["Drama", "Comedy"], "t2": ["Western", "Drama"], "t3": ["Horror", "Musical"]}


def interaction(member, title, day=DAY):
    return {
        "member_id": member,
        "title_id": title,
        "event_at": datetime.combine(day, datetime.min.time()),
    }


@pytest.fixture
def settings(home, monkeypatch):
    """A home whose last closed day is DAY; `settings.interactions` are its interactions."""
    import duckdb

    interactions = []

    def query(sql, parameters, *, home):
        titles = [{"title_id": title, "genres": genres} for title, genres in GENRES.items()]
        with duckdb.connect() as connection:
            for name, rows in (("titles", titles), ("int_events__closed", interactions)):
                connection.register(name, pa.Table.from_pylist(rows))
            return connection.sql(sql, params=parameters).to_arrow_table()

    monkeypatch.setattr(dp_counts.warehouse, "query", query)
    monkeypatch.setattr(dp_counts, "last_closed_day", lambda settings: DAY)
    interactions.append(interaction("m0", "t1"))
    return SimpleNamespace(it=Settings(home=home), interactions=interactions)


def exact(settings, days=1):
    rows = dp_counts.exact_counts(settings.it, DAY - timedelta(days=days - 1), DAY)
    return {(row["day"], row["genre"]): row["member_count"] for row in rows}


def noisy_counts(settings, epsilon="0.5", days=1):
    return dp_counts.noisy_counts(settings.it, epsilon, days, at=AT, by="ada")


def test_every_genre_of_every_day_has_a_row(settings):
    assert exact(settings, days=2) == {
        **{(day, genre): 0 for day in (DAY - timedelta(days=1), DAY) for genre in all_genres()},
        (DAY, "Drama"): 1,
        (DAY, "Comedy"): 1,
    }


def all_genres():
    return {genre for genres in GENRES.values() for genre in genres}


def test_one_member_changes_at_most_three_counts_of_a_day_by_one(settings):
    before = exact(settings)
    settings.interactions += [interaction("m9", title) for title in GENRES for _ in range(50)]
    after = exact(settings)
    changes = [after[cell] - before[cell] for cell in after]
    assert sorted(changes)[-dp_counts.MAX_GENRES_PER_DAY :] == [1] * dp_counts.MAX_GENRES_PER_DAY
    assert sum(changes) == dp_counts.MAX_GENRES_PER_DAY


def test_counts_have_noise_of_the_scale_of_epsilon(settings, monkeypatch):
    monkeypatch.setattr(
        dp_counts.noise, "discrete_laplace", lambda scale, random_below: 100 * scale
    )
    result = noisy_counts(settings, "0.5")
    assert (result.scale, result.left) == ("6", "1/2")
    assert {row["member_count"] for row in result.rows} == {600, 601}


def test_no_counts_are_returned_when_the_budget_of_a_day_is_too_small(settings):
    for left in ("3/5", "1/5"):
        assert noisy_counts(settings, "0.4").left == left
    message = r"2026-01-27 has 1/5 of its privacy budget of 1 left and 0\.4 is requested: request"
    with pytest.raises(RefusedError, match=message) as error:
        noisy_counts(settings, "0.4")
    assert error.value.exit_code == 3
    assert len(dp_counts.read_ledger(settings.it)) == 2
    assert noisy_counts(settings, "1/5").left == "0"


def test_each_day_has_its_own_budget(settings):
    noisy_counts(settings, "1", days=1)
    with pytest.raises(RefusedError, match="2026-01-27 has 0 of"):
        noisy_counts(settings, "0.1", days=7)
    lines = dp_counts.read_ledger(settings.it)
    assert dp_counts.spent_budget(lines, DAY) == 1
    assert dp_counts.spent_budget(lines, DAY - timedelta(days=1)) == 0


def test_the_ledger_is_written_before_noise_is_drawn(settings, monkeypatch):
    def crash(scale, random_below):
        raise RuntimeError("power cut")

    monkeypatch.setattr(dp_counts.noise, "discrete_laplace", crash)
    with pytest.raises(RuntimeError, match="power cut"):
        noisy_counts(settings)
    assert dp_counts.spent_budget(dp_counts.read_ledger(settings.it), DAY) == Fraction(1, 2)


@pytest.mark.parametrize("epsilon", ["0", "-1", "1.5", "much", "1/0", "nan"])
def test_an_invalid_epsilon_is_refused(settings, epsilon):
    with pytest.raises(ConfigError, match="epsilon must be above 0 and at most 1, got"):
        noisy_counts(settings, epsilon)


def test_an_invalid_ledger_is_refused(settings):
    noisy_counts(settings)
    (settings.it.home / dp_counts.LEDGER).write_text('{"epsilon": "0"}\n')
    with pytest.raises(IntegrityError, match=r"is not a valid ledger .* restore it"):
        noisy_counts(settings)


def test_the_counts_of_a_night_are_of_closed_days(night_home, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from matinee.cli import app

    home = shutil.copytree(night_home, tmp_path / "home")
    monkeypatch.setenv("MATINEE_HOME", str(home))
    done = CliRunner().invoke(
        app, ["dp-counts", "--epsilon", "0.5", "--days", "3", "--format=json"]
    )
    printed = json.loads(done.stdout)
    assert {row["day"] for row in printed["rows"]} == {"2026-01-25", "2026-01-26", "2026-01-27"}
    assert printed["left"] == "1/2"


def deleted(path):
    path.unlink()


def cut(path):
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))


def emptied(path):
    path.write_bytes(b"")


def edited(path):
    path.write_bytes(path.read_bytes().replace(b'"2/5"', b'"1/5"'))


def refilled(path):
    line = json.loads(path.read_bytes().splitlines()[0]) | {"epsilon": "-1"}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def swapped(path):
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[::-1]))


@pytest.mark.parametrize("change", [deleted, cut, emptied, edited, refilled, swapped])
def test_budget_that_was_spent_does_not_come_back_with_a_changed_ledger(settings, change):
    noisy_counts(settings, "0.4")
    noisy_counts(settings, "0.1")
    change(settings.it.home / dp_counts.LEDGER)
    with pytest.raises(IntegrityError, match=r"budget\.jsonl .*: restore it; no counts") as caught:
        noisy_counts(settings, "0.4")
    assert caught.value.exit_code == 5


def test_a_release_remembers_the_ledger_when_it_and_its_witness_are_deleted(settings):
    home = settings.it.home
    noisy_counts(settings, "1")
    folder = home / "releases/20260102T031500Z-5d186a909fc4"
    folder.mkdir(parents=True)
    known = {"schema_version": 1, "privacy": {"budget": dp_counts.witness(settings.it)}}
    (folder / "manifest.json").write_text(json.dumps(known))
    for name in (dp_counts.LEDGER, dp_counts.WITNESS):
        (home / name).unlink()
    with pytest.raises(
        IntegrityError, match=r"not those of which the manifest of 20260102T031500Z"
    ):
        noisy_counts(settings, "1")


def test_a_crash_between_ledger_and_witness_costs_only_what_was_spent(settings, monkeypatch):
    noisy_counts(settings, "0.4")

    def crash(settings):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(dp_counts, "witness", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            noisy_counts(settings, "0.4")
    assert noisy_counts(settings, "0.2").left == "0"


@pytest.mark.parametrize(
    "epsilon", ["1e-9", "1e-999999999", "0.0001", "1/" + "9" * 5000, "+1", "1_0"]
)
def test_an_epsilon_that_costs_next_to_nothing_or_takes_for_ever_is_refused(settings, epsilon):
    with pytest.raises(ConfigError, match="epsilon must be"):
        noisy_counts(settings, epsilon)


@pytest.mark.parametrize("days", [0, -1, 10**6, 10**12])
def test_days_beyond_the_calendar_are_refused(settings, days):
    with pytest.raises(ConfigError, match="days must be 1 to 3660"):
        noisy_counts(settings, days=days)
