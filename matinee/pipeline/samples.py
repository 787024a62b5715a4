"""Which members the page of a release shows, and the numbers of the releases before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from matinee import report, warehouse
from matinee.columns import MEMBER_ID
from matinee.pipeline import reading

if TYPE_CHECKING:
    from matinee.pipeline.frames import Frame
    from matinee.pipeline.night import Night

Row = Mapping[str, Any]


def members(night: Night, frame: Frame) -> list[str]:
    """Three to look at: who did most, who did about as much as others, and one who did least."""
    acts = warehouse.query(
        "select member_id, count(*) as act_count from member_title_signals where observed_at <= ? "
        "group by member_id order by act_count desc, member_id",
        [night.as_of.replace(tzinfo=None)],
        home=night.home,
    )[MEMBER_ID].to_pylist()
    closed = set(_closed(night))
    acts = [member for member in acts if member not in closed]
    quiet = sorted(set(frame.members.ids.to_pylist()) - {*acts, *closed})
    return list(dict.fromkeys([*acts[:1], *acts[len(acts) // 2 :][:1], *(quiet or acts)[-1:]]))


def _closed(night: Night) -> list[str]:
    sql = "select member_id from members where is_closed"
    closed: list[str] = warehouse.query(sql, home=night.home)[MEMBER_ID].to_pylist()
    return closed


def history(night: Night) -> list[Row]:
    """The numbers of the releases of earlier data, oldest first; of one day the newest release."""
    days = {
        release.manifest["as_of"]: release.manifest
        for release in reversed(reading.store(night.settings).list())
    }
    earlier = [days[day] for day in sorted(days) if datetime.fromisoformat(day) < night.as_of]
    return [report.numbers(manifest) for manifest in earlier[1 - report.HISTORY :]]
