import json
import threading
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from matinee import validation as checks
from matinee.errors import DataError, ExpectationError
from matinee.validation import check_all, freshness, load_suites, volume

AS_OF = datetime(2026, 1, 11, tzinfo=UTC)


def check(table, **what):
    return checks.check(table, as_of=AS_OF, **what)


def suite(*expectations):
    import great_expectations as gx

    return gx.ExpectationSuite(name="t", expectations=list(expectations))


def expect(kind, **options):
    import great_expectations.expectations as gxe  # not at collection: it takes a second

    return getattr(gxe, kind)(**options)


def count(severity="critical", least=1):
    return expect(
        "ExpectTableRowCountToBeBetween", min_value=least, notes="Too few.", severity=severity
    )


def small(severity="critical"):
    return expect(
        "ExpectColumnValuesToBeBetween",
        column="i",
        max_value=4,
        notes="Too large.",
        severity=severity,
    )


def script():
    return expect(
        "ExpectColumnValuesToBeInSet",
        column="name",
        value_set=["Alien"],
        notes="Unknown.",
        severity="warning",
    )


def even():
    return expect(
        "UnexpectedRowsExpectation",
        description="No name twice.",
        unexpected_rows_query="select name, count(*) as n from {batch} group by 1 having n > 1",
        notes="A name given twice.",
        severity="critical",
    )


@pytest.fixture
def seven(warehouse):
    """Seven rows, 0 to 6, of titles with a hostile name."""
    return warehouse(t="select i, '<script>alert(1)</script>' as name from range(7) as numbers(i)")


def test_results_come_in_the_order_of_the_suite_and_none_is_lost(seven):
    expected = [count(), small(), script(), even(), count("warning", 9)]
    results = check("t", database=seven, suite=suite(*expected)).results
    assert [one.kind for one in results] == [one.expectation_type for one in expected]
    assert [one.success for one in results] == [True, False, False, False, False]
    assert [one.unexpected_count for one in results] == [0, 2, 7, 1, 0]
    assert results[0].observed == 7
    assert results[1].examples == ("5", "6")
    assert results[1].column == "i"


def test_the_error_has_table_expectation_rows_reason_and_action_on_one_line(seven):
    with pytest.raises(ExpectationError) as refusal:
        check("t", database=seven, suite=suite(count(), small())).raise_if_stopped()
    assert str(refusal.value) == (
        "t: expect_column_values_to_be_between (i) broken by 2 row(s), such as '5': Too large. "
        "Repair what landed, or change expectations/t.py if it is the truth, and run again"
    )
    assert refusal.value.exit_code == 3


def test_the_error_counts_further_breaches_and_shows_rows_of_a_query(seven):
    with pytest.raises(
        ExpectationError,
        match=r"\(No name twice\) broken by 1 row\(s\), such as 'name=<script>.*, n=7': .*"
        r"twice \(and 1 more, of t\)\.",
    ):
        check("t", database=seven, suite=suite(count(), even(), small())).raise_if_stopped()


def test_a_broken_table_expectation_shows_the_observed_value(seven):
    with pytest.raises(ExpectationError, match="row_count_to_be_between broken by 7: Too few"):
        check("t", database=seven, suite=suite(count(least=8))).raise_if_stopped()


def test_a_warning_lets_the_night_go_on_and_is_kept(seven):
    validation = check("t", database=seven, suite=suite(count(), small("warning")))
    validation.raise_if_stopped()
    assert [one.notes for one in validation.warnings] == ["Too large."]
    assert validation.stops == []


def test_an_expectation_that_cannot_be_evaluated_counts_as_broken_and_the_others_run(seven):
    missing = expect("ExpectColumnValuesToBeBetween", column="nope", max_value=1, notes="Never.")
    validation = check("t", database=seven, suite=suite(count(), missing, small()))
    assert [one.success for one in validation.results] == [True, False, False]
    assert "nope" in validation.results[1].error
    with pytest.raises(ExpectationError, match=r"\(nope\) could not be evaluated \(.*nope"):
        validation.raise_if_stopped()


def test_a_hostile_value_stays_data(seven):
    validation = check("t", database=seven, suite=suite(count(), script()))
    assert validation.rows()[0]["examples"] == "<script>alert(1)</script>"
    assert json.loads(json.dumps(validation.rows())) == validation.rows()


def test_the_record_of_a_night_is_canonical_and_has_neither_ids_nor_times(seven):
    expected = suite(count(), small(), script(), even())
    first, second = (check("t", database=seven, suite=expected).as_dict() for _ in range(2))
    assert first == second == json.loads(json.dumps(first))
    assert (first["checked"], first["stopped"], first["warned"]) == (4, 2, 1)
    assert first["results"][1] == {
        "table": "t",
        "kind": "expect_column_values_to_be_between",
        "rule": {"column": "i", "max_value": 4.0},
        "notes": "Too large.",
        "severity": "critical",
        "success": False,
        "observed": None,
        "unexpected_count": 2,
        "error": None,
        "accepts": None,
    }


