"""The routes of the API."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from matinee.errors import MatineeError
from matinee.rights import consent
from matinee.serving import answers, intake, problems, rights
from matinee.serving.access.guard import Guard, may_see, moment_for
from matinee.serving.access.tokens import Tokens
from matinee.serving.clock import moment
from matinee.serving.directory import add_directory
from matinee.serving.hot_routes import HotRoutes
from matinee.serving.members import MemberNow
from matinee.serving.metrics import Measured
from matinee.serving.pages import (
    LONGEST_ID,
    MOST_SHELVES,
    MOST_SLATE,
    SHELF_KINDS,
    SHELVES,
    SLATE,
    Filters,
)
from matinee.serving.problems import ProblemError
from matinee.serving.release_view import Group
from matinee.serving.state import Options, State
from matinee.serving.web import add_page
from matinee.serving.why import why

JSON = "application/json"

MemberId = Annotated[str, InPath(min_length=1, max_length=LONGEST_ID)]
TitleId = Annotated[str, InPath(min_length=1, max_length=LONGEST_ID)]
At = Annotated[
    str | None,
    Query(description="The moment, ISO 8601; by default the server's clock.", max_length=40),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SessionBody(_Body):
    """Titles that somebody without an id likes."""

    titles: list[str] = Field(max_length=200)
    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    maximum_age: int | None = Field(default=None, ge=0, le=99)


class TitleBody(_Body):
    """One title."""

    title_id: str = Field(min_length=1, max_length=LONGEST_ID)


class ConsentBody(_Body):
    """A choice of a member."""

    purpose: str
    granted: bool


def create(options: Options) -> Guard:
    """The ASGI application of one process."""
    state = State.of(options)
    api = api_of(state)
    tokens = Tokens(options.settings.home.resolve())
    app = Measured(HotRoutes(api, state), state.metrics)
    return Guard(app, tokens, options.needs_token, options.requests_per_second)


def api_of(state: State) -> FastAPI:
    """All routes, and their documentation."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with state.running():
            yield

    api = FastAPI(
        title="matinee",
        description="Recommendations from a signed release, and the events that follow.",
        version="1",
        lifespan=lifespan,
    )
    api.state.matinee = state
    _add_errors(api)
    _add_reads(api, state)
    _add_writes(api, state)
    _add_operations(api, state)
    add_directory(api, state)
    add_page(api)
    answers.document(api)
    return api


def _add_errors(api: FastAPI) -> None:
    def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
        body = problems.body(status, _without_home(api, detail))
        return Response(body, status, headers=headers, media_type=problems.MEDIA_TYPE)

    @api.exception_handler(ProblemError)
    async def of_problem(request: Request, error: ProblemError) -> Response:
        return problem(error.status, error.detail, error.headers)

    @api.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
        return problem(422, f"{where or 'the body'}: {first['msg']}")

    @api.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @api.exception_handler(MatineeError)
    async def of_matinee(request: Request, error: MatineeError) -> Response:
        return problem(503, str(error))

    @api.exception_handler(ClientDisconnect)
    async def of_disconnect(request: Request, error: ClientDisconnect) -> Response:
        return problem(400, "the body ended before its length")

    @api.exception_handler(Exception)
    async def of_fault(request: Request, error: Exception) -> Response:
        problems.report(error)
        return problem(500, "a fault of the server; its log names the place")


def _without_home(api: FastAPI, text: str) -> str:
    """A text that does not say where on this machine the home is."""
    settings = api.state.matinee.options.settings
    for home in (settings.home.resolve(), settings.home):
        text = text.replace(str(home), "MATINEE_HOME")
    return text


def token_of(request: Request) -> Any:
    """The token that the guard found, or None."""
    return request.scope.get("matinee.token")


def _add_reads(api: FastAPI, state: State) -> None:
    now = state.options.clock.now

    one_at_a_time = asyncio.Lock()

    def member_now(request: Request, member_id: str, at: str | None) -> MemberNow:
        may_see(token_of(request), member_id)
        at_moment = moment_for(token_of(request), at, now())
        return state.members.now(state.live.current(), member_id, at_moment)

    @api.get("/v1/members/{member_id:path}/page", tags=["pages"])
    async def page(
        request: Request,
        member_id: MemberId,
        at: At = None,
        limit: Annotated[int, Query(ge=1, le=MOST_SHELVES, description="Shelves.")] = SHELVES,
        filters: Annotated[Filters, Depends(_filters)] = Filters(),  # noqa: B008
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
        number = _title(view.title_numbers, title_id)
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
        number = _title(member.view.title_numbers, title_id)
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
        filters: Annotated[Filters, Depends(_filters)] = Filters(),  # noqa: B008
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


async def _filters(
    kind: Annotated[
        str | None, Query(description=f"One of {', '.join(SHELF_KINDS)}, or movie or series.")
    ] = None,
    genre: Annotated[str | None, Query(max_length=200)] = None,
    language: Annotated[str | None, Query(max_length=40)] = None,
    max_runtime: Annotated[int | None, Query(ge=1, le=10_000, description="Minutes.")] = None,
) -> Filters:
    return Filters(kind, genre, language, max_runtime)


def _title(numbers: dict[str, int], title_id: str) -> int:
    if title_id not in numbers:
        raise ProblemError(404, f"no title {title_id[:80]!r} in the release")
    return numbers[title_id]


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


def _received(state: State, at: str | None) -> datetime:
    clock = state.options.clock
    try:
        return clock.received(None if at is None else moment(at, clock.now()))
    except ValueError as error:
        raise ProblemError(400, str(error)) from None


def _add_writes(api: FastAPI, state: State) -> None:
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
        _title(current.view.title_numbers, body.title_id)
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


def _add_operations(api: FastAPI, state: State) -> None:
    @api.get("/healthz", tags=["operation"])
    async def healthz() -> Response:
        """The process answers."""
        return Response(b'{"status":"ok"}', media_type=JSON)

    @api.get("/readyz", tags=["operation"])
    async def readyz() -> Response:
        """A verified release is open, and the list of withdrawals can be read."""
        state.refusals.refresh()
        view = state.live.current().view
        answer = {
            "status": "degraded" if state.live.is_degraded or state.refusals.problem else "ok",
            "release_id": view.id,
            "problems": [
                _without_home(api, one)
                for one in (state.live.problem, state.refusals.problem)
                if one
            ],
        }
        return Response(orjson.dumps(answer), media_type=JSON)

    @api.get("/metrics", tags=["operation"])
    async def metrics() -> Response:
        """Prometheus metrics of all processes."""
        view = state.live.current().view
        state.metrics.degraded.set(float(state.live.is_degraded))
        age = state.options.clock.now() - view.as_of
        state.metrics.release_age.set(age.total_seconds())
        body = await asyncio.to_thread(state.metrics.text)
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")
