"""One name, one meaning: Feast fields are dbt columns, and suites guard tables that exist."""

import json
import re
from pathlib import Path

import pytest
import yaml

from matinee import features
from matinee.validation import load_suites

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "dbt_project" / "models"
CLOCK = "observed_at"

DBT_TYPES = {
    "String": "varchar",
    "Bool": "boolean",
    "Int64": "bigint",
    "Float64": "double",
    "UnixTimestamp": "date",
    "Array(String)": "varchar[]",
    "Array(Float32)": "float[]",
}


def model(name):
    """A dbt model's yml, wherever it lies."""
    (path,) = MODELS.rglob(f"{name}.yml")
    (entry,) = (one for one in yaml.safe_load(path.read_text())["models"] if one["name"] == name)
    return entry


def columns(name):
    """Column name -> type of a dbt feature model."""
    return {column["name"]: column["data_type"].lower() for column in model(name)["columns"]}


@pytest.fixture(scope="module")
def promise(tmp_path_factory):
    """What the registry holds, as plain data."""
    from matinee.features.registry import promised
    from matinee.features.store import opened

    home = tmp_path_factory.mktemp("home")
    features.apply(home=home, project=ROOT)
    with opened(home, ROOT) as store:
        return promised(store)


VIEWS = sorted(
    path.stem
    for path in (ROOT / "feature_repo").glob("*.py")
    if path.stem not in {"entities", "services", "sources"}
)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_its_file_and_its_fields_are_the_columns_of_its_dbt_model(name, promise):
    view = promise["views"][name]
    typed = {field: DBT_TYPES[dtype] for field, dtype in view["fields"].items()}
    keys = dict.fromkeys(view["join_keys"], "varchar")
    assert {**typed, **keys, view["clock"]: "timestamp"} == columns(name)


def test_every_feature_table_is_a_view_except_the_labels(promise):
    tables = {path.stem for path in (MODELS / "marts" / "features").glob("*.sql")}
    assert set(promise["views"]) == set(VIEWS) == tables - {"member_title_signals"}


@pytest.mark.parametrize("name", VIEWS)
def test_every_field_is_described(name):
    text = (ROOT / "feature_repo" / f"{name}.py").read_text()
    fields = text.count("Field(\n") + text.count("Field(name")
    assert text.count("description=") == fields  # the key has none, the view has one


def test_services_carry_their_version(promise):
    assert all(re.search(r"_v\d+$", name) for name in promise["services"])


FILES = {"frame_member_features", "frame_signals", "frame_title_features", "slates"}
"""Suites of what a night leaves as files before it publishes."""


def test_suite_is_table_is_file():
    suites = load_suites(ROOT)
    assert {name for name, suite in suites.items() if suite.name == name} == set(suites)
    for name in suites.keys() - FILES:
        assert len(list(MODELS.rglob(f"{name}.sql"))) == 1, f"no dbt model {name}"


def test_every_staged_and_every_feature_table_has_a_suite():
    folders = MODELS / "staging", MODELS / "marts" / "features"
    tables = {path.stem for folder in folders for path in folder.rglob("*.sql")}
    wanted = {name for name in tables if name.startswith(("stg_", "member_", "title_"))}
    assert len(wanted) == 11 + 8
    assert wanted | FILES == set(load_suites(ROOT))


def test_suites_name_only_columns_that_exist():
    suites = load_suites(ROOT)
    for name in suites.keys() - FILES:
        known = {column["name"] for column in model(name)["columns"]}
        for expectation in suites[name].expectations:
            column = getattr(expectation, "column", None)
            assert column is None or column in known, f"{name} has no column {column}"


def test_a_published_service_is_succeeded_and_never_edited(promise):
    published = json.loads((ROOT / "tests" / "services.json").read_text())
    for name, fields in published.items():
        assert promise["services"].get(name) == fields, (
            f"{name} is published and its fields have changed: releases name it, and pages ask it. "
            f"Leave it as it was in feature_repo/services.py and add the next version beside it; "
            f"then add that to tests/services.json"
        )
    new = promise["services"].keys() - published.keys()
    assert not new, f"add the fields of {sorted(new)} to tests/services.json, to hold them for good"
