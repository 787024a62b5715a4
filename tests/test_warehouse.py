"""Reading a warehouse."""

import subprocess
import sys

import duckdb
import pyarrow.parquet as pq
import pytest

from matinee import warehouse
from matinee.errors import BusyError, DataError, StorageError
from matinee.privacy import Traces


@pytest.fixture
def home(tmp_path):
    """A warehouse of two tables, one of them of features."""
    (tmp_path / "warehouse").mkdir()
    with duckdb.connect(str(warehouse.path(tmp_path))) as connection:
        connection.execute(
            "create table member_moods as select * from (values "
            "('m2', timestamp '2026-01-01', ['sad']), ('m1', timestamp '2026-01-02', []), "
            "('m1', timestamp '2026-01-01', ['mad'])) as rows (member_id, observed_at, moods)"
        )
        connection.execute("create table titles as select 't1' as title_id, 7 as year")
    return tmp_path


def test_a_table_comes_in_the_order_of_its_columns(home):
    assert warehouse.table("member_moods", home=home)["member_id"].to_pylist() == ["m1", "m1", "m2"]


def test_values_are_bound_by_place_or_name(home):
    sql = "select title_id from titles where year = "
    assert warehouse.query(f"{sql} ?", [7], home=home).num_rows == 1
    assert warehouse.query(f"{sql} $year", {"year": 8}, home=home).num_rows == 0


def test_only_tables_with_the_feature_clock_are_exported_by_key_and_time(home):
    (exported,) = warehouse.export_features(home)
    assert (exported.table, exported.rows) == ("member_moods", 3)
    rows = pq.read_table(exported.path).to_pylist()
    assert [(row["member_id"], row["observed_at"].isoformat()) for row in rows] == [
        ("m1", "2026-01-01T00:00:00+00:00"),
        ("m1", "2026-01-02T00:00:00+00:00"),
        ("m2", "2026-01-01T00:00:00+00:00"),
    ]
    assert {file.name for file in exported.path.parent.iterdir()} == {
        "member_moods.parquet",
        "exported.json",
    }


def changed(home, sql):
    """The files of features that another export writes, after a change of the warehouse."""
    folder = home / "features" / "member_moods.parquet"
    before = {file.name: file.stat().st_ino for file in folder.iterdir()}
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute(sql)
    warehouse.export_features(home)
    after = {file.name: file.stat().st_ino for file in folder.iterdir()}
    return {name for name, _ in before.items() ^ after.items()}


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("select 1", set()),
        ("insert into member_moods values ('m3', '2026-02-01', [])", {"2026-02.parquet"}),
        ("update member_moods set moods = ['glad'] where member_id = 'm2'", {"2026-01.parquet"}),
        ("delete from member_moods", {"2026-01.parquet", "0001-01.parquet"}),
    ],
)
def test_only_months_that_changed_are_written_again(home, sql, written):
    warehouse.export_features(home)
    assert changed(home, sql) == written


@pytest.mark.parametrize(
    ("sql", "name", "kind"),
    [
        ("alter table member_moods rename moods to tempers", "tempers", "list<element: string>"),
        ("alter table member_moods add column is_new boolean", "is_new", "bool"),
        ("alter table member_moods alter moods type varchar", "moods", "string"),
    ],
)
def test_a_column_of_another_name_or_type_is_written_though_its_values_are_the_same(
    home, sql, name, kind
):
    (exported,) = warehouse.export_features(home)
    assert changed(home, sql) == {"2026-01.parquet"}
    assert str(pq.read_table(exported.path).schema.field(name).type) == kind


def test_a_damaged_file_is_written_again(home):
    (exported,) = warehouse.export_features(home)
    rows = pq.read_table(exported.path)
    (file,) = exported.path.iterdir()
    file.write_bytes(b"PAR1")
    warehouse.export_features(home)
    assert pq.read_table(exported.path).equals(rows)


def test_months_before_the_first_changed_one_are_not_read(home):
    """By the word of the build that follows the one shown; of any other, all are."""
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute("alter table member_moods rename to member_tastes")
        connection.execute("create table int_received_days__expired (received_on date)")
    for build, kept in [(1, 3), (2, 3), (2, 2)]:
        with duckdb.connect(str(warehouse.path(home))) as connection:
            connection.execute(
                f"create or replace table last_build as select {build} as build_number"
            )
            connection.execute(
                "create or replace table int_first_days__changed as "
                f"select {build - 1} as since_build, date '2026-02-03' as first_summed_day"
            )
            if build == 2:
                connection.execute("delete from member_tastes where member_id = 'm2'")
        (exported,) = warehouse.export_features(home)
        assert pq.read_table(exported.path).num_rows == kept


