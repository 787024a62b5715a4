"""What models are trained on and judged by: signals and features, each as of one instant.

Two frames a night. `judged` leaves out what the protocol holds out, and with a cut in time asks
Feast for the features of that instant; `published` knows all that was known at `as_of`. A frame is
a folder of Parquet files under `work/`; the steps that follow read it and nothing else, so they
can run side by side.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import (
    features,
    matrices,
    metrics,
    popularity,
    ranking,
    rings,
    splits,
    transform,
    warehouse,
)
from matinee.columns import MEMBER_ID, OBSERVED_AT, TITLE_ID
from matinee.errors import DataError
from matinee.pipeline.night import Night
from matinee.provenance import document
from matinee.vocabulary import Vocabulary

SERVICE = "hybrid_ranker_v1"

JUDGED = "judged"
PUBLISHED = "published"
INNER = "inner"
COLD = "cold"
"""What was known before a cut within the judged one, and what of it is left without a fifth of the
titles. They have no folders of their own: see `Frame.inner` and `Frame.cold`."""

SECONDS_PER_DAY = 86_400

TREND_HALF_LIVES = (0.5, 1.0, 2.0, 7.0, 28.0, 90.0, 365.0)
"""In days: what "these days" may mean."""

HALF_LIVES = (*TREND_HALF_LIVES, math.inf)
"""The same for popularity, which may also count all there ever was."""

PLACES = 10
"""The places by which choices on an inner cut are judged."""

MOST_MEMBERS = 4_000
"""Enough to choose by; more would only take longer."""

SIGNALS = """
    select member_id, title_id, observed_at, interacted_at, signal_milli, is_seen
    from member_title_signals
    where observed_at <= ?
    order by member_id, title_id, observed_at
