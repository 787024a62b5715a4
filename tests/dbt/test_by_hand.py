"""dbt as its users start it: from the folder, with the committed profile and no vars."""

import shutil
from datetime import datetime

import pytest

from matinee import pipeline, warehouse
from matinee.settings import Settings

TITLE = {"title_id": "t1", "name": "T", "title_kind": "movie"}
MEMBER = {"member_id": "m1", "joined_on": "2026-01-01", "landed_on": "2026-01-01"}
PLAY = {"member_id": "m1", "title_id": "t1", "watched_seconds": 3600}

DAY_1, DAY_3 = datetime(2026, 1, 1), datetime(2026, 1, 3)  # noqa: DTZ001


@pytest.fixture(scope="module")
def dbt(project, new_home, receive):
    """Two nights by hand; on the second, the title is of another genre, and there are no plays."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    home = new_home("by_hand")
    (home / "warehouse").mkdir()

    def run(*command):
        paths = [f"--target-path={home}/target", f"--log-path={home}/logs", "--log-level=none"]
        ran = dbtRunner().invoke([*command, *paths])
        DuckDBConnectionManager.close_all_connections()
        assert ran.exception is None
        return ran

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATINEE_HOME", str(home))
        patch.chdir(project / "dbt_project")
        first = {**TITLE, "landed_on": "2026-01-01", "genres": ["Drama"]}
        receive(home, 1, titles=[first], members=[MEMBER], plays=[])
        receive(home, 1, plays=[{"event_id": "p1", "event_at": "2026-01-01 20:00", **PLAY}])
        assert run("build", "--exclude-resource-type=unit_test").success
        changed = {**TITLE, "landed_on": "2026-01-03", "genres": ["Comedy"]}
        receive(home, 2, titles=[changed], members=[{**MEMBER, "landed_on": "2026-01-03"}])
        assert run("build", "--select=+snap_titles", "+snap_members").success
        yield home, run


def test_a_version_of_a_title_holds_from_its_snapshot_to_the_next(dbt):
    home, _ = dbt
    held = warehouse.query(
        "select genres, dbt_valid_from, dbt_valid_to from snap_titles order by 2", home=home
    )
    assert held.to_pylist() == [
        {"genres": ["Drama"], "dbt_valid_from": DAY_1, "dbt_valid_to": DAY_3},
        {"genres": ["Comedy"], "dbt_valid_from": DAY_3, "dbt_valid_to": None},
    ]


def test_a_snapshot_without_a_change_of_a_member_makes_no_version(dbt):
    home, _ = dbt
    held = warehouse.query("select member_id, dbt_valid_from from snap_members", home=home)
    assert held.to_pylist() == [{"member_id": "m1", "dbt_valid_from": DAY_1}]


def test_freshness_is_measured_at_the_newest_landed_day_not_today(dbt):
    _, run = dbt
    ages = {one.node.name: one for one in run("source", "freshness").result.results}
    assert ages["titles"].status == "pass"
    assert ages["titles"].age == 86400
    assert ages["plays"].status == "warn"
    assert ages["plays"].age == 3 * 86400


@pytest.mark.parametrize(
    "command",
    [
        ("test", "--select=snap_titles", "int_titles__versioned", "int_consents__decided"),
        ("snapshot",),
        ("docs", "generate"),
    ],
    ids=" ".join,
)
def test_what_the_documents_name_works_from_the_folder(dbt, command):
    _, run = dbt
    assert run(*command).success


def test_a_version_leaves_with_the_rows_it_came_from_and_one_that_holds_stays(dbt):
    home, run = dbt
    for stream in ("titles", "members"):
        shutil.rmtree(home / f"received/{stream}/batch=000001")
    assert run("run", "--select=received_counts").success
    held = warehouse.query("select dbt_valid_from from snap_titles", home=home)
    assert held.to_pylist() == [{"dbt_valid_from": DAY_3}]
    held = warehouse.query("select dbt_valid_from from snap_members", home=home)
    assert held.to_pylist() == [{"dbt_valid_from": DAY_1}]


def test_after_a_member_is_erased_no_snapshot_holds_them(dbt):
    """The last test: no member is left in the home."""
    home, run = dbt
    settings = Settings(home=home)
    assert warehouse.query("select member_id from snap_members", home=home).num_rows == 1
    receipt, _ = pipeline.forget(settings, ["m1"], by="test")
    assert receipt.left == {}
    assert warehouse.query("select member_id from snap_members", home=home).num_rows == 0
    assert run("snapshot").success
    assert warehouse.query("select member_id from snap_members", home=home).num_rows == 0
