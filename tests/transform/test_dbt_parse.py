"""A dbt project is parsed once for all homes, and again whenever something of it has changed."""

import shutil

import pytest

from matinee.transform import dbt_build, dbt_parse

PARSED = {
    "dbt_project.yml": "{name: matinee, version: '1.0', profile: p}",
    "profiles.yml": """
        p: {target: t, outputs: {t: {type: duckdb, path: "{{ env_var('MATINEE_HOME') }}/x.db"}}}
    """,
    "models/a.sql": "select '{{ env_var('SUFFIX', '') }}' as x from {{ source('s', 'plays') }}",
    "models/s.yml": """
        sources:
          - name: s
            config:
              external_location: "{{ env_var('MATINEE_HOME') }}/received/*.parquet"
            tables: [{name: plays}]
    """,
}
"""A project of one model and one source."""


@pytest.fixture
def parse(tmp_path, monkeypatch):
    """A small project, and the function that gives its manifest for a home, counting parses."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text in PARSED.items():
        path = tmp_path / "dbt_project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    invoke = dbt_build._Dbt._invoke

    def counted(dbt, command, **arguments):
        parse.count += command[0] == "parse"
        return invoke(dbt, command, **arguments)

    monkeypatch.setattr(dbt_build._Dbt, "_invoke", counted)
    monkeypatch.setattr(dbt_build, "project_vars", lambda project: {})

    def parse(home="one"):
        dbt_parse.import_library()
        dbt = dbt_build._Dbt(tmp_path, tmp_path / home, 2, "1GB")
        dbt.folder.mkdir(parents=True, exist_ok=True)
        return dbt_parse.load(dbt.project, dbt.home, dbt._parse)

    parse.count = 0
    return parse


def test_one_parse_serves_all_homes_and_each_gets_its_own_paths(parse, tmp_path):
    manifests = {home: parse(home) for home in ("one", "two")}
    assert parse.count == 1
    for home, manifest in manifests.items():
        (source,) = manifest.sources.values()
        assert source.config.extra["external_location"] == f"{tmp_path / home}/received/*.parquet"
        assert list(manifest.flat_graph["nodes"]) == list(manifest.nodes) == ["model.matinee.a"]
    assert dbt_build._digest(manifests["one"]) == dbt_build._digest(manifests["two"])


def test_a_changed_file_or_variable_is_parsed_again_and_a_deleted_cache_too(
    parse, tmp_path, monkeypatch
):
    first = parse()
    model = tmp_path / "dbt_project/models/a.sql"
    model.write_text(f"{model.read_text()} -- changed")
    assert parse().nodes["model.matinee.a"].raw_code.endswith("-- changed")
    model.write_text(first.nodes["model.matinee.a"].raw_code)
    assert dbt_build._digest(parse()) == dbt_build._digest(first)
    assert parse.count == 2
    for name in ("SUFFIX", "DBT_TARGET_PATH"):
        monkeypatch.setenv(name, str(tmp_path))
        parse()
    assert parse.count == 4
    (tmp_path / "dbt_project/models/b.sql").write_text("select 1 as one")
    assert "model.matinee.b" in parse().nodes
    shutil.rmtree(tmp_path / "cache")
    parse()
    assert parse.count == 6


def test_queries_make_no_events_in_the_block_and_other_events_stay(monkeypatch):
    dbt_parse.import_library()
    from dbt.adapters.events.types import NewConnection
    from dbt.adapters.sql import connections

    fired = []
    monkeypatch.setattr(connections, "fire_event", lambda event, **_: fired.append(event))
    before = dict(vars(connections))
    with dbt_parse.unlogged_queries():
        connections.fire_event(connections.SQLQuery(conn_name="c", sql="select 1", node_info={}))
        assert fired == []
        connections.fire_event(NewConnection(conn_name="c", conn_type="duckdb", node_info={}))
    assert [type(event) for event in fired] == [NewConnection]
    assert dict(vars(connections)) == before
    assert {"ConnectionUsed", "SQLQuery", "SQLQueryStatus", "SQLCommit"} <= before.keys()