def test_rows_for_a_page_put_what_stopped_first_and_what_passed_last(seven):
    rows = check("t", database=seven, suite=suite(count(), script(), small())).rows()
    assert [row["result"] for row in rows] == ["stopped", "warned", "passed"]
    assert rows[0]["about"] == "i"
    assert rows[0]["rows"] == 2


def test_the_warehouse_is_free_for_its_writer_afterwards(seven):
    check("t", database=seven, suite=suite(count()))
    with duckdb.connect(str(seven)) as writer:
        writer.execute("insert into t values (7, 'x')")


def test_a_check_writes_nothing(seven):
    before = seven.read_bytes()
    check("t", database=seven, suite=suite(count(), small(), even()))
    assert seven.read_bytes() == before
    assert [path.name for path in seven.parent.iterdir()] == [seven.name]


def test_threads_that_check_at_once_get_their_own_answers(seven):
    answers = {}

    def ask(least):
        expected = suite(count(least=least))
        answers[least] = check("t", database=seven, suite=expected).results[0].success

    threads = [threading.Thread(target=ask, args=(least,)) for least in (6, 7, 8, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {6: True, 7: True, 8: False, 9: False}


def test_progress_names_each_table_and_nothing_else_is_printed(warehouse, capsys, tmp_path):
    (tmp_path / "expectations").mkdir()
    for table in ("a", "b"):
        (tmp_path / "expectations" / f"{table}.py").write_text(
            "import great_expectations as gx\n"
            "import great_expectations.expectations as gxe\n"
            f"SUITE = gx.ExpectationSuite(name={table!r}, expectations=["
            "gxe.ExpectTableRowCountToBeBetween(min_value=1, notes='Empty.')])\n"
        )
    seen = []
    validation = check_all(
        load_suites(tmp_path),
        as_of=AS_OF,
        database=warehouse(a="select 1 as x", b="select 1 as x where false"),
        progress=lambda *step: seen.append(step),
    )
    assert seen == [(0, 2, "a"), (1, 2, "b"), (2, 2, "b")]
    assert [(one.table, one.success) for one in validation.results] == [("a", True), ("b", False)]
    assert capsys.readouterr() == ("", "")


def test_a_missing_table_is_named_with_what_builds_it(warehouse):
    with pytest.raises(DataError, match="no table t in the warehouse: build it with"):
        check("t", database=warehouse(u="select 1 as x"), suite=suite(count()))


def test_a_missing_warehouse_is_named_with_what_builds_it(tmp_path):
    with pytest.raises(DataError, match=r"no warehouse .*none.duckdb: build it with"):
        check_all({}, database=tmp_path / "none.duckdb", as_of=AS_OF)


def landed(tmp_path, *, times=1, days=10):
    """A table of 200 rows a day, and so many times that on the last of the days."""
    return (
        "select date '2026-01-01' + (i % 10)::int as landed_on from range(2000) as n(i), "
        f"range(100) as m(j) where j < if(i % 10 = 9, {times}, 1) and i % 10 < {days}"
    )


def spike():
    return volume.newest_day_at_most(10, notes="Too many.")


def test_ten_times_the_usual_rows_stop_the_night_and_the_message_says_how_to_accept_them(
    warehouse, tmp_path
):
    path = warehouse(t=landed(tmp_path, times=10))
    validation = check("t", database=path, suite=suite(count(), spike()))
    with pytest.raises(
        ExpectationError,
        match=r"at most 10 times the rows of a usual day, .*\) broken by 1 row\(s\), such as "
        r"'landed_on=2026-01-10, row_count=2000, usual_row_count=200.0': Too many. "
        r"Repair what landed, or, if it is the truth, run again with `--accept-volume`",
    ):
        validation.raise_if_stopped()
    accepted = replace(validation, accepted=frozenset({"volume"}))
    accepted.raise_if_stopped()
    assert accepted.facts()["accepted"] == ["volume"]
    assert len(accepted.facts()["passed_over"]) == 1
    assert accepted.rows()[0]["result"] == "accepted"
    assert accepted.as_dict() == validation.as_dict()  # a decision is no content


def test_accepting_the_volume_accepts_no_other_breach(warehouse, tmp_path):
    path = warehouse(t=landed(tmp_path, times=10))
    validation = check("t", database=path, suite=suite(count(least=9999), spike()))
    with pytest.raises(ExpectationError, match=r"row_count_to_be_between .*change expectations/t"):
        replace(validation, accepted=frozenset({"volume"})).raise_if_stopped()


def test_volume_is_reported_first_because_it_explains_the_other_breaches(warehouse, tmp_path):
    path = warehouse(t=landed(tmp_path, times=10))
    validation = check("t", database=path, suite=suite(count(least=9999), spike()))
    message = r"at most 10 times .*: Too many \(and 1 more, of t\)\. Repair .*`--accept-volume`"
    with pytest.raises(ExpectationError, match=message):
        validation.raise_if_stopped()


@pytest.mark.parametrize("times", [1, 5, 9])
def test_less_than_ten_times_the_usual_rows_is_no_spike(times, warehouse, tmp_path):
    path = warehouse(t=landed(tmp_path, times=times))
    assert check("t", database=path, suite=suite(count(), spike())).stops == []


def test_a_replay_sees_no_day_after_its_own(warehouse, tmp_path):
    path = warehouse(t=landed(tmp_path, times=10))
    early = datetime(2026, 1, 10, tzinfo=UTC)
    validation = checks.check("t", database=path, suite=suite(count(), spike()), as_of=early)
    assert validation.results[0].observed == 1800
    assert validation.stops == []


def test_a_stream_that_came_every_day_is_missed_on_the_night_it_does_not(warehouse, tmp_path):
    missed = suite(count(), freshness.lands_as_before(notes="The export is down."))
    for days, warned in ((10, []), (9, ["The export is down."]), (8, [])):
        path = warehouse(t=landed(tmp_path, days=days))
        validation = check("t", database=path, suite=missed)
        assert [one.notes for one in validation.warnings] == warned
        assert validation.stops == []


def test_a_file_can_stand_for_a_table_beside_those_of_the_warehouse(warehouse, tmp_path):
    parts = tmp_path / "parts"
    parts.mkdir()
    duckdb.sql("select range as i from range(3)").write_parquet(str(parts / "part-0.parquet"))
    duckdb.sql("select range + 3 as i from range(3)").write_parquet(str(parts / "part-1.parquet"))
    unknown_members = expect(
        "UnexpectedRowsExpectation",
        description="Known.",
        unexpected_rows_query="select here.i from {batch} as here anti join u using (i)",
        notes="An unknown member.",
        severity="critical",
    )
    validation = check(
        "slates",
        database=warehouse(u="select range as i from range(5)"),
        suite=suite(count(), unknown_members),
        files={"slates": parts},
    )
    assert validation.results[0].observed == 6
    assert validation.stops[0].examples == ("i=5",)


def test_what_a_check_spills_stays_beside_the_warehouse(warehouse):
    database = warehouse(t="select 1 as i")
    expected = expect(
        "UnexpectedRowsExpectation",
        description="S",
        unexpected_rows_query="select current_setting('temp_directory') as spill from {batch}",
        notes="S.",
    )
    (one,) = check("t", database=database, suite=suite(expected)).results
    assert one.examples == (f"spill={database.resolve().with_name('.spill')}",)


def test_no_example_names_a_member_because_erasure_does_not_reach_logs(warehouse):
    rows = "select 'm-000017' as member_id, range as i, 3 as plays from range(2)"
    query = "select member_id, sum(plays) as plays from {batch} group by member_id"
    whose = "select distinct member_id from {batch}"
    expected = suite(
        expect(
            "ExpectColumnValuesToBeInSet",
            column="member_id",
            value_set=["m-1"],
            notes="A.",
            severity="critical",
        ),
        expect("ExpectCompoundColumnsToBeUnique", column_list=["member_id", "plays"], notes="B."),
        expect(
            "UnexpectedRowsExpectation", description="C", unexpected_rows_query=query, notes="C."
        ),
        expect(
            "UnexpectedRowsExpectation", description="D", unexpected_rows_query=whose, notes="D."
        ),
    )
    validation = check("t", database=warehouse(t=rows), suite=expected)
    assert [one.examples for one in validation.results] == [(), ("plays=3",), ("plays=6",), ()]
    assert "m-000017" not in str(validation.rows())
    with pytest.raises(ExpectationError, match=r"\(member_id\) broken by 2 row\(s\): A \("):
        validation.raise_if_stopped()


def test_what_is_published_of_a_broken_expectation_names_no_row(seven):
    validation = check("t", database=seven, suite=suite(count(), small("warning")))
    assert "such as" in validation.warnings[0].sentence
    assert validation.facts()["warnings"] == [
        "t: expect_column_values_to_be_between (i) broken by 2 row(s): Too large."
    ]


def test_what_is_only_noted_is_no_warning(warehouse):
    empty = warehouse(t="select 1 as i where false")
    validation = check("t", database=empty, suite=suite(count("info")))
    assert validation.warnings == validation.stops == []
    assert validation.rows()[0]["result"] == "noted"


def test_a_night_adds_up_its_steps_and_keeps_what_was_accepted(seven):
    one = replace(check("t", database=seven, suite=suite(count())), accepted=frozenset({"volume"}))
    both = one + check("t", database=seven, suite=suite(count(), small()))
    assert len(both.results) == 3
    assert both.accepted == {"volume"}
    assert [stop.notes for stop in both.stops] == ["Too large."]
