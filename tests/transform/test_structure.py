"""Which incremental tables are built whole: those of other code, columns or contract."""

from types import SimpleNamespace as Node

import pytest

from matinee.transform import structure


def manifest(sql="select 1", kind="bigint", macro="m", stream="varchar"):
    def columns(kind):
        return {"c": Node(data_type=kind)}

    model = {"resource_type": "model", "raw_code": sql, "columns": columns(kind)}
    config = Node(materialized="incremental")
    plays = Node(**model, name="plays", config=config, depends_on=Node(nodes=["source.plays"]))
    table = Node(materialized="table")
    other = Node(**model | {"raw_code": sql + "!"}, name="other", config=table)
    return Node(
        nodes={"model.plays": plays, "model.other": other},
        sources={"source.plays": Node(unique_id="source.plays", columns=columns(stream))},
        macros={"m": Node(unique_id="m", package_name="matinee", macro_sql=macro)},
    )


@pytest.fixture
def home(tmp_path):
    (tmp_path / "warehouse/dbt").mkdir(parents=True)
    (tmp_path / structure.WAREHOUSE).touch()
    structure.write(tmp_path, manifest())
    return tmp_path


@pytest.mark.parametrize(
    "change", [{"sql": "select 2"}, {"kind": "double"}, {"macro": "n"}, {"stream": "bigint"}]
)
def test_a_change_of_code_column_type_macro_or_contract_is_seen(home, change):
    assert structure.changed(structure.read(home), manifest(**change)) == ["plays"]


def test_nothing_is_built_whole_without_a_change_or_without_a_warehouse(home):
    assert structure.changed(structure.read(home), manifest()) == []
    (home / structure.WAREHOUSE).unlink()
    assert structure.changed(structure.read(home), manifest(sql="select 2")) == []


def test_everything_is_built_whole_on_a_warehouse_of_a_version_that_left_no_hashes(home):
    (home / structure.PATH).unlink()
    assert structure.changed(structure.read(home), manifest()) == ["plays"]


def test_the_note_names_three_tables_and_counts_the_rest():
    assert structure.note([]) == ""
    assert structure.note(list("abcde")).startswith("built a, b, c and 2 more whole: ")
