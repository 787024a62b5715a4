"""Routes that read: pages, lists, search, and what is known of a member."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import orjson
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath

from matinee.serving import rights
from matinee.serving.access.guard import may_see, moment_for
from matinee.serving.members import MemberNow
from matinee.serving.pages import (
    LONGEST_ID,
    MOST_SHELVES,
    MOST_SLATE,
    SHELVES,
    SLATE,
    Filters,
)
from matinee.serving.release_view import Group
from matinee.serving.routes.arguments import (
    JSON,
    At,
    MemberId,
    SessionBody,
    TitleId,
    filters_of,
    title_number,
    token_of,
)
from matinee.serving.state import State
from matinee.serving.why import why


def add_reads(api: FastAPI, state: State) -> None:
    """Serve pages, lists, search, statements and parameters."""
    now = state.options.clock.now

    one_at_a_time = asyncio.Lock()

    def member_now(request: Request, member_id: str, at: str | None) -> MemberNow:
        may_see(token_of(request), member_id)
        when = moment_for(token_of(request), at, now())
        return state.members.now(state.live.current(), member_id, when)

    @api.get("/v1/members/{member_id:path}/page", tags=["pages"])
    async def page(
        request: Request,
        member_id: MemberId,
        at: At = None,
        limit: Annotated[int, Query(ge=1, le=MOST_SHELVES, description="Shelves.")] = SHELVES,
        filters: Annotated[Filters, Depends(filters_of)] = Filters(),  # noqa: B008
    ) -> Response:
        """Shelves in order, each title once, each with its reason."""
        may_see(token_of(request), member_id)
        when = moment_for(token_of(request), at, now())
        body = state.pages.first(
            state.live.current(), member_id, when, limit=limit, filters=filters
        )
        return Response(body, media_type=JSON)

    @api.get("/v1/pages/{page_id}/next", tags=["pages"])
    async def next_page(
        request: Request, page_id: Annotated[str, InPath(max_length=100_000)]
    ) -> Response:
        """The next shelves of a page, without repeats, from the release that it began with."""
        made = state.pages.state(page_id)
        if made.member_id is not None:
            may_see(token_of(request), made.member_id)
        return Response(state.pages.next(page_id), media_type=JSON)

    @api.get("/v1/members/{member_id:path}/slate", tags=["lists"])
    async def slate(
        request: Request,
        member_id: MemberId,
        at: At = None,
        k: Annotated[int, Query(ge=1, le=MOST_SLATE)] = SLATE,
        release: Literal["live", "previous"] = "live",
    ) -> Response:
        """The list of a member, best first; by the release before the live one, to compare."""
        may_see(token_of(request), member_id)
        opened = await state.live.named(release)
        when = moment_for(token_of(request), at, now())
        body = state.pages.slate(opened, member_id, when, k)
        return Response(body, media_type=JSON)

    @api.get("/v1/titles/{title_id:path}/similar", tags=["lists"])
    async def similar(title_id: TitleId, k: Annotated[int, Query(ge=1, le=20)] = 10) -> Response:
        """The nearest titles of a title, of those that everybody may be shown somewhere."""
        view = state.live.current().view
        number = title_number(view.title_numbers, title_id)
        allowed = _anywhere(state)
        near = [one for one in view.files.arrays["similar"][number].tolist() if one >= 0]
        reason = orjson.dumps(f"Like {view.titles.names[number]}")
        shown = [view.heads[one] + reason + b"}" for one in near if allowed[one]][:k]
        return Response(_list(state, shown), media_type=JSON)

    @api.get("/v1/members/{member_id:path}/why/{title_id:path}", tags=["lists"])
    async def why_title(
        request: Request, member_id: MemberId, title_id: TitleId, at: At = None
    ) -> Response:
        """Why a title is shown to a member, or why it is not."""
        member = member_now(request, member_id, at)
        number = title_number(member.view.title_numbers, title_id)
        size = state.options.settings.slate_size
        async with one_at_a_time:  # it takes the time of a hundred pages
            answer = await asyncio.to_thread(why, member, number, slate_size=size)
        return Response(orjson.dumps(answer), media_type=JSON)

    @api.get("/v1/search", tags=["lists"])
    async def search(
        request: Request,
        q: Annotated[str, Query(max_length=200)],
        member_id: Annotated[str | None, Query(max_length=LONGEST_ID)] = None,
        at: At = None,
        k: Annotated[int, Query(ge=1, le=50)] = 10,
    ) -> Response:
        """Titles by name, people, genres and themes, ranked for the member."""
        view = state.live.current().view
        if member_id is None:
            allowed, rank = _anywhere(state), {}
        else:
            member = member_now(request, member_id, at)
            allowed = member.showable
            order = list(dict.fromkeys([*member.lists.slate, *member.lists.pool]))
            rank = {title: 1.0 - place / len(order) for place, title in enumerate(order)}
        found = state.search.find(q, allowed, rank, k)
        shown = [view.heads[one] + orjson.dumps("Found by its text") + b"}" for one in found]
        return Response(_list(state, shown), media_type=JSON)

    @api.post("/v1/session/page", tags=["pages"])
    async def session_page(
        request: Request,
        body: SessionBody,
        at: At = None,
        filters: Annotated[Filters, Depends(filters_of)] = Filters(),  # noqa: B008
    ) -> Response:
        """A page from titles somebody likes, without an id: a sign-up, a child's tablet."""
        current = state.live.current()
        given = body.maximum_age
        page = state.pages.of_titles(
            current,
            body.titles,
            moment_for(token_of(request), at, now()),
            country=body.country,
            maximum_age=current.view.default_age if given is None else given,
            filters=filters,
        )
        return Response(page, media_type=JSON)

    @api.get("/v1/members/{member_id:path}/statement", tags=["rights"])
    async def statement(request: Request, member_id: MemberId, at: At = None) -> Response:
        """What is known of a member: by the release, by the events since, and in Feast."""
        member = member_now(request, member_id, at)
        answer = await asyncio.to_thread(rights.statement, state, member, member_id)
        return Response(orjson.dumps(answer, default=str), media_type=JSON)

    @api.get("/v1/parameters", tags=["rights"])
    async def parameters() -> Response:
        """What decides the order of lists; public."""
        view = state.live.current().view
        return Response(
            orjson.dumps(rights.parameters(state, view.id), default=str), media_type=JSON
        )


def _anywhere(state: State) -> bytes:
    """Titles that somebody without a profile may be shown in any country."""
    view, today = state.live.current().view, state.options.clock.now().date()
    countries = dict.fromkeys(group.country for group in view.groups)
    masks = [view.allowed(Group(one, view.default_age), today) for one in countries]
    return bytes(map(max, *masks)) if len(masks) > 1 else masks[0]


def _list(state: State, shown: list[bytes]) -> bytes:
    view = state.live.current().view
    head = {"release_id": view.id, "generated_at": view.generated_at}
    degraded = b"true" if state.live.is_degraded else b"false"
    return b"".join(
        (
            orjson.dumps(head)[:-1],
            b',"degraded":',
            degraded,
            b',"titles":[',
            b",".join(shown),
            b"]}",
        )
    )