"""


@dataclass(frozen=True)
class Framed:
    """What was framed: for the manifest, and for whoever watches."""

    protocol: str
    verdict: str
    cut: datetime | None
    test_members: int
    members: int
    titles: int
    signals: int
    crowded: tuple[str, ...]
    """A sentence for each title that is mostly liked by newcomers who are not learned from."""

    def summary(self) -> str:
        """One line."""
        return (
            f"{self.signals:,} signals of {self.members:,} members on {self.titles:,} titles; "
            f"{self.verdict}"
        )


@dataclass(frozen=True)
class Frame:
    """Signals and features as of one instant; rows of every matrix follow the vocabularies.

    All members who may be personalised are in it, and all titles, cold ones too.
    """

    as_of: datetime
    half_life_days: float
    """The service's own where time judges; infinite elsewhere: all acts count the same."""

    member_features: pa.Table
    title_features: pa.Table
    signals: pa.Table
    held_out: pa.Table

    follows_time: bool = True
    """Whether what came next judges. Only then may a model go by when things were liked: what a
    random holdout took from the middle does not depend on what came last."""

    @cached_property
    def members(self) -> Vocabulary:
        return Vocabulary.from_ids(self.member_features[MEMBER_ID])

    @cached_property
    def titles(self) -> Vocabulary:
        return Vocabulary.from_ids(self.title_features[TITLE_ID])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.member_features), len(self.title_features)

    @property
    def ages(self) -> NDArray[np.float64]:
        """Days from each signal's act to the instant of the frame."""
        since = np.datetime64(self.as_of.replace(tzinfo=None), "s") - _seconds(self.signals)
        days: NDArray[np.float64] = since / np.timedelta64(SECONDS_PER_DAY, "s")
        return days

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each signal says, before recency."""
        weights: NDArray[np.float64] = self.signals["signal_milli"].to_numpy() / 1000.0
        return weights

    def rows(self, acts: pa.Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The member row and title row of each act."""
        return self.members.rows(acts[MEMBER_ID]), self.titles.rows(acts[TITLE_ID])

    def interactions(self) -> sp.coo_array[np.float32]:
        """The weighed training matrix; see `matrices.interactions`."""
        members, titles = self.rows(self.signals)
        return matrices.interactions(
            members,
            titles,
            self.weights,
            self.ages,
            half_life_days=self.half_life_days,
            shape=self.shape,
        )

    def lately(self, *, half_titles: float) -> sp.csr_array[np.float32]:
        """What each member liked, the last ones loudest; see `matrices.lately`."""
        members, titles = self.rows(self.signals)
        return matrices.lately(
            self.interactions(), members, titles, _seconds(self.signals), half_titles=half_titles
        )

    def popularity(self, *, half_life_days: float) -> NDArray[np.float64]:
        """How much each title was liked lately by everybody; see `popularity.popularity`."""
        return popularity.popularity(
            self.rows(self.signals)[1],
            self.weights,
            self.ages,
            half_life_days=half_life_days,
            title_count=self.shape[1],
        )

    @cached_property
    def popular_half_life_days(self) -> float:
        """Popularity's own: what an inner cut in time says, and the frame's where none can."""
        inner = self.inner(seed=0) if self.follows_time else None
        return inner.best_half_life_days() if inner else self.half_life_days

    def best_half_life_days(self, among: Sequence[float] = HALF_LIVES) -> float:
        """The half-life by which popularity tells best what is held out, of equals the first;
        the frame's own if nobody can judge."""
        truth, met = self.truth(), self.seen()
        judged = some(np.flatnonzero(np.diff(truth.indptr)))
        if not len(judged):
            return self.half_life_days
        shared = np.zeros(len(judged), np.intp)

        def ndcg(half_life: float) -> float:
            popular = self.popularity(half_life_days=half_life)[None, :]
            slates, _ = ranking.best_of_scores(popular, shared, PLACES, excluded=met[judged])
            return float(metrics.ndcg(slates, truth[judged]).mean())

        return max(among, key=ndcg)

    def seen(self) -> sp.csr_array[np.bool_]:
        """What never comes back in a slate: played or rated, whatever was thought of it."""
        met = self.signals.filter(self.signals["is_seen"])
        members, titles = self.rows(met)
        return matrices.seen(members, titles, shape=self.shape)

    def truth(self) -> sp.csr_array[np.bool_]:
        """What a perfect slate would have held: liked, held-out titles that were not met before."""
        acts = pa.concat_tables([self.signals, self.held_out])
        members, titles = self.rows(acts)
        late = np.arange(len(acts)) >= len(self.signals)
        liked = acts["signal_milli"].to_numpy() > 0
        keep = ~late | liked
        return splits.truth(members[keep], titles[keep], late[keep], shape=self.shape)

    def inner(self, *, seed: int) -> Frame | None:
        """A frame within, cut in time, for choices that must not see what judges.

        None where a cut leaves too few members to choose by.
        """
        times = self.signals["interacted_at"].to_numpy()
        protocol = splits.choose_protocol(*self.rows(self.signals), times, seed=seed)
        if protocol.cut is None:
            return None
        known, held_out = _divide(self.signals, protocol)
        cut = datetime.fromisoformat(str(protocol.cut)).replace(tzinfo=UTC)
        return replace(self, as_of=cut, signals=known, held_out=held_out)

    def cold(self, *, seed: int) -> Frame:
        """A frame within in which a fifth of the titles has been met by nobody."""
        times = self.signals["interacted_at"].to_numpy()
        hidden = splits.hold_out("cold-titles", *self.rows(self.signals), times, seed=seed)
        known, held_out = (self.signals.filter(pa.array(part)) for part in (~hidden, hidden))
        return replace(self, signals=known, held_out=held_out)

    def unmet(self) -> int:
        """How many titles nobody has met."""
        return self.shape[1] - len(np.unique(self.interactions().col))

    def write(self, folder: Path) -> None:
        """Leave the frame to later steps."""
        folder.mkdir(parents=True)
        for name in TABLES:
            pq.write_table(getattr(self, name), folder / f"{name}.parquet")
        facts = {
            "as_of": self.as_of.isoformat(),
            "half_life_days": in_days(self.half_life_days),
            "follows_time": self.follows_time,
        }
        (folder / "frame.json").write_text(json.dumps(facts))

    @classmethod
    def read(cls, folder: Path) -> Frame:
        """Take up what an earlier step left."""
        path = folder / "frame.json"
        facts = document(path.read_bytes(), path, "run `matinee run` once more")
        return cls(
            as_of=datetime.fromisoformat(facts["as_of"]),
            half_life_days=math.inf if (days := facts["half_life_days"]) is None else days,
            follows_time=facts["follows_time"],
            **{name: pq.read_table(folder / f"{name}.parquet") for name in TABLES},
        )


def in_days(half_life: float) -> float | None:
    """A half-life as JSON has it: None where nothing fades."""
    return half_life if math.isfinite(half_life) else None


TABLES = ("member_features", "title_features", "signals", "held_out")


