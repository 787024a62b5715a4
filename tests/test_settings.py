"""Settings that are misspelt are named, and a home inside a home is refused."""

import doctest

import pytest
from typer.testing import CliRunner

from matinee import settings
from matinee.cli import app
from matinee.errors import ConfigError
from matinee.settings import Settings, unknown_variables


def test_the_examples_in_docstrings_are_true():
    assert doctest.testmod(settings) == doctest.TestResults(failed=0, attempted=1)


def test_every_setting_is_known_in_either_case():
    names = [f"MATINEE_{name}" for name in Settings.model_fields]
    assert unknown_variables(dict.fromkeys([*names, *map(str.upper, names)], "")) == []


def test_a_variable_that_is_like_no_setting_leads_to_the_readme():
    (warning,) = unknown_variables({"MATINEE_QQQ": "1"})
    assert warning == "MATINEE_QQQ is no setting and is ignored; README.md has the settings"


def test_a_command_names_a_misspelt_variable_on_stderr_and_runs(home, monkeypatch):
    monkeypatch.setenv("MATINEE_SEDE", "7")
    result = CliRunner().invoke(app, ["simulate", "--members", "3", "--titles", "3", "--days", "1"])
    assert result.exit_code == 0
    assert "MATINEE_SEDE is no setting and is ignored; did you mean MATINEE_SEED?" in result.stderr


@pytest.mark.parametrize("below", ["inner", "releases/inner", "a/b/c"])
def test_a_home_inside_a_home_is_refused_with_both_names(tmp_path, below):
    for name in ("landing", "releases"):
        (tmp_path / "outer" / name).mkdir(parents=True)
    assert Settings(home=tmp_path / "outer")
    assert Settings(home=tmp_path / "beside")
    with pytest.raises(ConfigError, match=rf"{below}'\): it lies in another home, .*/outer, whose"):
        Settings(home=tmp_path / "outer" / below)


def test_the_work_folder_of_a_home_may_hold_the_home_of_a_rebuild(tmp_path):
    for name in ("landing", "releases"):
        (tmp_path / "outer" / name).mkdir(parents=True)
    assert Settings(home=tmp_path / "outer/work/rebuild").home.name == "rebuild"
    with pytest.raises(ConfigError, match="lies in another home"):
        Settings(home=tmp_path / "outer/worker")


def test_a_link_into_a_home_is_no_way_around(tmp_path):
    for name in ("landing", "releases"):
        (tmp_path / "outer" / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "outer")
    with pytest.raises(ConfigError, match="it lies in another home"):
        Settings(home=tmp_path / "link/inner")
