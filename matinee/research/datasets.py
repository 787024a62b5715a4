"""Whole histories to compare models on: a set of ratings from outside, or a home's own warehouse.

A history becomes the same kind of frame that a night learns from, so that what is compared is what
is published.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset

from matinee import landing, transform, warehouse
from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.errors import DataError
from matinee.evaluation import splits
from matinee.models.feature_families import MEMBER_FAMILIES, TITLE_FAMILIES
from matinee.models.frame import Frame
from matinee.night.frame import SIGNALS, with_new_account_cap
from matinee.progress import Progress
from matinee.settings import Settings
from matinee.vocabulary import Vocabulary

ONE_TITLE_MILLI = 1000

OF_TITLES = {**TITLE_FAMILIES, "name": "name", "year": "release_year"}
"""Title columns of a frame: the feature families, and the predictors of demand for new titles."""

TITLES = """
    select
        title_id, name, extract(year from released_on)::bigint as release_year,
        title_kind, language, countries, genres, themes, directors, actors,
        (extract(year from released_on) // 10 * 10)::int::varchar || 's' as release_decade
    from titles
    order by title_id
"""

MEMBERS = """
    select member_id, country, plan, language
    from members
    where may_personalise
    order by member_id
"""


@dataclass(frozen=True)
class Dataset:
    """All interactions of a dataset, with its members and titles."""

    name: str
    signals: pa.Table
    members: pa.Table
    titles: Sequence[tuple[datetime, pa.Table]]
    """Title features valid from an instant on, oldest first."""

    half_life_days: float

    def hold_out(self, protocol: splits.Name, *, seed: int) -> Frame:
        """The training part and the held-out set of a protocol, as a frame."""
        members = Vocabulary.from_ids(self.members[MEMBER_ID])
        titles = Vocabulary.from_ids(self.titles[-1][1][TITLE_ID])
        times = self.signals["interacted_at"].to_numpy()
        held_out = splits.hold_out(
            protocol,
            members.rows(self.signals[MEMBER_ID]),
            titles.rows(self.signals[TITLE_ID]),
            times,
            seed=seed,
        )
        last = times[~held_out].max() if protocol == "time" else times.max()
        day = last.astype("datetime64[D]").astype(datetime) + timedelta(days=1)
        return self.frame(
            datetime(day.year, day.month, day.day, tzinfo=UTC),
            self.signals.filter(pa.array(~held_out)),
            self.signals.filter(pa.array(held_out)),
        )

    def frame(self, as_of: datetime, known: pa.Table, held_out: pa.Table) -> Frame:
        """What a night would learn from `known`, the new-account cap applied."""
        everything = self.titles[-1][1][TITLE_ID]
        members, titles = map(Vocabulary.from_ids, (self.members[MEMBER_ID], everything))
        known, _ = with_new_account_cap(known, members, titles)
        known_titles = [table for since, table in self.titles if since < as_of] or [
            self.titles[0][1]
        ]
        return Frame(
            as_of=as_of,
            half_life_days=self.half_life_days,
            member_features=self.members,
            title_features=_for_all(everything, known_titles[-1]),
            signals=known,
            held_out=held_out,
        )


def read(path: Path, settings: Settings, progress: Progress | None = None) -> Dataset:
    """The history in a folder: of MovieLens in any layout, of MovieTweetings, or of a home.

    In an outside dataset every rating has the same signal, whatever its value: a member who rated
    a film chose to watch it. The events of a home have the signals of its warehouse.

    Raises
    ------
    DataError
        If the folder is none of these, or is a home whose warehouse was never built.
    """
    if not path.is_dir():
        raise DataError(f"no folder {path}: name one of MovieLens, MovieTweetings or a home")
    half_life = float(transform.project_vars(settings.project)["recency_half_life_days"])
    if warehouse.path(path).is_file():
        return _of_home(path, half_life)
    bring = landing.import_movietweetings if _is_movietweetings(path) else landing.import_movielens
    with tempfile.TemporaryDirectory(prefix="matinee-") as folder:
        home = Path(folder)
        bring(path, home=home, progress=progress)
        landing.receive(
            home=home,
            contract=landing.load(settings.project),
            threads=settings.threads,
            memory_limit=settings.memory_limit,
        )
        landing.require_history(home)
        return _of_received(path.resolve().name, home / "received", half_life)


def _is_movietweetings(path: Path) -> bool:
    """MovieLens comes as `ratings.dat` too, but its stars end at 5."""
    file = path / "ratings.dat"
    if not file.exists():
        return False
    with file.open(encoding="latin-1") as lines:
        values = [line.split("::")[2] for line in lines if line.count("::") == 3]
    return any(value in {"6", "7", "8", "9", "10"} for value in values)


def _of_received(name: str, received: Path, half_life: float) -> Dataset:
    ratings = _received(received, "ratings", [MEMBER_ID, TITLE_ID, "event_at", "received_at"])
    at = ratings["event_at"].cast(pa.timestamp("us"))
    order = pc.sort_indices(
        ratings.append_column("at", at),
        sort_keys=[(MEMBER_ID, "ascending"), (TITLE_ID, "ascending"), ("at", "ascending")],
    )
    signals = pa.table(
        {
            MEMBER_ID: ratings[MEMBER_ID],
            TITLE_ID: ratings[TITLE_ID],
            "observed_at": at,
            "interacted_at": at,
            "signal_milli": np.full(len(ratings), ONE_TITLE_MILLI),
            "is_seen": np.ones(len(ratings), np.bool_),
        }
    ).take(order)
    members = _received(received, "members", [MEMBER_ID])
    return Dataset(
        name=name,
        signals=signals,
        members=_with_families(
            pa.table({MEMBER_ID: Vocabulary.from_ids(members[MEMBER_ID]).ids}), MEMBER_FAMILIES
        ),
        titles=_snapshots(_received(received, "titles", None)),
        half_life_days=half_life,
    )


def _of_home(home: Path, half_life: float) -> Dataset:
    as_of = datetime(9999, 1, 1)  # noqa: DTZ001  the warehouse knows nothing later than it was built for
    signals = warehouse.query(SIGNALS, [as_of], home=home)
    titles = warehouse.query(TITLES, home=home)
    members = warehouse.query(MEMBERS, home=home)
    return Dataset(
        name=home.resolve().name,
        signals=signals,
        members=_with_families(members, MEMBER_FAMILIES),
        titles=[(datetime.min.replace(tzinfo=UTC), _with_families(titles, OF_TITLES))],
        half_life_days=half_life,
    )


def _received(received: Path, stream: str, columns: list[str] | None) -> pa.Table:
    files = sorted((received / stream).glob("*/*.parquet"))
    return pyarrow.dataset.dataset(files, format="parquet").to_table(columns=columns)


def _snapshots(titles: pa.Table) -> list[tuple[datetime, pa.Table]]:
    """Each day's titles, one row per title in the order of ids."""
    days = pc.unique(titles["landed_on"]).to_pylist()
    snapshots = []
    for day in sorted(days):
        of_day = titles.filter(pc.equal(titles["landed_on"], pa.scalar(day, pa.date32())))
        decade = pc.multiply(pc.divide(pc.year(of_day["released_on"]), 10), 10)
        words = pc.binary_join_element_wise(decade.cast(pa.string()), "s", "")
        of_day = of_day.append_column("release_decade", words)
        of_day = of_day.append_column("release_year", pc.year(of_day["released_on"]))
        of_day = of_day.sort_by(TITLE_ID)
        snapshots.append(
            (
                datetime(day.year, day.month, day.day, tzinfo=UTC),
                _with_families(of_day, OF_TITLES),
            )
        )
    return snapshots


def _with_families(table: pa.Table, families: Mapping[str, str]) -> pa.Table:
    """The key and the columns of the families; those that are not known are null."""
    key = MEMBER_ID if MEMBER_ID in table.schema.names else TITLE_ID
    columns: dict[str, Any] = {key: table[key]}
    for column in families.values():
        known = column in table.schema.names
        columns[column] = table[column] if known else pa.nulls(len(table), pa.string())
    return pa.table(columns)


def _for_all(ids: pa.ChunkedArray, titles: pa.Table) -> pa.Table:
    """The rows of `titles` for the ids, null where an id was not known yet."""
    rows = pc.index_in(ids.combine_chunks(), value_set=titles[TITLE_ID].combine_chunks())
    found = titles.take(rows)
    return found.set_column(found.schema.names.index(TITLE_ID), TITLE_ID, ids)