def some(members: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `MOST_MEMBERS`, evenly spread."""
    return members[:: max(1, -(-len(members) // MOST_MEMBERS))]


def frame(night: Night) -> Framed:
    """Choose the protocol, and leave the frames `judged` and `published` under `work/`.

    Raises
    ------
    DataError
        If nobody who may be personalised did anything by `as_of`.
    """
    shutil.rmtree(night.settings.folder("work"), ignore_errors=True)
    signals = warehouse.query(SIGNALS, [night.as_of.replace(tzinfo=None)], home=night.home)
    if not len(signals):
        raise DataError(
            f"no member who may be personalised did anything by {night.as_of:%Y-%m-%d}: there is "
            "nothing to learn from; see `matinee doctor`, --as-of and the consents stream"
        )
    members = _ids("members", MEMBER_ID, night, where="where may_personalise")
    titles = _ids("titles", TITLE_ID, night)
    rows = Vocabulary.from_ids(members), Vocabulary.from_ids(titles)
    protocol = splits.choose_protocol(
        rows[0].rows(signals[MEMBER_ID]),
        rows[1].rows(signals[TITLE_ID]),
        signals["interacted_at"].to_numpy(),
        seed=night.settings.seed,
    )
    known, held_out = _divide(signals, protocol)
    cut = None
    if protocol.cut is not None:
        cut = datetime.fromisoformat(str(protocol.cut)).replace(tzinfo=UTC)
    (known, _), (signals, crowded) = (_without_rings(one, *rows) for one in (known, signals))
    nothing = signals.slice(0, 0)
    parts = (
        (JUDGED, cut or night.as_of, known, held_out),
        (PUBLISHED, night.as_of, signals, nothing),
    )
    for name, instant, learned, judging in parts:
        made = _frame(night, instant, members, titles, learned, judging)
        if cut is None:
            made = replace(made, half_life_days=math.inf, follows_time=False)
        made.write(night.work(name))
    return Framed(
        protocol=protocol.name,
        verdict=protocol.verdict,
        cut=cut,
        test_members=protocol.test_member_count,
        members=len(members),
        titles=len(titles),
        signals=len(signals),
        crowded=crowded,
    )


def _without_rings(
    signals: pa.Table, members: Vocabulary, titles: Vocabulary
) -> tuple[pa.Table, tuple[str, ...]]:
    """Let newcomers that are too many for a title say nothing, and tell of those it mostly has.

    The rows stay: what was seen does not come back, whatever it says.
    """
    member, title = members.rows(signals[MEMBER_ID]), titles.rows(signals[TITLE_ID])
    said = signals["signal_milli"].to_numpy()
    times = signals["interacted_at"].to_numpy()
    found = rings.crowds(member, title, said > 0, times, shape=(len(members), len(titles)))
    place = signals.column_names.index("signal_milli")
    heard = signals.set_column(
        place, "signal_milli", pa.array(np.where(found.unheard, 0, said), pa.int64())
    )
    ids = titles.ids.to_pylist()
    return heard, tuple(found.sentence(n, ids[n]) for n in found.told)


def _divide(signals: pa.Table, protocol: splits.Protocol) -> tuple[pa.Table, pa.Table]:
    """What may be learned from, and what judges.

    An act before the cut that arrived after it is in neither: it was not known then, and is no
    future either.
    """
    knowable = ~protocol.held_out
    if protocol.cut is not None:
        knowable &= signals[OBSERVED_AT].to_numpy() <= protocol.cut
    return signals.filter(pa.array(knowable)), signals.filter(pa.array(protocol.held_out))


def _frame(
    night: Night,
    instant: datetime,
    members: list[str],
    titles: list[str],
    signals: pa.Table,
    held_out: pa.Table,
) -> Frame:
    project = night.settings.project
    half_life = transform.project_vars(project)["recency_half_life_days"]
    return Frame(
        as_of=instant,
        half_life_days=float(half_life),
        member_features=features.members_as_of(
            members, instant, home=night.home, project=project, features=SERVICE
        ),
        title_features=features.titles_as_of(
            titles, instant, home=night.home, project=project, features=SERVICE
        ),
        signals=signals,
        held_out=held_out,
    )


def _ids(table: str, key: str, night: Night, *, where: str = "") -> list[str]:
    rows = warehouse.query(f"select {key} from {table} {where} order by {key}", home=night.home)
    ids: list[str] = rows[key].to_pylist()
    return ids


def _seconds(signals: pa.Table) -> NDArray[np.datetime64]:
    instants: NDArray[np.datetime64] = signals["interacted_at"].to_numpy().astype("datetime64[s]")
    return instants
