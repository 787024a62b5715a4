"""The application of one process: its routes, what guards them, and how errors are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from matinee.errors import MatineeError
from matinee.serving import problems
from matinee.serving.access.guard import Guard
from matinee.serving.access.tokens import Tokens
from matinee.serving.metrics import Measured
from matinee.serving.problems import ProblemError
from matinee.serving.routes import answers
from matinee.serving.routes.arguments import JSON
from matinee.serving.routes.directory import add_directory
from matinee.serving.routes.hot_routes import HotRoutes
from matinee.serving.routes.reads import add_reads
from matinee.serving.routes.web import add_page
from matinee.serving.routes.writes import add_writes
from matinee.serving.state import Options, State


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
        docs_url=None,  # FastAPI's own pages load their scripts from another host
        redoc_url=None,
    )
    api.state.matinee = state
    _add_errors(api)
    add_reads(api, state)
    add_writes(api, state)
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
