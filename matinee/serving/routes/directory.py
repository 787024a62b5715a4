"""Routes that a website or an operator finds its way by: members, the catalogue, the release."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Annotated, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import FastAPI, Query, Response

from matinee.columns import MEMBER_ID
from matinee.releases.serving_files import FOLDER, MEMBERS
from matinee.serving.release_summary import summary
from matinee.serving.release_view import ReleaseView
from matinee.serving.routes.arguments import JSON
from matinee.serving.state import State
from matinee.slates.sources import Source

Row = dict[str, Any]


def add_directory(api: FastAPI, state: State) -> None:
    """Serve `/v1/members`, `/v1/catalogue` and `/v1/releases/current`."""

    @api.get("/v1/members", tags=["directory"])
    async def members(
        q: Annotated[str, Query(max_length=200, description="A part of an id.")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """Members of the release whose id has this text, those that start with it first."""
        view = state.live.current().view
        rows = await asyncio.to_thread(find, view, q, limit)
        found = [_member(state, view, row, member_id) for row, member_id in rows]
        return _answer({"release_id": view.id, "members": found})

    @api.get("/v1/catalogue", tags=["directory"])
    async def catalogue() -> Response:
        """The values that filters and profiles can have, and the server's time."""
        view = state.live.current().view
        return _answer({**_values(view), "now": f"{state.options.clock.now():%Y-%m-%dT%H:%M:%SZ}"})

    @api.get("/v1/releases/current", tags=["operation"])
    async def current() -> Response:
        """The gate, metrics, exposure and trends of the release that answers come from."""
        view = state.live.current().view
        answer = await asyncio.to_thread(summary, view.release)
        return _answer({**answer, "degraded": state.live.is_degraded})


@lru_cache(maxsize=1)
def _ids(path: str) -> pa.ChunkedArray:
    """The ids of all members of a release, by row; its path never holds another release."""
    return pq.read_table(path)[MEMBER_ID]


def find(view: ReleaseView, query: str, limit: int) -> list[tuple[int, str]]:
    """Rows and ids of members whose id has a text in it, those that start with it first."""
    ids = _ids(str(view.release.path / FOLDER / f"{MEMBERS}.parquet"))
    text = query.strip()
    starts = pc.starts_with(ids, text, ignore_case=True)
    within = pc.and_not(pc.match_substring(ids, text, ignore_case=True), starts)
    rows: list[int] = []
    for mask in (starts, within):
        rows += pc.indices_nonzero(mask).slice(0, limit - len(rows)).to_pylist()
    return list(zip(rows, ids.take(pa.array(rows, pa.int64())).to_pylist(), strict=True))


def _member(state: State, view: ReleaseView, row: int, member_id: str) -> Row:
    """What is said of a member; who refuses personalisation is said to have no profile."""
    source = view.source_of(row)
    group = view.group_of(row)
    is_refused = state.refusals.refused(member_id)
    return {
        "member_id": member_id,
        "country": group.country,
        "maximum_age": group.maximum_age,
        "utc_offset_minutes": view.utc_offset(row),
        "source": view.label(Source.NON_PROFILED if is_refused else source, "next_visit"),
    }


def _values(view: ReleaseView) -> Row:
    titles = view.files.titles
    ages = {one.maximum_age for one in view.groups if one.maximum_age is not None}
    return {
        "release_id": view.id,
        "as_of": view.release.manifest["as_of"],
        "titles": len(titles),
        "kinds": sorted({row["kind"] for row in titles if row["kind"]}),
        "genres": list(view.files.contents["genres"]),
        "languages": sorted({row["language"] for row in titles if row["language"]}),
        "countries": sorted({one.country for one in view.groups if one.country}),
        "maximum_ages": sorted(ages),
    }


def _answer(document: Row) -> Response:
    return Response(orjson.dumps(document), media_type=JSON)
