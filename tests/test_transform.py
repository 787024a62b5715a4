"""What stops a build before it starts, and the vars that others read. Builds: tests/dbt/."""

import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from matinee import transform
from matinee.errors import BusyError, ConfigError, DataError, StorageError

PROJECT = Path(__file__).resolve().parents[1]
MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)


def build(home: Path, as_of: datetime) -> None:
    transform.build(project=PROJECT, home=home, as_of=as_of, threads=1, memory_limit="1GB")


@pytest.mark.parametrize(
    "as_of",
    [
        datetime(2026, 1, 2),  # noqa: DTZ001
        datetime(2026, 1, 2, 12, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_as_of_that_is_no_midnight_in_utc_is_refused(tmp_path, as_of):
    with pytest.raises(ConfigError, match=r"a midnight in UTC, got 2026-01-02T"):
        build(tmp_path, as_of)


def test_a_home_in_which_nothing_was_received_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match=r"nothing received in .*: run `matinee run`"):
        build(tmp_path, MIDNIGHT)


def test_the_vars_are_those_of_the_project_file():
    found = transform.project_vars(PROJECT)
    assert found["recency_half_life_days"] > 0
    assert found["signal_milli"]["play"] == 1000
    assert found["error_budget_ratio"] == {"default": 0.01}


def test_a_folder_without_a_project_names_the_setting(tmp_path):
    with pytest.raises(ConfigError, match=r"no .*dbt_project\.yml: set MATINEE_PROJECT"):
        transform.project_vars(tmp_path)


@pytest.mark.parametrize(
    ("message", "error", "said"),
    [
        ("IO Error: Could not set lock on\n file", BusyError, "another process has the warehouse"),
        ("Could not write: No space left on device", StorageError, "m: the disk is full"),
        ("Binder Error: no column x", DataError, r"dbt could not build m: Binder Error: no column"),
    ],
)
def test_what_a_failure_means_is_said_in_one_line(message, error, said):
    caught = transform._error("m", message, Path("dbt.log"))
    assert type(caught) is error
    assert "\n" not in str(caught)
    with pytest.raises(error, match=said):
        raise caught


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
    invoke = transform._Dbt._invoke

    def counted(dbt, command, **arguments):
        parse.count += command[0] == "parse"
        return invoke(dbt, command, **arguments)

    monkeypatch.setattr(transform._Dbt, "_invoke", counted)
    monkeypatch.setattr(transform, "project_vars", lambda project: {})

    def parse(home="one"):
        transform.import_library()
        dbt = transform._Dbt(tmp_path, tmp_path / home, 2, "1GB")
        dbt.folder.mkdir(parents=True, exist_ok=True)
        return dbt._manifest()

    parse.count = 0
    return parse


def test_one_parse_serves_all_homes_and_each_gets_its_own_paths(parse, tmp_path):
    manifests = {home: parse(home) for home in ("one", "two")}
    assert parse.count == 1
    for home, manifest in manifests.items():
        (source,) = manifest.sources.values()
        assert source.config.extra["external_location"] == f"{tmp_path / home}/received/*.parquet"
        assert list(manifest.flat_graph["nodes"]) == list(manifest.nodes) == ["model.matinee.a"]
    assert transform._digest(manifests["one"]) == transform._digest(manifests["two"])


def test_a_changed_file_or_variable_is_parsed_again_and_a_deleted_cache_too(
    parse, tmp_path, monkeypatch
):
    first = parse()
    model = tmp_path / "dbt_project/models/a.sql"
    model.write_text(f"{model.read_text()} -- changed")
    assert parse().nodes["model.matinee.a"].raw_code.endswith("-- changed")
    model.write_text(first.nodes["model.matinee.a"].raw_code)
    assert transform._digest(parse()) == transform._digest(first)
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
