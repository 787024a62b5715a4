"""What an operator's rules do to lists and pages."""

from datetime import date

import pytest

from matinee.slates.operator_policy import REASON, Rule, active, with_rules
from matinee.slates.page import Proposal, compose

DAY = date(2026, 2, 10)
NUMBERS = {f"t{number}": number for number in range(10)}


def in_force(*rules, country="DE", day=DAY):
    return active(rules, lambda one: NUMBERS.get(one, -1), country, day)


def everything(_):
    return True


def test_pinned_titles_come_first_and_buried_ones_last():
    rules = in_force(Rule("pin", ("t7",)), Rule("bury", ("t1", "t2")))
    assert rules.ordered([1, 2, 3, 4], everything) == [7, 3, 4, 1, 2]


def test_a_pinned_title_that_was_seen_is_not_pinned():
    assert in_force(Rule("pin", ("t7",))).ordered([1, 2], lambda title: title != 7) == [1, 2]


def test_an_embargo_is_stronger_than_a_pin():
    rules = in_force(Rule("pin", ("t1",)), Rule("embargo", ("t1",)))
    assert rules.ordered([1, 2], everything) == [2]


@pytest.mark.parametrize(
    ("country", "day", "holds"),
    [
        ("DE", DAY, True),
        ("SE", DAY, False),
        (None, DAY, False),
        ("DE", date(2026, 2, 1), True),
        ("DE", date(2026, 1, 31), False),
        ("DE", date(2026, 2, 14), True),
        ("DE", date(2026, 2, 15), False),
    ],
)
def test_a_rule_holds_in_its_countries_from_its_first_to_its_last_day(country, day, holds):
    rule = Rule("embargo", ("t1",), ("DE",), date(2026, 2, 1), date(2026, 2, 14))
    assert (1 in in_force(rule, country=country, day=day).embargoed) is holds


def test_a_title_that_left_the_catalogue_is_no_error():
    assert in_force(Rule("pin", ("gone",))).pinned == ()


def test_a_page_has_at_most_so_many_titles_of_a_group():
    rules = in_force(Rule("at_most", ("t0", "t1", "t2", "t3"), most=1))
    shelf = Proposal("genre", "Drama", range(10), "x")
    (shown,) = compose([shelf], may_show=everything, seen=(), limits=rules.limits)
    assert shown.titles == [0, 4, 5, 6, 7, 8, 9]


def test_only_the_list_of_the_member_has_pins_and_each_title_keeps_its_reason():
    own = Proposal("top_picks", "Top picks", [3, 4], lambda place: f"r{place}", is_pinned=True)
    other = Proposal("genre", "Drama", [5, 6], "genre")
    rules = in_force(Rule("pin", ("t7",)), Rule("bury", ("t3", "t5")))
    first, second = with_rules([own, other], rules, everything)
    reasons = [first.reasons(place) for place in range(3)]
    assert (list(first.titles), reasons) == ([7, 4, 3], [REASON, "r1", "r0"])
    assert (list(second.titles), second.reasons(0)) == ([6, 5], "genre")


def test_a_stored_rule_is_read_back():
    rule = Rule("at_most", ("t1", "t2"), ("DE",), date(2026, 2, 1), None, 3)
    assert Rule.of(rule.stored()) == rule
