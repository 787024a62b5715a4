"""Groups of searches: what many typed is found, and what few typed never leaves."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from matinee.insights.searches import group, normalised

WORDS = st.lists(st.sampled_from(["season", "nine", "dallas", "dalas", "match"]), max_size=4)
ROWS = st.lists(st.tuples(WORDS.map(" ".join), st.integers(0, 8)), max_size=40)


def grouped(texts, minimum, members=None):
    members = list(range(len(texts))) if members is None else members
    return {one.term: one.searches for one in group(texts, members, minimum=minimum)}


def test_case_accents_punctuation_and_stop_words_do_not_matter():
    assert normalised("The AMÉLIE, and the amelie!") == ("amelie",)


def test_a_phrase_that_enough_members_typed_is_a_group_and_a_rarer_one_joins_a_part_of_it():
    texts = ["season 9 of Dallas"] * 3 + ["Season 9 of Lost"] * 2
    assert grouped(texts, 3) == {"season 9 dallas": (0, 1, 2)}
    assert grouped(texts, 5) == {"season 9": (0, 1, 2, 3, 4)}
    assert grouped(texts, 6) == {}


def test_slips_of_the_finger_count_as_the_common_word():
    texts = ["free movie"] * 4 + ["free movei", "fre movie", "free moviee"]
    assert grouped(texts, 4) == {"free movie": (0, 1, 2, 3, 4, 6)}


def test_one_member_who_types_a_name_often_makes_no_group():
    assert grouped(["ada lovelace"] * 50, 2, members=["m1"] * 50) == {}


@given(ROWS, st.integers(1, 5))
def test_every_word_shown_was_typed_by_enough_members(rows, minimum):
    texts, members = [text for text, _ in rows], [member for _, member in rows]
    typed_by = defaultdict(set)
    for text, member in rows:
        for word in normalised(text):
            typed_by[word].add(member)
    seen = set()
    for one in group(texts, members, minimum=minimum):
        assert len({members[row] for row in one.searches}) >= minimum
        assert all(len(typed_by[word]) >= minimum for word in one.term.split())
        assert not seen & set(one.searches)  # a search is in one group
        seen |= set(one.searches)
