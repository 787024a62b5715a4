"""Groups of search texts by the words that many members typed; no rarer word leaves.

A group is a set of words. It is shown only if enough members typed all of its words, so a name, an
address or a phrase of one member is never in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

Words = tuple[str, ...]

STOPWORDS = frozenset("a an and by for from in is of on one or that the this to with".split())  # noqa: SIM905

MOST_WORDS = 3
"""Words of a group."""

SHORTEST_CORRECTED = 5
"""Letters of a word from which a slip of the finger is corrected."""


@dataclass(frozen=True)
class Group:
    """Searches for the same thing."""

    term: str
    """The words, in the order in which they are usually typed."""
    searches: tuple[int, ...]
    """Rows of the searches, ascending."""


def normalised(text: str) -> Words:
    """The distinct words of a text without case, accents, punctuation and stop words.

    >>> normalised("The Amélie, and the amelie 2")
    ('amelie', '2')
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    words = re.findall(r"[^\W_]+", plain)
    return tuple(dict.fromkeys(one for one in words if one not in STOPWORDS))


def group(texts: Sequence[str], members: Sequence[Hashable], *, minimum: int) -> list[Group]:
    """The groups of searches, most members first.

    A word counts as the more common one that differs by a letter more, a letter less or two letters
    swapped: a slip of the finger, or a plural. Sets of up to `MOST_WORDS` words that `minimum`
    members typed together are found level by level. Each search joins the largest set that it has,
    of these the one of most members. A set that is left with too few members is dropped, the
    largest sets first, and its searches join smaller ones.

    Parameters
    ----------
    texts : what was typed
    members : who typed it
    minimum : members that a group needs

    Returns
    -------
    Searches without any common word are in no group.

    References
    ----------
    Agrawal and Srikant, "Fast algorithms for mining association rules", VLDB 1994.
    """
    typed = [normalised(text) for text in texts]
    counts = _members_of([[(word,) for word in words] for words in typed], members)
    common = _corrections(counts)
    typed = [tuple(dict.fromkeys(common.get(word, word) for word in words)) for words in typed]
    # A word is shown as it was typed, so enough members must have typed it so.
    shown = {word for (word,), count in counts.items() if count >= minimum}
    sets = _sets([tuple(filter(shown.__contains__, words)) for words in typed], members, minimum)
    while sets:
        found: dict[Words, list[int]] = defaultdict(list)
        for row, words in enumerate(typed):
            if one := _largest(words, sets):
                found[one].append(row)
        few = [one for one, rows in found.items() if _count(rows, members) < minimum]
        if not few:
            groups = [Group(_term(one, typed, rows), tuple(rows)) for one, rows in found.items()]
            return sorted(groups, key=lambda one: (-_count(one.searches, members), one.term))
        size = max(map(len, few))
        sets = {one: n for one, n in sets.items() if len(one) < size or one not in few}
    return []


def _members_of(
    rows: Sequence[Sequence[Words]], members: Sequence[Hashable], minimum: int = 1
) -> dict[Words, int]:
    """The distinct members of each set of words that has at least `minimum`."""
    who: dict[Words, set[Hashable]] = defaultdict(set)
    for row, sets in enumerate(rows):
        for one in sets:
            who[one].add(members[row])
    return {one: len(some) for one, some in who.items() if len(some) >= minimum}


def _count(rows: Sequence[int], members: Sequence[Hashable]) -> int:
    return len({members[row] for row in rows})


def _sets(typed: Sequence[Words], members: Sequence[Hashable], minimum: int) -> dict[Words, int]:
    """Every set of up to `MOST_WORDS` words that enough members typed, and how many did."""
    level = _members_of([[(word,) for word in words] for words in typed], members, minimum)
    found = dict(level)
    kept = [sorted(word for word in words if (word,) in level) for words in typed]
    for size in range(2, MOST_WORDS + 1):
        before = level
        sets = [
            [
                one
                for one in combinations(words, size)
                if all(part in before for part in combinations(one, size - 1))
            ]
            for words in kept
        ]
        level = _members_of(sets, members, minimum)
        found |= level
    return found


def _largest(words: Words, sets: dict[Words, int]) -> Words:
    known = sorted(words)
    for size in range(min(MOST_WORDS, len(known)), 0, -1):
        if inside := [one for one in combinations(known, size) if one in sets]:
            return max(inside, key=lambda one: (sets[one], one))
    return ()


def _term(one: Words, typed: Sequence[Words], rows: Sequence[int]) -> str:
    """The words in their usual order."""
    places: Counter[str] = Counter()
    for row in rows:
        places.update({word: place for place, word in enumerate(typed[row]) if word in one})
    return " ".join(sorted(one, key=lambda word: (places[word], word)))


def _corrections(counts: dict[Words, int]) -> dict[str, str]:
    """Word -> the most common word that slips lead to, where there is one."""
    rank = {word: (count, word) for (word,), count in counts.items()}
    words = [word for word in rank if len(word) >= SHORTEST_CORRECTED]
    better: dict[str, str] = {}
    for word in words:
        for slip in _slips(word) & rank.keys():
            low, high = sorted((word, slip), key=lambda one: rank[one])
            if low not in better or rank[better[low]] < rank[high]:
                better[low] = high
    found = {}
    for word in better:
        most = word
        while most in better:  # each step goes to a more common word
            most = better[most]
        found[word] = most
    return found


def _slips(word: str) -> set[str]:
    """The word with one letter less, or two neighbours swapped."""
    less = {word[:k] + word[k + 1 :] for k in range(len(word))}
    swapped = {word[:k] + word[k + 1] + word[k] + word[k + 2 :] for k in range(len(word) - 1)}
    return (less | swapped) - {word}
