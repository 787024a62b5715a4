"""`matinee insights show`: one table as a table, JSON or CSV."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from matinee.cli import app
from matinee.cli import insights as command
from matinee.report.insights import TABLES


@pytest.fixture
def show(monkeypatch, night_home):
    monkeypatch.setenv("MATINEE_HOME", str(night_home))

    def run(*arguments):
        return CliRunner().invoke(app, ["insights", "show", *arguments])

    return run


@pytest.mark.parametrize("name", TABLES)
def test_csv_and_json_have_the_rows_and_columns_of_the_release(show, release, name):
    table = release.table(f"insights/{name}.parquet")
    rows = list(csv.DictReader(io.StringIO(show(name, "--format", "csv").stdout)))
    assert len(rows) == len(table) == len(json.loads(show(name, "--format", "json").stdout))
    if rows:
        assert list(rows[0]) == table.column_names


def test_a_list_is_one_cell_and_a_missing_value_is_empty(show):
    rows = list(csv.DictReader(io.StringIO(show("segments", "--format", "csv").stdout)))
    assert any("; " in row["genres"] for row in rows)
    assert {row["name_before"] for row in rows} == {""}  # the first night has none before


def test_the_title_of_a_table_names_the_date_of_the_data(show):
    assert show("segments").stdout.startswith("segments, data as of 2026-01-31")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_name_from_the_logs_is_no_formula_of_a_spreadsheet(name):
    assert command._cell(name) == f"'{name}"
    assert command._cell([name, "b"]) == f"'{name}; b"
    assert command._cell(-1.5) == -1.5


def test_an_unknown_table_is_bad_usage(show):
    assert show("everything").exit_code == 2
