"""The four snapshot streams: titles, title windows, assets and members on one day."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from matinee.simulator import world
from matinee.simulator.accounts import Accounts
from matinee.simulator.catalogue import AI_DISCLOSURES, VARIANTS, Catalogue, Film, Ints
from matinee.simulator.people import GENDERS
from matinee.simulator.tables import SCHEMAS, TableBuilder, pick

# IPTC digital source types, and the labels that members see.
PEOPLE_MADE = ("digitalCapture", "compositeCapture", "digitalCreation", "negativeFilm")
AI_MADE = {
    1: ("compositeWithTrainedAlgorithmicMedia", "Made with the help of AI"),
    2: ("trainedAlgorithmicMedia", "Made by AI"),
}


def titles_changed(catalogue: Catalogue, day: int) -> bool:
    """Whether a title arrived, left or got its themes on `day`."""
    return bool(
        day == 0
        or (catalogue.added == day).any()
        or (catalogue.retired == day).any()
        or (catalogue.tagged == day).any()
    )


def synopsis(film: Film) -> str:
    """A synopsis from facts: films.csv has no plots."""
    kind = "series" if film.is_series else "film"
    genre = " and ".join(film.genres[:2]).capitalize()
    cast = f", with {' and '.join(film.actors[:2])}" if film.actors else ""
    who = " and ".join(film.directors[:2])
    return f"{genre}: a {kind} of {film.released_on.year} by {who}{cast}."


@dataclass(frozen=True)
class Snapshots:
    """Builds every row once; the snapshot of a day selects rows."""

    tables: TableBuilder

    def titles(self, day: int) -> pa.Table:
        catalogue = self.tables.catalogue
        rows = np.flatnonzero(catalogue.available(day))
        # The second half of the themes are empty, for titles that are not tagged yet.
        themes = rows + len(catalogue) * (catalogue.tagged[rows] > day)
        table = self._titles.take(pa.array(rows))
        return table.set_column(
            table.schema.get_field_index("themes"), "themes", self._themes.take(pa.array(themes))
        )

    def title_windows(self, day: int) -> pa.Table:
        """A row per title and country; country is null for a licence in all countries."""
        table, rows = self._windows
        return table.filter(pa.array(self.tables.catalogue.available(day)[rows]))

    def assets(self, day: int) -> pa.Table:
        """Three artworks, a trailer and a synopsis per title."""
        is_available = self.tables.catalogue.available(day)
        return self._assets.filter(pa.array(np.repeat(is_available, VARIANTS + 2)))

    def members(self, accounts: Accounts, day: int) -> pa.Table:
        people = self.tables.people
        count = int((people.joined <= day).sum())
        limits = np.array(world.AGE_LIMITS)[people.age_limit[:count]]
        first = np.datetime64(self.tables.first_day, "D")
        born = people.birth_year[:count]
        columns = [
            self.tables.member_ids[:count],
            pa.array(first + people.joined[:count].astype("timedelta64[D]")),
            pick([country.code for country in world.COUNTRIES], people.country[:count]),
            pick(world.PLANS, accounts.plan[:count]),
            pa.array(people.language[:count]),
            pa.array(born, mask=born == 0),
            pick(GENDERS, people.gender[:count]),
            people.is_kids[:count],
            pa.array(limits, mask=limits == world.AGE_LIMITS[-1]),
        ]
        return pa.table(columns, schema=SCHEMAS["members"])

    @cached_property
    def _titles(self) -> pa.Table:
        catalogue = self.tables.catalogue
        rows = [
            {
                "title_id": film.id,
                "name": film.name,
                "title_kind": "series" if film.is_series else "movie",
                "released_on": film.released_on,
                "added_on": self.tables.on(added),
                "runtime_seconds": film.runtime_seconds,
                "language": film.language,
                "countries": film.countries,
                "genres": film.genres,
                "directors": film.directors,
                "actors": film.actors,
                "minimum_age": age,
                "synopsis": synopsis(film),
                "ai_use": film.ai_use,
                "ai_disclosure": AI_DISCLOSURES[film.ai_use],
                "owner": "matinee" if film.is_invented else None,
                "is_original": film.is_invented,
            }
            for film, added, age in zip(
                catalogue.films,
                catalogue.added.tolist(),
                catalogue.minimum_age.tolist(),
                strict=True,
            )
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMAS["titles"])

    @cached_property
    def _themes(self) -> pa.Array:
        names = np.array(list(world.THEMES))
        themes = [names[row].tolist() for row in self.tables.catalogue.themes]
        return pa.array([*themes, *([[]] * len(themes))], pa.list_(pa.string()))

    @cached_property
    def _windows(self) -> tuple[pa.Table, Ints]:
        catalogue = self.tables.catalogue
        is_everywhere = (catalogue.closes == catalogue.closes[:, :1]).all(axis=1)
        is_row = catalogue.has_windows[:, None] & (catalogue.closes >= 0)
        is_row[:, 1:] &= ~is_everywhere[:, None]
        title, country = np.nonzero(is_row)
        first = np.datetime64(self.tables.first_day, "D")
        columns = [
            self.tables.title_ids.take(pa.array(title)),
            pick([c.code for c in world.COUNTRIES], np.where(is_everywhere[title], -1, country)),
            pa.array(first + catalogue.opens[title, country].astype("timedelta64[D]")),
            pa.array(first + catalogue.closes[title, country].astype("timedelta64[D]")),
        ]
        return pa.table(columns, schema=SCHEMAS["title_windows"]), title

    @cached_property
    def _assets(self) -> pa.Table:
        catalogue = self.tables.catalogue
        tags = np.array(list(world.ARTWORK_TAGS))
        rows = []
        for k, film in enumerate(catalogue.films):
            for variant in range(VARIANTS):
                person = PEOPLE_MADE[(k + variant) % len(PEOPLE_MADE)]
                maker = int(catalogue.artwork_maker[k, variant])
                source, label = AI_MADE.get(maker, (person, None))
                shown = tags[catalogue.artwork[k, variant]].tolist()
                rows.append(
                    {
                        "asset_id": f"{film.id}-art{variant + 1}",
                        "title_id": film.id,
                        "asset_kind": "artwork",
                        "tags": list(dict.fromkeys([*shown, film.genres[0].lower()])),
                        "digital_source_type": source,
                        "disclosure_label": label,
                    }
                )
            for kind, source in (("trailer", "digitalCapture"), ("synopsis", "digitalCreation")):
                rows.append(
                    {
                        "asset_id": f"{film.id}-{kind}",
                        "title_id": film.id,
                        "asset_kind": kind,
                        "tags": [],
                        "digital_source_type": source,
                    }
                )
        return pa.Table.from_pylist(rows, schema=SCHEMAS["assets"])
