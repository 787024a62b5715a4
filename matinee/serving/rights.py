"""Members' rights over the API: consent, erasure, and the statement."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from matinee import features, landing
from matinee.columns import EVENT_AT, IS_INTERACTION, IS_SEEN, MEMBER_ID, RECEIVED_AT
from matinee.recent_events import IS_HIDDEN
from matinee.rights import consent
from matinee.rights import statement as of_release
from matinee.serving.members import MemberNow
from matinee.serving.state import State

Row = dict[str, Any]


def choose(state: State, member_id: str, purpose: str, granted: bool) -> None:
    """Record a choice in the landing zone and in the list of withdrawals, by the server's clock."""
    consent.record_choice(
        state.options.settings,
        member_id,
        purpose,
        granted=granted,
        is_known=True,
        at=state.options.clock.now(),
    )


def forget(state: State, member_id: str, now: datetime) -> None:
    """Land an erase request, then refuse all purposes, so that nothing is used until it is done."""
    at = f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"
    digest = hashlib.sha256(f"{member_id}\0{at}".encode()).hexdigest()[:16]
    row = {
        "event_id": f"forget-{digest}",
        EVENT_AT: at,
        RECEIVED_AT: at,
        MEMBER_ID: member_id,
        "request_id": f"forget-{digest}",
        "kind": "erase",
    }
    line = json.dumps(row, ensure_ascii=False) + "\n"
    landing.place(
        state.options.settings.home.resolve(),
        "privacy_requests",
        now.date(),
        f"forget-{digest}.jsonl",
        lambda draft: draft.write_bytes(line.encode()),
    )
    for purpose in consent.PURPOSES:
        choose(state, member_id, purpose, granted=False)


def statement(state: State, member: MemberNow, member_id: str) -> Row:
    """What is known of a member without the warehouse; `matinee statement` has the rest."""
    view = member.view
    titles = view.files.titles
    history: list[Row] = []
    if member.row >= 0:
        parts = view.history(member.row)
        columns = (parts[name].tolist() for name in ("title", "time", "flags"))
        history = [
            {
                "title_id": titles[title]["id"],
                "name": titles[title]["name"],
                "at": time or None,
                "counts_as_seen": bool(flags & IS_SEEN),
                "learned_from": bool(flags & IS_INTERACTION),
            }
            for title, time, flags in zip(*columns, strict=True)
        ]
    events = state.recent.of_member(member_id, after=0)
    return {
        "member_id": member_id,
        "release_id": view.id,
        "choices_now": {
            purpose: "refused" if state.refusals.refused(member_id, purpose) else "not refused"
            for purpose in consent.PURPOSES
        },
        "source": member.source,
        "profile": {
            "country": member.group.country,
            "maximum_age": member.group.maximum_age,
            "utc_offset_minutes": member.utc_offset,
        },
        "in_the_release": history,
        "since_the_release": [
            {
                "event_id": one.event_id,
                "title_id": one.title_id,
                "event_at": one.event_at,
                "not_interested": bool(one.flags & IS_HIDDEN),
            }
            for one in events
        ],
        "features_online": _online(state, member_id),
    }


def _online(state: State, member_id: str) -> Row:
    """What Feast's online store has of a member; {} before the first night."""
    settings = state.options.settings
    if not (settings.home / "feast").is_dir():
        return {}
    table = features.members_online([member_id], home=settings.home, project=settings.project)
    row: Row = table.to_pylist()[0]
    return {name: value for name, value in row.items() if value is not None}


def parameters(state: State, release_id: str) -> Row:
    """The main parameters of the live release."""
    return of_release.parameters(state.options.settings, release_id)
