"""Look-ups in a release: the slate of a member, and the nearest titles of a title."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable, releases
from matinee.columns import MEMBER_ID, RANK, REASON, SCORE, SOURCE, TITLE_ID
from matinee.errors import ConfigError
from matinee.models.combination import Context
from matinee.releases.lookup import display_title, find_title
from matinee.releases.release import SESSION, SLATES
from matinee.rights import consent
from matinee.settings import Settings

Row = dict[str, Any]


FOLDERS: Mapping[Context, str] = {"next_visit": SLATES, "session": SESSION}
"""Context -> the folder of its lists."""


def recommend(
    settings: Settings, member: str, *, k: int, release: str, context: str = "next_visit"
) -> list[Row]:
    """The first `k` of a member's slate: rank, title, year, reason, source, score."""
    opened = releases.Store.of(settings.home).open(release)
    slate = consent.slate(settings, opened, member, folder=_folder(context)).slice(0, k)
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


def slates(settings: Settings, output: Path, *, context: str, release: str = "") -> int:
    """Write every member's list as Parquet; return how many members there are.

    Columns are member_id, rank (from 1) and title_id. Members who refused personalisation get the
    list for all.

    Parameters
    ----------
    release : str
        An id or alias. By default the live release, or the candidate where none is live.
    """
    store = releases.Store.of(settings.home)
    names = store.aliases()
    opened = store.open(release or ("live" if names.live or not names.candidate else "candidate"))
    refused = consent.read(settings)
    columns = [MEMBER_ID, RANK, TITLE_ID]
    written = 0
    draft = output.with_name(f".{output.name}.new")
    with pq.ParquetWriter(
        draft, releases.SLATE_SCHEMA.empty_table().select(columns).schema
    ) as file:
        for part in opened.slates(columns, folder=_folder(context)):
            members = pc.unique(part[MEMBER_ID]).to_pylist()
            without = [one for one in members if refused.includes(one, consent.PERSONALISATION)]
            shown = [consent.slate(settings, opened, one).select(columns) for one in without]
            kept = part.filter(
                pc.invert(pc.is_in(part[MEMBER_ID], value_set=pa.array(without, pa.string())))
            )
            table = pa.concat_tables([kept, *shown]).sort_by(
                [(MEMBER_ID, "ascending"), (RANK, "ascending")]
            )
            file.write_table(table)
            written += len(members)
    durable.put(draft, output)
    return written


def _folder(context: str) -> str:
    for name, folder in FOLDERS.items():
        if name == context:
            return folder
    raise ConfigError(f"no context {context!r}: it is one of {', '.join(FOLDERS)}")


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
