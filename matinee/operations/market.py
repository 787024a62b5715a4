"""What a release knows of members and titles, for questions about an audience."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices, releases, transform, warehouse
from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.errors import DataError
from matinee.insights import audience
from matinee.models import linear
from matinee.models.feature_families import TITLE_WEIGHTS
from matinee.models.fits import one_thread
from matinee.models.parts import Settings as PartSettings
from matinee.night.forward.released import Released
from matinee.rights import consent
from matinee.settings import Settings
from matinee.vocabulary import Vocabulary

MEMBERS = """
    select member_id, may_personalise and may_use_for_insights as may_analyse, may_market
    from members
    where not is_closed
"""

RUNTIMES = "select title_id, runtime_seconds from titles"

RUNTIME_MINUTES = (45, 75, 95, 115, 140)
"""Where a class of runtime ends."""

WEIGHTS = {**TITLE_WEIGHTS, "runtime": 0.1}

BLOCK = 2_048
"""Members whose probabilities are computed at once."""

OTHER = "other"
"""The name of all cells that are too small to be shown alone."""

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Market:
    """A release with the consents of today; members who refused anything needed are left out."""

    settings: Settings
    release: releases.Release
    opened: Released

    @classmethod
    def of(cls, settings: Settings, release: str) -> Market:
        """Open a release by id or alias.

        Raises
        ------
        DataError
            If it has no arrays to score with: an old one.
        """
        one_thread()
        found = releases.Store.of(settings.home).open(release)
        if not (found.path / "combination.json").exists():
            raise DataError(
                f"release {found.id} is too old for this question: publish one with `matinee run`"
            )
        return cls(settings, found, Released.of(found))

    @property
    def members(self) -> Vocabulary:
        return self.opened.members

    @cached_property
    def titles(self) -> pa.Table:
        """The catalogue of the release in the order of its vocabulary, with `runtime_seconds`."""
        runtimes = warehouse.query(RUNTIMES, home=self.settings.home.resolve())
        titles = self.release.titles()
        rows = pc.index_in(titles[TITLE_ID], value_set=runtimes[TITLE_ID].combine_chunks())
        return titles.append_column("runtime_seconds", runtimes["runtime_seconds"].take(rows))

    @cached_property
    def _consents(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Who may be analysed, and who may be contacted: by the warehouse and all choices since."""
        known = warehouse.query(MEMBERS, home=self.settings.home.resolve()).to_pylist()
        by_id = {row[MEMBER_ID]: row for row in known}
        refused = consent.read(self.settings)
        ids = self.members.ids.to_pylist()

        def allowed(member: str, column: str, *purposes: str) -> bool:
            is_granted = member in by_id and by_id[member][column]
            return is_granted and not any(refused.includes(member, one) for one in purposes)

        analysed = (consent.PERSONALISATION, consent.INSIGHTS)
        may_analyse = np.array([allowed(one, "may_analyse", *analysed) for one in ids], np.bool_)
        may_market = np.array([allowed(one, "may_market", "marketing") for one in ids], np.bool_)
        return may_analyse, may_analyse & may_market

    @property
    def permitted(self) -> NDArray[np.bool_]:
        """Members who allow personalisation and insights: bool, shape (n_members,)."""
        return self._consents[0]

    @property
    def contactable(self) -> NDArray[np.bool_]:
        """Those of them who allow marketing."""
        return self._consents[1]

    @cached_property
    def log(self) -> audience.Log:
        """The interactions of permitted members."""
        history = self.opened.parts.history
        kept = self.permitted[history.members]
        return audience.Log(
            history.members[kept],
            history.titles[kept],
            history.times[kept] / 86_400e6,
            (len(self.members), len(self.titles)),
        )

    @cached_property
    def now(self) -> float:
        """The end of the release's data, in days."""
        as_of = np.datetime64(self.release.manifest["as_of"][:19])
        return float(as_of.astype("datetime64[s]").astype(np.int64)) / 86_400

    def content(self, extra: Sequence[Mapping[str, Any]] = ()) -> sp.csr_array[np.float32]:
        """The content of all titles, and of titles that do not exist, below them."""
        titles = [*self.titles.to_pylist(), *extra]
        ids = Vocabulary(pa.array([f"{number:09}" for number in range(len(titles))]))
        families: dict[str, list[Any]] = {
            "kind": [row.get("title_kind") for row in titles],
            "genre": [row.get("genres") for row in titles],
            "theme": [row.get("themes") for row in titles],
            "director": [row.get("directors") for row in titles],
            "actor": [row.get("actors") for row in titles],
            "language": [row.get("language") for row in titles],
            "runtime": [runtime_class(row.get("runtime_seconds")) for row in titles],
        }
        known = {name: values for name, values in families.items() if any(values)}
        made = matrices.features(
            ids, known, identity=False, family_weights=WEIGHTS, minimum_support=1
        )
        # What a brief leaves open is as in the mean title: it is unknown, and not nothing.
        count = len(self.titles)
        mean = np.asarray(made.matrix[:count].mean(axis=0), np.float64).ravel()
        rows = [made.matrix[:count]]
        for row in range(count, len(titles)):
            filled = made.matrix[[row]].toarray()[0]
            for name, values in known.items():
                if not values[row]:
                    columns = made.columns_of(name)
                    filled[columns] = mean[columns]
            rows.append(sp.csr_array(filled[None, :].astype(np.float32)))
        return sp.csr_array(sp.vstack(rows, format="csr"))

    def affinity(
        self, history: sp.csr_array[np.float32]
    ) -> Callable[[NDArray[np.intp]], NDArray[np.floating]]:
        """What members alike watched, by RP3beta; a title that does not exist has none."""
        parts = PartSettings()
        walks = linear.rp3beta(history, alpha=parts.alpha, beta=parts.beta)

        def scores(rows: NDArray[np.intp]) -> NDArray[np.floating]:
            return np.asarray(walks.scores(history[rows]))

        return scores

    def blocks(self) -> Iterator[NDArray[np.intp]]:
        """The permitted members, some at a time."""
        rows = np.flatnonzero(self.permitted)
        for start in range(0, len(rows), BLOCK):
            yield rows[start : start + BLOCK]

    def chance(
        self, model: audience.Audience, instant: audience.Instant, title: int
    ) -> NDArray[np.float64]:
        """Of every member to watch a title, float, shape (n_members,); 0 if not permitted."""
        chance = np.zeros(len(self.members))
        for rows in self.blocks():
            chance[rows] = model.probability(instant.window(rows), title)
        return chance

    def eligible(self, title: int) -> NDArray[np.bool_]:
        """Members who may be shown a title, by their country and maturity limit."""
        groups = self.opened.groups
        return np.asarray((groups >= 0) & self.opened.allowed[groups, title], np.bool_)

    def labels(self, family: str) -> list[str]:
        """The value of each member in a feature family of the release: country, daypart."""
        features = self.opened.features.members
        columns = np.flatnonzero(features.columns_of(family))
        names = [features.names[column].partition("=")[2] for column in columns] + [UNKNOWN]
        block = sp.csr_array(features.matrix[:, columns])
        first = np.full(len(self.members), len(columns))
        filled = np.diff(block.indptr) > 0
        first[filled] = block.indices[block.indptr[:-1][filled]]
        return [names[one] for one in first.tolist()]

    @cached_property
    def segments(self) -> list[str]:
        """The name of each member's segment; `unknown` without one."""
        path = self.release.path / "insights"
        if not (path / "segment_members.parquet").is_file():
            return [UNKNOWN] * len(self.members)
        names = {
            row["segment"]: row["name"]
            for row in self.release.table("insights/segments.parquet").to_pylist()
        }
        table = self.release.table("insights/segment_members.parquet")
        found = [UNKNOWN] * len(self.members)
        rows = self.members.rows(table[MEMBER_ID])
        for row, segment in zip(rows.tolist(), table["segment"].to_pylist(), strict=True):
            if row >= 0:
                found[row] = names.get(segment) or f"segment {segment}"
        return found

    @cached_property
    def least_members(self) -> int:
        """The least members of a cell that is shown."""
        return int(transform.project_vars(self.settings.project)["minimum_cell_members"])

    def cells(self, labels: Sequence[str], kept: NDArray[np.bool_]) -> dict[str, NDArray[np.intp]]:
        """The members of each label, the largest first, and small ones together as `OTHER`.

        Small ones that are few even together take the smallest large one with them: left out, they
        would be the difference to the total.
        """
        places: dict[str, list[int]] = {}
        for row in np.flatnonzero(kept).tolist():
            places.setdefault(labels[row], []).append(row)
        least = self.least_members
        large = {name: rows for name, rows in places.items() if len(rows) >= least}
        others = [row for name, rows in places.items() if name not in large for row in rows]
        while large and 0 < len(others) < least:
            others += large.pop(min(large, key=lambda name: (len(large[name]), name)))
        ordered = sorted(large.items(), key=lambda one: (-len(one[1]), one[0]))
        if len(others) >= least:
            ordered.append((OTHER, sorted(others)))
        return {name: np.array(rows, np.intp) for name, rows in ordered}


def runtime_class(seconds: int | None) -> str | None:
    """The class of a runtime, as a name.

    >>> runtime_class(90 * 60), runtime_class(None)
    ('75 to 95 minutes', None)
    """
    if seconds is None:
        return None
    ends = [0, *RUNTIME_MINUTES]
    place = int(np.searchsorted(RUNTIME_MINUTES, seconds / 60, side="right"))
    if place == len(RUNTIME_MINUTES):
        return f"over {RUNTIME_MINUTES[-1]} minutes"
    return f"{ends[place]} to {RUNTIME_MINUTES[place]} minutes"
