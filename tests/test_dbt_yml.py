"""What dbt does not check about its own yml: it ignores a misspelt key without a warning."""

import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from matinee import warehouse
from tests.cases import failing

DBT = Path(__file__).resolve().parents[1] / "dbt_project"
MODELS = DBT / "models"

FILES = sorted(path for path in MODELS.rglob("*.yml") if not path.name.startswith("_"))
MODEL_FILES = [path for path in FILES if path.name != "exposures.yml"]
SNAPSHOT_FILES = sorted((DBT / "snapshots").glob("*.yml"))

KNOWN = {
    "file": {"models", "unit_tests"},
    "model": {"name", "description", "config", "columns", "constraints", "data_tests"},
    "column": {"name", "description", "data_type", "constraints", "data_tests", "config"},
    "unit_test": {"name", "description", "model", "overrides", "given", "expect", "config"},
    "exposure": {"name", "label", "type", "maturity", "description", "owner", "depends_on"},
    "source": {"name", "description", "config", "tables"},
    "table": {"name", "description", "config", "columns", "data_tests"},
}
PII = {"none", "pseudonym", "behavioural", "free_text", "sensitive"}
META = {"pii", "purpose", "retention_days"}
MODEL_META = META | {"changed_rows"}
SOURCE_META = META | {"kind"}
KEY_TESTS = {"assert_staged_keys_are_unique", "assert_changes_are_listed_once"}
"""Tests of the keys of many models at once; a model elsewhere tests its own."""


@cache
def read(path: Path) -> dict:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def columns_of(path: Path) -> list[dict]:
    return read(path)["models"][0]["columns"]


