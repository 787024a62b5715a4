from datetime import date

import pyarrow as pa
import pytest

from matinee.slates.eligibility import Eligibility

DAY = date(2026, 1, 31)


def titles(**columns):
    rows = {"title_id": ["t1", "t2"], "minimum_age": [0, 16]}
    rows |= {"added_on": [None, None], "is_retired": [False, False]} | columns
    types = {"minimum_age": pa.int64(), "added_on": pa.date32()}
    return pa.table({name: pa.array(values, types.get(name)) for name, values in rows.items()})


def windows(*rows):
    names = ["title_id", "country", "starts_on", "ends_on"]
    types = [pa.string(), pa.string(), pa.date32(), pa.date32()]
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    return pa.table(
        {n: pa.array(list(c), t) for n, c, t in zip(names, columns, types, strict=True)}
    )


def allowed(catalogue=None, limits=None, country="DE", maximum_age=None):
    answers = Eligibility(catalogue or titles(), limits or windows(), day=DAY)
    return answers.allowed(country, maximum_age).tolist()


def test_a_title_without_windows_is_available_everywhere():
    assert allowed() == [True, True]


def test_a_retired_title_is_never_shown():
    assert allowed(titles(is_retired=[True, False])) == [False, True]


def test_a_title_is_shown_from_the_day_it_was_added_on():
    assert allowed(titles(added_on=[date(2026, 1, 31), date(2026, 2, 1)])) == [True, False]


@pytest.mark.parametrize(("country", "shown"), [("DE", True), ("FR", False), (None, False)])
def test_a_window_opens_a_title_in_its_country_only(country, shown):
    assert allowed(limits=windows(("t1", "DE", None, None)), country=country) == [shown, True]


def test_a_window_without_a_country_is_open_everywhere():
    assert allowed(limits=windows(("t1", None, None, None)), country="FR") == [True, True]


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "shown"),
    [
        (date(2026, 1, 31), None, True),
        (date(2026, 2, 1), None, False),
        (None, date(2026, 1, 31), True),
        (None, date(2026, 1, 30), False),
    ],
)
def test_both_ends_of_a_window_are_included(starts_on, ends_on, shown):
    assert allowed(limits=windows(("t1", "DE", starts_on, ends_on))) == [shown, True]


def test_a_title_above_the_maturity_limit_is_not_eligible():
    assert allowed(maximum_age=12) == [True, False]


def test_a_title_of_unknown_age_is_not_eligible_for_members_with_a_limit_only():
    unknown = titles(minimum_age=[None, 16])
    assert allowed(unknown) == [True, True]
    assert allowed(unknown, maximum_age=18) == [False, True]
