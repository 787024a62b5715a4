"""The planted utility of a title for a member, on which all choices depend."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from matinee.simulator import world
from matinee.simulator.catalogue import Catalogue, Floats, Ints
from matinee.simulator.people import STRENGTH, People

BLOCK = 8192  # members per block of scores, which bounds memory


@dataclass(frozen=True)
class Taste:
    """Utilities with mean 0 and standard deviation 1, about, over the titles of the first day."""

    members: Floats
    """(M, D)"""
    titles: Floats
    """(T, D)"""
    favourites: Ints
    people: Ints
    lift: Floats
    """(T,) what every member finds in a title now, whatever their taste; usually 0."""

    def score(self, member: Ints, title: Ints) -> Floats:
        """(n, s) utility of `title` (n, s) for `member` (n,), in standard deviations."""
        scores = np.empty(title.shape, np.float32)
        for start in range(0, len(member), BLOCK):
            block = slice(start, start + BLOCK)
            rows, columns = member[block], title[block]
            scores[block] = np.einsum("nd,nsd->ns", self.members[rows], self.titles[columns])
            scores[block] += STRENGTH["people"] * self.has_favourite(rows, columns)
        return scores + self.lift[title]

    def has_favourite(self, member: Ints, title: Ints) -> npt.NDArray[np.bool_]:
        """(n, s) whether a title has a favourite person of the member."""
        cast = self.people[title]
        has_any = np.zeros(title.shape, bool)
        for column in range(self.favourites.shape[1]):
            favourite = self.favourites[member, column][:, None, None]
            has_any |= (cast == favourite).any(axis=2)
        return has_any


def build(people: People, catalogue: Catalogue) -> Taste:
    """Join the parts of taste, each scaled to its strength on members and titles of day 0."""
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
    for name, (preferences, attributes) in parts.items():
        attributes = attributes.astype(np.float32)
        attributes = attributes - attributes[first_titles].mean(axis=0)
        spread = (preferences[first_members] @ attributes[first_titles].T).std()
        members.append(preferences * np.float32(STRENGTH[name] / total / max(spread, 1e-6)))
        titles.append(attributes)
    return Taste(
        members=np.hstack(members),
        titles=np.hstack(titles),
        favourites=people.favourites,
        people=catalogue.people,
        lift=np.zeros(len(catalogue), np.float32),
    )


@dataclass(frozen=True)
class RisingTheme:
    """A planted trend: from a day on, all titles of a theme are worth more to all members."""

    theme: str
    day: int
    utility: float
    """In standard deviations of the utility of a title for a member."""

    def applied(self, taste: Taste, catalogue: Catalogue) -> Taste:
        """The taste from that day on."""
        has_theme = catalogue.themes[:, list(world.THEMES).index(self.theme)].astype(np.float32)
        return replace(taste, lift=taste.lift + has_theme * np.float32(self.utility))