def test_a_month_whose_file_an_erasure_wrote_is_read_again(home):
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute("alter table member_moods rename to member_tastes")
        connection.execute("create table int_received_days__expired (received_on date)")
        connection.execute("create table last_build as select 1 as build_number")
        connection.execute(
            "create table int_first_days__changed as"
            " select 0 as since_build, date '2026-02-03' as first_summed_day"
        )
    (exported,) = warehouse.export_features(home)
    (file,) = exported.path.iterdir()
    rows = pq.read_table(exported.path)
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute("update last_build set build_number = 2")
        connection.execute("update int_first_days__changed set since_build = 1")
        connection.execute("delete from member_tastes where member_id = 'm2'")
    pq.write_table(rows.slice(0, 2), file)
    erased = file.read_bytes()
    warehouse.export_features(home)
    assert pq.read_table(exported.path).equals(rows.slice(0, 2))
    assert file.read_bytes() != erased  # as DuckDB writes it


def erased(home, rows, profiles=()):
    """Whether a full refresh is due after m1 is erased, and the days that are summed again."""
    with duckdb.connect(str(warehouse.path(home))) as connection:
        connection.execute(
            "create table base_playback__plays (event_id varchar, member_id varchar,"
            " title_id varchar, event_at timestamp, received_at timestamp)"
        )
        connection.executemany(
            "insert into base_playback__plays values (?, ?, 't1', ?, ?)", list(rows)
        )
        connection.execute("create table base_accounts__members (member_id varchar)")
        for one in profiles:
            connection.execute("insert into base_accounts__members values (?)", [one])
    is_full = warehouse.erase(home, Traces.of(["m1"]))
    days = warehouse.query("from erased_days order by all", home=home).to_pylist()
    return is_full, [(str(row["received_on"]), str(row["event_on"])) for row in days]


PLAYS = [("e1", "m1", "2026-01-02 23:50", "2026-01-04"), ("e2", "m2", "2026-01-09", "2026-01-09")]


def test_an_erasure_leaves_the_days_to_sum_again_and_no_id(home):
    is_full, days = erased(home, PLAYS)
    assert not is_full
    assert days == [("2026-01-04", f"2026-01-0{day}") for day in (1, 2, 3)]
    assert warehouse.table("base_playback__plays", home=home)["member_id"].to_pylist() == ["m2"]
    assert warehouse.search(warehouse.path(home), Traces.of(["m1"])) == {}


@pytest.mark.parametrize(
    ("rows", "profiles", "is_full"),
    [
        (PLAYS, ["m1", "m2"], False),
        (PLAYS, ["m1"], True),  # without profiles, everybody who has an event counts
        (
            [*PLAYS, ("e1", "m2", "2026-01-03", "2026-01-05")],
            [],
            True,
        ),  # m2's delivery is the first
    ],
)
def test_a_full_refresh_is_due_when_a_row_of_another_member_changes(home, rows, profiles, is_full):
    assert erased(home, rows, profiles)[0] is is_full


def test_the_connection_cannot_write(home):
    with warehouse.connect(home) as connection, pytest.raises(duckdb.InvalidInputException):
        connection.execute("delete from titles")


def test_a_missing_warehouse_says_which_command_builds_it(tmp_path):
    with pytest.raises(DataError, match=r"no warehouse .*matinee\.duckdb: build it with `matinee"):
        warehouse.table("titles", home=tmp_path)


def test_a_missing_table_says_which_command_builds_it(home):
    with pytest.raises(DataError, match=r"films does not exist.*: build it with `matinee run`"):
        warehouse.table("films", home=home)


@pytest.mark.parametrize("name", ["titles; drop table titles", "", "Titles", "main.titles"])
def test_a_name_that_is_no_table_name_is_refused(home, name):
    with pytest.raises(DataError, match="no table can be called"):
        warehouse.table(name, home=home)


def test_a_warehouse_without_features_says_which_command_builds_them(tmp_path):
    (tmp_path / "warehouse").mkdir()
    duckdb.connect(str(warehouse.path(tmp_path))).close()
    with pytest.raises(DataError, match=r"no feature tables in .*: build them with `matinee run`"):
        warehouse.export_features(tmp_path)


def test_a_file_that_is_no_warehouse_is_named(tmp_path):
    (tmp_path / "warehouse").mkdir()
    warehouse.path(tmp_path).write_bytes(b"not a database, but long enough to look at" * 1000)
    with pytest.raises(StorageError, match=r"matinee\.duckdb cannot be read"):
        warehouse.table("titles", home=tmp_path)


def test_a_warehouse_being_written_says_to_wait(home):
    writer = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", writer, str(warehouse.path(home))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "open\n"
        with pytest.raises(BusyError, match="is being written: wait for the night to end"):
            warehouse.table("titles", home=home)
        with pytest.raises(BusyError, match="is in use: wait for the process that has it open"):
            warehouse.search(warehouse.path(home), Traces.of(["m1"]))
        process.communicate("")
