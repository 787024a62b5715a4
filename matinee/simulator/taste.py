"""What a title is worth to a member: the planted truth behind every choice."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matinee.simulator import world
from matinee.simulator.catalogue import Catalogue, Floats, Ints
from matinee.simulator.people import STRENGTH, People

BLOCK = 8192  # pairs are scored in blocks of so many members, which bounds the memory


@dataclass(frozen=True)
class Taste:
    """Scores of about mean 0 and deviation 1 over the titles of the first day."""

    members: Floats
    """(M, D)"""
    titles: Floats
    """(T, D)"""
    favourites: Ints
    people: Ints

    def score(self, member: Ints, title: Ints) -> Floats:
        """What `title` (n, s) is worth to `member` (n,): (n, s), in standard deviations."""
        scores = np.empty(title.shape, np.float32)
        for start in range(0, len(member), BLOCK):
            block = slice(start, start + BLOCK)
            rows, columns = member[block], title[block]
            scores[block] = np.einsum("nd,nsd->ns", self.members[rows], self.titles[columns])
            scores[block] += STRENGTH["people"] * self.has_favourite(rows, columns)
        return scores

    def has_favourite(self, member: Ints, title: Ints) -> npt.NDArray[np.bool_]:
        """Whether a title (n, s) has a favourite of the member (n,) in it."""
        cast = self.people[title]
        found = np.zeros(title.shape, bool)
        for column in range(self.favourites.shape[1]):
            favourite = self.favourites[member, column][:, None, None]
            found |= (cast == favourite).any(axis=2)
        return found


def build(people: People, catalogue: Catalogue) -> Taste:
    """Join the parts of taste, each scaled to its strength on those there from the first day."""
    genres = catalogue.genres / np.sqrt(np.maximum(catalogue.genres.sum(axis=1), 1))[:, None]
    parts = {
        "genres": (people.genres, genres),
        "themes": (people.themes, catalogue.themes),
        "eras": (people.eras, np.eye(len(world.ERAS))[catalogue.eras]),
        "languages": (people.languages, np.eye(len(world.LANGUAGES))[catalogue.languages]),
        "hidden": (people.hidden, catalogue.hidden),
    }
    first_members = np.flatnonzero(people.joined < 0)[:2000]
    first_titles = np.flatnonzero(catalogue.added < 0)[:2000]
    total = np.sqrt(sum(STRENGTH[name] ** 2 for name in parts))
    members, titles = [], []
    for name, (wants, has) in parts.items():
        has = has.astype(np.float32)
        has = has - has[first_titles].mean(axis=0)
        spread = (wants[first_members] @ has[first_titles].T).std()
        members.append(wants * np.float32(STRENGTH[name] / total / max(spread, 1e-6)))
        titles.append(has)
    return Taste(
        members=np.hstack(members),
        titles=np.hstack(titles),
        favourites=people.favourites,
        people=catalogue.people,
    )
