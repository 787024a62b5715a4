"""Each suite passes a sane table, and notices every fault it is there for."""

import re
from itertools import groupby
from pathlib import Path

import duckdb
import pytest

from matinee.errors import ConfigError
from matinee.validation import Validation, check_all, load_suites
from tests.cases import failing
from tests.validation.faults import AS_OF, BESIDE, FAULTS, HONEST, SANE

PROJECT = Path(__file__).resolve().parents[2]

# An empty table of these leaves nothing to recommend or to learn.
NEEDED = {
    "stg_catalogue__titles",
    "title_contents",
    "member_title_signals",
    "frame_member_features",
    "frame_signals",
    "frame_title_features",
    "slates",
}


@pytest.fixture(scope="module")
def suites():
    return load_suites(PROJECT)


@pytest.fixture(scope="module")
def found(suites, tmp_path_factory):
    """What every suite finds in every case: all in one go, for to begin is what takes long."""
    cases = {f"sane_{table}": (table, query) for table, query in SANE.items()}
    cases |= {
        f"empty_{table}": (table, f"from ({sane}) where false") for table, sane in SANE.items()
    }
    cases |= {
        f"fault_{number}": (table, f"with sane as (from {table}) {fault}")
        for number, (table, fault, _) in enumerate(FAULTS)
    }
    cases |= {
        f"honest_{number}": (table, f"with sane as (from {table}) {change}")
        for number, (table, change) in enumerate(HONEST)
    }
    path = tmp_path_factory.mktemp("warehouse") / "matinee.duckdb"
    queries = SANE | BESIDE | {name: query for name, (_, query) in cases.items()}
    with duckdb.connect(str(path)) as connection:
        for name, query in queries.items():
            connection.execute(f"create table {name} as {query}")
    needed = {name: suites[table] for name, (table, _) in cases.items()}
    results = check_all(needed, database=path, as_of=AS_OF).results
    return {
        name: Validation(tuple(group)) for name, group in groupby(results, lambda one: one.table)
    }


def broken(validation):
    return [one for one in validation.results if not one.success]


def test_every_suite_has_a_sane_table_and_a_fault_for_each_of_its_notes(suites):
    assert set(suites) == set(SANE)
    for table, suite in suites.items():
        covered = {start for name, _, starts in FAULTS if name == table for start in starts}
        for expectation in suite.expectations[1:]:
            assert any(expectation.notes.startswith(start) for start in covered), (
                f"{table}: no fault breaks: {expectation.notes}"
            )


def is_critical(expectation):
    return expectation.severity == "critical"


def test_a_critical_note_names_a_cause_and_an_action(suites):
    notes = [
        one.notes for suite in suites.values() for one in suite.expectations if is_critical(one)
    ]
    assert len(notes) > 60
    assert [note for note in notes if not re.search(r"\. Cause: .*\. Action: .*\.$", note)] == []


def test_a_description_names_its_bound(suites):
    bound = re.compile(r"\d|<=|^Every |^Each |^No |if and only if|no more and no fewer")
    described = {
        one.description
        for suite in suites.values()
        for one in suite.expectations
        if one.expectation_type == "unexpected_rows_expectation"
    }
    assert len(described) > 40
    assert [one for one in described if not bound.search(one)] == []


def test_only_the_suites_that_a_step_needs_are_loaded():
    assert list(load_suites(PROJECT, ("slates", "member_tastes"))) == ["member_tastes", "slates"]


def test_a_sane_table_passes(found):
    assert [one.sentence for table in SANE for one in broken(found[f"sane_{table}"])] == []


def test_what_is_unusual_and_right_passes(found):
    wrong = [broken(found[f"honest_{number}"]) for number in range(len(HONEST))]
    assert [one.sentence for found_wrong in wrong for one in found_wrong] == []


def test_ratings_that_are_all_equal_stop_no_night(found):
    note = "Nearly all ratings have one value"
    (number,) = [number for number, (_, _, starts) in enumerate(FAULTS) if note in starts]
    assert found[f"fault_{number}"].stops == []


def test_a_fault_breaks_the_expectations_that_are_there_for_it(found, suites):
    cases = [(number,) for number in range(len(FAULTS))]
    assert failing(lambda number: check_fault(number, found, suites), cases) == []


def check_fault(number, found, suites):
    table, fault, starts = FAULTS[number]
    wrong = broken(found[f"fault_{number}"])
    assert [one.error for one in wrong if one.error] == []
    assert wrong, f"{table}: nothing is wrong with: {fault}"
    for one in wrong:
        assert any(one.notes.startswith(start) for start in starts), f"{table}: {fault}: {one}"
    for start in starts:  # one fault may be there for many tables
        needed = any(one.notes.startswith(start) for one in suites[table].expectations)
        assert not needed or any(one.notes.startswith(start) for one in wrong), start


def test_an_empty_table_stops_the_night_only_where_nothing_can_be_done_without_it(found):
    assert failing(lambda table: check_empty(table, found), [(table,) for table in SANE]) == []


def check_empty(table, found):
    validation = found[f"empty_{table}"]
    first = validation.results[0]
    assert first.kind == "expect_table_row_count_to_be_between"
    assert not first.success
    assert bool(validation.stops) == (table in NEEDED), [one.sentence for one in validation.stops]
    assert [one.error for one in validation.results if one.error] == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", r"expectations/t.py must hold a SUITE with name=\"t\""),
        ("SUITE = gx.ExpectationSuite(name='u')", r"must hold a SUITE with name=\"t\""),
        ("SUITE = gx.ExpectationSuite(name='t')", "t.py must begin with expect_table_row_count"),
        (
            "SUITE = gx.ExpectationSuite(name='t', expectations=["
            "gxe.ExpectTableRowCountToBeBetween(min_value=1)])",
            "t.py: expect_table_row_count_to_be_between has no notes; say what",
        ),
    ],
)
def test_a_suite_that_breaks_the_house_rules_is_refused(code, message, tmp_path):
    (tmp_path / "expectations").mkdir()
    imports = "import great_expectations as gx\nimport great_expectations.expectations as gxe\n"
    (tmp_path / "expectations" / "t.py").write_text(imports + code)
    with pytest.raises(ConfigError, match=message):
        load_suites(tmp_path)


def test_a_project_without_suites_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no suites in .*expectations: point MATINEE_PROJECT"):
        load_suites(tmp_path)
