"""A range of nights is days in order, or a usage error."""

from datetime import date

import pytest
from typer.testing import CliRunner

from matinee import pipeline
from matinee.cli import app
from matinee.errors import ConfigError
from matinee.settings import Settings


def test_a_range_is_every_day_of_it_in_order():
    days = pipeline.days(Settings(), date(2026, 1, 30), date(2026, 2, 1))
    assert days == [date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1)]
    with pytest.raises(ConfigError, match="--to 2026-01-01 is before --from 2026-01-02"):
        pipeline.days(Settings(), date(2026, 1, 2), date(2026, 1, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "2026-01-02"], "--to needs --from"),
        (["--from", "2026-01-02", "--as-of", "2026-01-02"], "--as-of and --from exclude"),
        (["--from", "2026-01-02", "--full-evaluation"], "--full-evaluation is for one night"),
        (["--from", "yesterday"], "--from must be a day like 2026-01-31, got 'yesterday'"),
    ],
)
def test_an_invalid_range_is_a_usage_error(options, message):
    result = CliRunner().invoke(app, ["run", *options])
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)


@pytest.mark.parametrize("days", ["-1", "32", "weekly"])
def test_days_between_full_evaluations_have_bounds(monkeypatch, days):
    monkeypatch.setenv("MATINEE_FULL_EVALUATION_DAYS", days)
    with pytest.raises(ConfigError, match=f"MATINEE_FULL_EVALUATION_DAYS is '{days}'"):
        Settings()


def test_the_option_reaches_the_night(monkeypatch):
    options = []

    def recorded(night, **more):
        options.append(night.full_evaluation)
        raise ConfigError("enough")

    monkeypatch.setattr(pipeline, "recorded", recorded)
    for arguments in (["run", "--full-evaluation"], ["run"]):
        CliRunner().invoke(app, arguments)
    assert options == [True, False]
