"""What a build reports, and the errors of its failures."""

import json
import os

import duckdb
import pytest

from matinee import transform, warehouse
from matinee.errors import DataError, IntegrityError, RefusedError
from matinee.transform import dbt_build

TITLE = {"title_id": "t1", "name": "T", "title_kind": "movie", "landed_on": "2026-01-01"}
TITLE |= {"genres": ["Drama", "Crime"]}
PLAY = {"member_id": "m1", "title_id": "t1", "watched_seconds": 3600}
PLAYS = [
    {"event_id": "p1", "event_at": "2026-01-01 20:00", **PLAY},
    {"event_id": "p2", "event_at": "2026-01-01 21:00", **PLAY},
]
MACHINE = {"threads": 2, "memory_limit": "1GB"}


@pytest.fixture(scope="module")
def home(new_home, receive):
    """Titles and plays, and nothing else."""
    home = new_home("home")
    receive(home, 1, titles=[TITLE], plays=PLAYS)
    return home


@pytest.fixture(scope="module")
def progress():
    return []


@pytest.fixture(scope="module")
def built(home, build, progress):
    return build(home, "2026-01-02", progress=lambda *step: progress.append(step))


def test_a_build_reports_what_it_was_made_of_and_its_results(built):
    assert len(built.manifest_sha256) == 64
    assert built.models > 60
    assert built.tests_passed > 40
    assert built.tests_warned == 0
    assert set(built.seconds) > {"member_tastes", "assert_tastes_are_shares"}


def test_progress_ends_with_the_last_node(built, progress):
    done, total, _ = progress[-1]
    assert done == total == len(progress) == len(built.seconds)


def test_the_environment_is_as_it_was_and_the_file_is_free(home, built):
    assert "MATINEE_HOME" not in os.environ
    duckdb.connect(str(warehouse.path(home))).close()


def test_streams_that_never_came_are_empty_tables(home, built):
    assert warehouse.table("member_search_intents", home=home).num_rows == 0
    assert warehouse.table("title_windows", home=home).num_rows == 0
    assert warehouse.table("members", home=home)["member_id"].to_pylist() == ["m1"]
    tastes = warehouse.table("member_tastes", home=home)
    assert tastes["genres"].to_pylist() == [["Crime", "Drama"]]


def test_an_incremental_table_is_built_whole_when_its_contract_has_changed(home, built, build):
    """A column came since the last build, so the table has rows of another shape."""
    table = "base_playback__plays"
    before = warehouse.table(table, home=home)
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute(f"alter table {table} drop column position_seconds")
    structure = home / "warehouse/dbt/structure.json"
    structure.write_text(json.dumps(json.loads(structure.read_text()) | {table: "older"}))
    note = build(home, "2026-01-02").note
    assert note == f"built {table} whole: code, columns or contract changed since the last build"
    assert warehouse.table(table, home=home).equals(before)
    assert json.loads(structure.read_text())[table] != "older"


def test_a_table_edited_by_hand_makes_the_build_begin_again_whole(home, built, build, monkeypatch):
    commands = []

    def run(dbt, command, **more):
        commands.append(command)
        if len(commands) == 1:
            raise dbt_build._OtherColumnsError("member_tastes")
        raise DataError("enough")

    monkeypatch.setattr(dbt_build._Dbt, "run", run)
    with pytest.raises(DataError, match="enough"):
        build(home, "2026-01-02")
    assert ["--full-refresh" in command for command in commands] == [False, True]


def test_every_rule_holds_at_its_edge(home, built, project):
    """The models' own unit tests."""
    assert transform.check_units(project=project, home=home, **MACHINE) > 30


def test_the_pages_describe_every_model(home, built, project):
    page = transform.docs(project=project, home=home, **MACHINE)
    assert "What a member likes, by genre" in page.read_text(encoding="utf-8")


def test_a_lost_row_stops_the_night_and_names_the_test(home, built, build):
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute("delete from base_playback__plays where event_id = 'p1'")
    message = (
        r"1 dbt test\(s\) failed: assert_every_received_row_is_accounted_for: plays/1\.jsonl: "
        r"2 rows received, 1 staged, 0 rejected, 0 repeated \(1 row\(s\)\) \(log: .*dbt\.log"
    )
    with pytest.raises(IntegrityError, match=message):
        build(home, "2026-01-02")


def test_a_full_refresh_finds_the_lost_row_again_and_drops_tables_that_no_model_has(
    home, built, build
):
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute("create table int_acts__weighed as from int_events__weighted")
        connection.execute("create table by_hand as select 1 as one")
    build(home, "2026-01-02", full_refresh=True)
    assert warehouse.counts(home)["plays"].staged == 2
    assert warehouse.table("by_hand", home=home).num_rows == 1
    with pytest.raises(DataError, match="int_acts__weighed does not exist"):
        warehouse.table("int_acts__weighed", home=home)


def test_a_night_tests_only_what_no_night_before_it_has_tested(home, built, build):
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute("insert into int_events__weighted from int_events__weighted")
    build(home, "2026-01-02")


def test_a_key_that_is_there_twice_stops_each_night_until_it_is_repaired(home, built, build):
    with duckdb.connect(str(warehouse.path(home))) as connection:
        table = "base_playback__plays"
        connection.execute(f"insert into {table} select * replace (9 as batch) from {table}")
    for _ in range(2):
        message = (
            r"^1 dbt test\(s\) failed: assert_staged_keys_are_unique: "
            r"base_playback__plays: event_id, delivery_number not unique \(2 row\(s\)\); "
        )
        with pytest.raises(RefusedError, match=message):
            build(home, "2026-01-02")


def test_an_unreadable_file_is_named_with_the_model_and_the_log(home, built, receive, build):
    receive(home, 2, plays=PLAYS)
    torn = home / "received" / "plays" / "batch=000002" / f"{2:016d}.parquet"
    torn.write_bytes(torn.read_bytes()[:40])
    with pytest.raises(DataError, match=r"could not build base_playback__plays: .*dbt\.log"):
        build(home, "2026-01-03")
