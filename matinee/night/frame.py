"""What models are trained on and evaluated by: signals and features, each as of one instant.

`published` has all that was known at `as_of`. A night with a full evaluation has one more frame:
`evaluated` leaves out what the protocol holds out, and with a cut in time takes Feast's features of
that instant. A frame is a folder of Parquet files under `work/`; the steps that follow read it and
nothing else, so they can run side by side.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matinee import features, transform, warehouse
from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.errors import DataError
from matinee.evaluation import splits
from matinee.models import new_account_cap
from matinee.models.frame import Frame, in_days, split_signals
from matinee.night.night import Night
from matinee.provenance import document
from matinee.vocabulary import Vocabulary

SERVICE = "hybrid_ranker_v2"

EVALUATED = "evaluated"

PUBLISHED = "published"

LAST = "last"
"""What is left without each member's last titles: the validation split of a session."""

CUTS = ("cut-2", "cut-3")
"""What was known before a second and a third cut in time, each within the one before; `evaluated`
is the first. These and `last` have no folders of their own: see `frames`."""

SPLITS = (PUBLISHED, EVALUATED, *CUTS, LAST)
"""Every frame of a night."""

TABLES = ("member_features", "title_features", "signals", "held_out")
"""The tables of a frame."""

SIGNALS = """
    select member_id, title_id, observed_at, interacted_at, signal_milli, is_seen
    from member_title_signals
    where observed_at <= ?
    order by member_id, title_id, observed_at
"""


FIRST_CATALOGUE = "select min(observed_at) as observed_at from title_contents"


@dataclass(frozen=True)
class Framed:
    """What was framed."""

    crowded: tuple[str, ...]
    """A sentence for each title whose likes are mostly from new accounts over the cap."""


@dataclass(frozen=True)
class HeldOut:
    """How models are evaluated: for the manifest."""

    protocol: str
    verdict: str
    cut: datetime | None
    test_members: int


def frame(night: Night) -> Framed:
    """Leave the frame `published` under `work/`, which is emptied first.

    Raises
    ------
    DataError
        If no member who may be personalised has an interaction by `as_of`.
    """
    shutil.rmtree(night.settings.folder("work"), ignore_errors=True)
    signals = _signals(night)
    if not len(signals):
        raise DataError(
            f"no member who may be personalised has an interaction by {night.as_of:%Y-%m-%d}: "
            "there is nothing to learn from; see `matinee doctor`, --as-of and the consents stream"
        )
    members, titles = _rows(night)
    signals, crowded = with_new_account_cap(signals, members, titles)
    ids = members.ids.to_pylist(), titles.ids.to_pylist()
    made = _frame(night, night.as_of, *ids, signals, signals.slice(0, 0))
    write_frame(made, night.work(PUBLISHED))
    return Framed(crowded)


def hold_out(night: Night) -> HeldOut:
    """Choose the protocol, and leave the frame `evaluated` beside `published`."""
    signals = _signals(night)
    members, titles = _rows(night)
    protocol = splits.choose_protocol(
        members.rows(signals[MEMBER_ID]),
        titles.rows(signals[TITLE_ID]),
        signals["interacted_at"].to_numpy(),
    )
    known, held_out = split_signals(signals, protocol)
    cut = None
    if protocol.cut is not None:
        cut = datetime.fromisoformat(str(protocol.cut)).replace(tzinfo=UTC)
    known, _ = with_new_account_cap(known, members, titles)
    ids = members.ids.to_pylist(), titles.ids.to_pylist()
    made = _frame(night, cut or night.as_of, *ids, known, held_out)
    write_frame(made, night.work(EVALUATED))
    return HeldOut(
        protocol=protocol.name,
        verdict=protocol.verdict,
        cut=cut,
        test_members=protocol.test_member_count,
    )


def _signals(night: Night) -> pa.Table:
    return warehouse.query(SIGNALS, [night.as_of.replace(tzinfo=None)], home=night.home)


