"""Look-ups in a release: the slate of a member, and the nearest titles of a title."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

from matinee import releases
from matinee.columns import MEMBER_ID, RANK, REASON, SCORE, SOURCE, TITLE_ID
from matinee.errors import ConfigError
from matinee.releases.lookup import display_title, find_title
from matinee.rights import consent
from matinee.settings import Settings

Row = dict[str, Any]


def recommend(settings: Settings, member: str, *, k: int, release: str) -> list[Row]:
    """The first `k` of a member's slate: rank, title, year, reason, source, score."""
    opened = releases.Store.of(settings.home).open(release)
    slate = consent.slate(settings, opened, member).slice(0, k)
    members = opened.table("vocabulary/members.parquet")[MEMBER_ID]
    if not slate.num_rows and pc.index(members, member).as_py() < 0:
        examples = ", ".join(members.slice(0, 3).to_pylist())
        raise ConfigError(
            f"release {opened.id} has no slate for member {member!r}: "
            f"the ids of its {len(members):,} members look like {examples}, ..."
        )
    return [
        {
            RANK: row[RANK],
            "title": display_title(opened, row[TITLE_ID]),
            REASON: row[REASON],
            SOURCE: row[SOURCE],
            SCORE: row[SCORE],
            TITLE_ID: row[TITLE_ID],
        }
        for row in slate.to_pylist()
    ]


def similar(settings: Settings, title: str, *, k: int, release: str) -> list[Row]:
    """The `k` titles nearest to a title, given by id or by name."""
    opened = releases.Store.of(settings.home).open(release)
    neighbours = opened.similar(find_title(opened, title)).slice(0, k)
    return [
        {
            RANK: row[RANK],
            "title": display_title(opened, row["similar_title_id"]),
            "similarity": row["similarity"],
            TITLE_ID: row["similar_title_id"],
        }
        for row in neighbours.to_pylist()
    ]