@pytest.fixture(scope="module")
def manifest(night_home):
    """What dbt made of all files: a folder's config is merged into that of its models."""
    file = night_home / "warehouse" / "dbt" / "target" / "manifest.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables(manifest):
    """Every model, snapshot and source, by name."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    kinds = ("model", "snapshot", "source")
    found = {node["name"]: node for node in nodes if node["resource_type"] in kinds}
    assert {path.stem for path in MODEL_FILES + SNAPSHOT_FILES} < set(found)
    return found


def unknown(kind: str, entry: dict) -> set[str]:
    return set(entry) - KNOWN[kind]


def test_a_model_has_its_own_file_its_grain_and_only_keys_that_dbt_reads():
    assert failing(check_model_file, [(path,) for path in MODEL_FILES]) == []


def check_model_file(path):
    document = read(path)
    (model,) = document["models"]
    assert model["name"] == path.stem
    assert path.with_suffix(".sql").is_file()
    assert ". One row per " in model["description"]
    assert not unknown("file", document)
    assert not unknown("model", model)
    for column in model["columns"]:
        assert not unknown("column", column), column["name"]
    for test in document.get("unit_tests", []):
        assert not unknown("unit_test", test), test["name"]
        assert test["model"] == path.stem
        assert test["name"].startswith("test_")


def test_every_column_has_a_description_and_resolves_to_what_it_may_be_used_for(tables):
    """By itself, by its model or by its folder."""
    for table in tables.values():
        for column in table["columns"].values():
            where = f"{table['name']}.{column['name']}"
            meta = table["config"]["meta"] | column["config"]["meta"]
            assert column["description"].endswith("."), where
            assert meta.get("pii") in PII, where
            assert meta.get("purpose"), where
            assert meta.get("retention_days", 0) > 0, where


def test_meta_has_only_keys_that_are_read(tables):
    for table in tables.values():
        is_source = table["resource_type"] == "source"
        assert set(table["config"]["meta"]) <= (SOURCE_META if is_source else MODEL_META)
        for column in [] if is_source else table["columns"].values():
            assert set(column["config"]["meta"]) <= META, f"{table['name']}.{column['name']}"


def test_a_column_of_a_table_of_members_is_personal_data_unless_set_otherwise(tables):
    """Or a new column without a meta of its own would count as none."""
    about_members = [table for table in tables.values() if "member_id" in table["columns"]]
    assert len(about_members) > 30
    for table in about_members:
        assert table["config"]["meta"]["pii"] == "behavioural", table["name"]
        assert table["columns"]["member_id"]["config"]["meta"]["pii"] == "pseudonym", table["name"]


def test_every_model_has_a_test_of_its_key(manifest, tables):
    tested = {
        name
        for test in manifest["nodes"].values()
        if test["name"] in KEY_TESTS
        or (test.get("test_metadata") or {}).get("name") == "unique_combination"
        for name in test["depends_on"]["nodes"]
    }
    for table in tables.values():
        assert table["unique_id"] in tested or table["resource_type"] == "source", table["name"]


def test_every_model_has_a_yml():
    assert {path.stem for path in MODELS.rglob("*.sql")} == {path.stem for path in MODEL_FILES}


def test_features_promise_the_type_of_every_column_and_a_key_without_nulls():
    for path in sorted((MODELS / "marts" / "features").glob("*.yml")):
        (model,) = read(path)["models"]
        assert all("data_type" in column for column in model["columns"]), path.stem
        held = {column["name"] for column in model["columns"] if "constraints" in column}
        (key,) = [test["unique_combination"] for test in model["data_tests"]]
        assert held == set(key["arguments"]["columns"]), path.stem


def test_what_members_typed_never_leaves_staging():
    for path in MODEL_FILES:
        columns = {column["name"] for column in read(path)["models"][0]["columns"]}
        if "staging" not in path.parts:
            assert not columns & {"query_text", "raw_text"}, path.stem


PUBLISHED = [one for one in MODEL_FILES if one.parent.name in ("insights", "retention")]
PUBLISHED = [one for one in PUBLISHED if "member_id" not in {c["name"] for c in columns_of(one)}]
"""Marts of aggregates: what leaves the warehouse with a release."""


def test_a_published_mart_has_only_members_who_consent_and_no_small_cells(manifest):
    """By construction: the members it reads consent to insights, and every total is suppressed."""
    assert len(PUBLISHED) >= 5
    assert failing(check_published_mart, [(path, manifest) for path in PUBLISHED]) == []


def check_published_mart(path, manifest):
    node = manifest["nodes"][f"model.matinee.{path.stem}"]
    sql = path.with_suffix(".sql").read_text(encoding="utf-8")
    assert any("require_enough_members" in hook["sql"] for hook in node["config"]["post-hook"])
    assert "has_enough_members()" in sql
    assert "int_events__closed" in sql or "may_use_for_insights" in sql
    for column in columns_of(path):
        name = column["name"]
        if name.endswith(("_count", "_seconds", "_bytes")) and name != "member_count":
            assert f"suppress_small_cells('{name}')" in sql, name


def test_a_table_has_the_columns_of_its_yml_and_no_others(night_home, tables):
    """A new column without a line in the yml would have no description, purpose or age."""
    sql = "select table_name, list(column_name) as columns from duckdb_columns() group by all"
    built = {
        row["table_name"]: set(row["columns"])
        for row in warehouse.query(sql, home=night_home).to_pylist()
    }
    differ = {
        name: built[name] ^ set(table["columns"])
        for name, table in tables.items()
        if name in built and table["resource_type"] == "model"
    }
    assert {name: columns for name, columns in differ.items() if columns} == {}


def test_no_table_has_a_type_that_json_and_arrow_have_no_integer_for(night_home):
    """A sum is a HUGEINT, which Arrow has as a decimal: cast it to bigint."""
    sql = "select table_name, column_name from duckdb_columns() where data_type like '%HUGEINT%'"
    assert warehouse.query(sql, home=night_home).to_pylist() == []


def test_exposures_and_sources_have_only_keys_that_dbt_reads():
    for exposure in read(MODELS / "exposures.yml")["exposures"]:
        assert not unknown("exposure", exposure), exposure["name"]
    for path in MODELS.rglob("__sources.yml"):
        for source in read(path)["sources"]:
            assert not unknown("source", source), path
            for table in source["tables"]:
                assert not unknown("table", table), table["name"]


def test_a_snapshot_has_only_keys_that_dbt_reads():
    assert SNAPSHOT_FILES
    for path in SNAPSHOT_FILES:
        (snapshot,) = read(path)["snapshots"]
        assert snapshot["name"] == path.stem
        assert not unknown("model", snapshot), path.stem


def test_every_stream_has_a_limit_of_its_age():
    for path in MODELS.rglob("__sources.yml"):
        for table in read(path)["sources"][0]["tables"]:
            if not table["name"].startswith("rejected_"):
                assert table["config"]["loaded_at_field"] == "landed_on", table["name"]
                assert table["config"]["freshness"]["warn_after"], table["name"]


def test_the_project_file_fits_on_a_page():
    assert len((DBT / "dbt_project.yml").read_text(encoding="utf-8").splitlines()) <= 66


def test_each_macro_has_its_own_file():
    paths = list((DBT / "macros").rglob("*.sql"))
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("{#-"), path.name
        assert f"macro {path.stem}(" in text, path.name


def test_each_test_explains_a_failure_and_names_what_failed(manifest):
    for path in (DBT / "tests").glob("*.sql"):
        assert path.name.startswith("assert_")
        assert path.read_text(encoding="utf-8").startswith("-- A failure means "), path.name
    for test in manifest["nodes"].values():
        if test["resource_type"] == "test" and test.get("compiled_code"):
            assert " as failure" in test["compiled_code"], test["name"]