def _rows(night: Night) -> tuple[Vocabulary, Vocabulary]:
    """All members who may be personalised, and all titles."""
    members = _ids("members", MEMBER_ID, night, where="where may_personalise")
    titles = _ids("titles", TITLE_ID, night)
    return Vocabulary.from_ids(members), Vocabulary.from_ids(titles)


def with_new_account_cap(
    signals: pa.Table, members: Vocabulary, titles: Vocabulary
) -> tuple[pa.Table, tuple[str, ...]]:
    """Apply the new-account cap: likes over it get signal 0. Returns a warning for each such title.

    The rows stay, because a title that was seen is not recommended again, whatever its signal.
    """
    member, title = members.rows(signals[MEMBER_ID]), titles.rows(signals[TITLE_ID])
    signal = signals["signal_milli"].to_numpy()
    times = signals["interacted_at"].to_numpy()
    capped = new_account_cap.capped_likes(
        member, title, signal > 0, times, shape=(len(members), len(titles))
    )
    place = signals.column_names.index("signal_milli")
    after_cap = signals.set_column(
        place, "signal_milli", pa.array(np.where(capped.excluded, 0, signal), pa.int64())
    )
    ids = titles.ids.to_pylist()
    return after_cap, tuple(capped.warning(row, ids[row]) for row in capped.reported)


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
            titles,
            max(instant, _first_catalogue(night)),
            home=night.home,
            project=project,
            features=SERVICE,
        ),
        signals=signals,
        held_out=held_out,
    )


def _first_catalogue(night: Night) -> datetime:
    """The instant of the first snapshot of titles, which is valid for all time before it too.

    Events may be older than it, where a service lands its history with today's catalogue. Without
    this rule no title would have content at a cut in time before it.
    """
    (first,) = warehouse.query(FIRST_CATALOGUE, home=night.home)["observed_at"].to_pylist()
    return datetime.min.replace(tzinfo=UTC) if first is None else first.replace(tzinfo=UTC)


def _ids(table: str, key: str, night: Night, *, where: str = "") -> list[str]:
    rows = warehouse.query(f"select {key} from {table} {where} order by {key}", home=night.home)
    ids: list[str] = rows[key].to_pylist()
    return ids


def write_frame(frame: Frame, folder: Path) -> None:
    """Leave a frame to later steps."""
    folder.mkdir(parents=True)
    for name in TABLES:
        pq.write_table(getattr(frame, name), folder / f"{name}.parquet")
    facts = {
        "as_of": frame.as_of.isoformat(),
        "half_life_days": in_days(frame.half_life_days),
    }
    (folder / "frame.json").write_text(json.dumps(facts))


def read_frame(folder: Path) -> Frame:
    """Take up a frame that an earlier step left."""
    path = folder / "frame.json"
    facts = document(path.read_bytes(), path, "run `matinee run` once more")
    return Frame(
        as_of=datetime.fromisoformat(facts["as_of"]),
        half_life_days=math.inf if (days := facts["half_life_days"]) is None else days,
        **{name: pq.read_table(folder / f"{name}.parquet") for name in TABLES},
    )


def frames(night: Night) -> dict[str, Frame]:
    """The frames of `SPLITS` that there are, by name: on a forward night `published` alone.

    Without a cut in time that evaluates enough members `evaluated` has each member's last titles
    held out; then there are no cuts, and `last` would be the same.
    """
    there = [name for name in (PUBLISHED, EVALUATED) if night.work(name).is_dir()]
    found = {name: read_frame(night.work(name)) for name in there}
    if EVALUATED not in found:
        return found
    if not found[EVALUATED].truth().nnz:
        del found[EVALUATED]
    elif found[EVALUATED].is_time_cut:
        before: Frame | None = found[EVALUATED]
        for name in CUTS:
            before = before.time_cut() if before else None
            if before:
                found[name] = before
        if last := found[PUBLISHED].last_titles():
            found[LAST] = last
    return found
