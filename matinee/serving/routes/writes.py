"""Routes that write: events, titles that are hidden, consents and erase requests."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime

import orjson
from fastapi import FastAPI, Request, Response

from matinee.rights import consent
from matinee.serving import intake, rights
from matinee.serving.access.guard import may_see
from matinee.serving.clock import moment
from matinee.serving.problems import ProblemError
from matinee.serving.routes.arguments import (
    JSON,
    At,
    ConsentBody,
    MemberId,
    TitleBody,
    title_number,
    token_of,
)
from matinee.serving.state import State


def add_writes(api: FastAPI, state: State) -> None:
    """Serve events, hidden titles, consents and erase requests."""
    now = state.options.clock.now

    @api.post("/v1/events", status_code=202, tags=["events"])
    async def events(request: Request, at: At = None) -> Response:
        """Events in the form of the landing contract, each with its `stream`, on the disk.

        `at` is the moment of receipt, for a server whose clock was started with --now.
        """
        received_at = _received(state, at)
        try:
            rows = orjson.loads(await request.body())
        except orjson.JSONDecodeError as error:
            raise ProblemError(400, f"the body is not JSON: {error}") from None
        if not isinstance(rows, list) or len(rows) > intake.MOST_EVENTS:
            raise ProblemError(
                422, f"the body must be a JSON array of at most {intake.MOST_EVENTS:,} events"
            )
        token = token_of(request)
        for row in rows:
            if isinstance(row, dict) and isinstance(named := row.get("member_id"), str):
                may_see(token, named)  # a row without a member is rejected by its rule
        filled = [state.impressions.filled(row) for row in rows]
        answer = await state.intake.take(filled, received_at)
        for outcome in ("accepted", "duplicates"):
            state.metrics.events.labels(outcome).inc(answer[outcome])
        state.metrics.events.labels("rejected").inc(len(answer["rejected"]))
        return Response(orjson.dumps(answer), 202, media_type=JSON)

    @api.post("/v1/members/{member_id:path}/not-interested", status_code=202, tags=["rights"])
    async def not_interested(request: Request, member_id: MemberId, body: TitleBody) -> Response:
        """Never show a title again; it leaves a thumb down in the logs."""
        may_see(token_of(request), member_id)
        current = state.live.current()
        at = now()
        state.members.now(current, member_id, at)  # an id that is known
        title_number(current.view.title_numbers, body.title_id)
        # Sealed, so that nobody else can make the id and learn, or prevent, the choice.
        sealed = state.pages.sealer.seal(f"{member_id}\0{body.title_id}".encode())
        event_id = f"hide-{hashlib.sha256(sealed.encode()).hexdigest()[:24]}"
        await state.intake.hide(event_id, member_id, body.title_id, at)
        return Response(status_code=202)

    @api.post("/v1/members/{member_id:path}/consent", status_code=202, tags=["rights"])
    async def choose(request: Request, member_id: MemberId, body: ConsentBody) -> Response:
        """Grant or refuse a purpose, from the next answer on."""
        may_see(token_of(request), member_id)
        state.members.now(state.live.current(), member_id, now())
        if body.purpose not in consent.PURPOSES:
            raise ProblemError(422, f"purpose must be one of {', '.join(consent.PURPOSES)}")
        await asyncio.to_thread(rights.choose, state, member_id, body.purpose, body.granted)
        return Response(status_code=202)

    @api.post("/v1/members/{member_id:path}/forget", status_code=202, tags=["rights"])
    async def forget(request: Request, member_id: MemberId) -> Response:
        """Record an erase request, and stop personalisation at once; a night erases."""
        may_see(token_of(request), member_id)
        state.members.now(state.live.current(), member_id, now())
        await asyncio.to_thread(rights.forget, state, member_id, now())
        return Response(status_code=202)


def _received(state: State, at: str | None) -> datetime:
    clock = state.options.clock
    try:
        return clock.received(None if at is None else moment(at, clock.now()))
    except ValueError as error:
        raise ProblemError(400, str(error)) from None
