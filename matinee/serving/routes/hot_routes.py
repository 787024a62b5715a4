"""Answers the lists that are asked for most, without the machinery that every other route passes.

Only sound requests are answered here. FastAPI answers the others, with the error that fits: it has
the same routes, and its documentation describes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from matinee.serving.access.guard import App, Receive, Scope, Send, may_see, moment_for
from matinee.serving.pages import LONGEST_ID, MOST_SHELVES, MOST_SLATE, SHELVES, SLATE
from matinee.serving.state import State

MEMBERS = "/v1/members/"

PAGE, SLATE_OF = "/page", "/slate"

LONGEST_QUERY = 100

MOST_DIGITS = 4

HEADERS = ((b"content-type", b"application/json"),)


@dataclass(frozen=True)
class HotRoutes:
    """An ASGI application in front of FastAPI's."""

    app: App
    state: State

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = self._body(scope) if scope.get("method") == "GET" else None
        if body is None:
            await self.app(scope, receive, send)
            return
        length = b"content-length", b"%d" % len(body)
        await send(
            {"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]},
        )
        await send({"type": "http.response.body", "body": body})

    def _body(self, scope: Scope) -> bytes | None:
        """The answer to a sound request for a page or a slate; None to any other."""
        path: str = scope["path"]
        if not path.startswith(MEMBERS) or "\n" in path:
            return None
        if path.endswith(SLATE_OF):
            kind, count, default, most = SLATE_OF, "k", SLATE, MOST_SLATE
        elif path.endswith(PAGE):
            kind, count, default, most = PAGE, "limit", SHELVES, MOST_SHELVES
        else:
            return None
        member_id = path[len(MEMBERS) : -len(kind)]
        query = _query(scope["query_string"], count)
        if query is None or not 1 <= len(member_id) <= LONGEST_ID:
            return None
        number = int(query.get(count, default))
        if not 1 <= number <= most:
            return None
        state = self.state
        try:
            may_see(scope.get("matinee.token"), member_id)
            token = scope.get("matinee.token")
            at = moment_for(token, query.get("at"), state.options.clock.now())
            current = state.live.current()
            if kind == PAGE:
                body = state.pages.first(current, member_id, at, limit=number)
            else:
                body = state.pages.slate(current, member_id, at, number)
        except Exception:
            return None  # FastAPI's route meets it again, answers with a problem and logs it
        scope["matinee.route"] = f"{MEMBERS}{{member_id:path}}{kind}"
        return body


def _query(text: bytes, count: str) -> Mapping[str, str] | None:
    """The parameters of a request that has `at` and a count at most, each once."""
    if not text:
        return {}
    if len(text) > LONGEST_QUERY:
        return None
    pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True)
    found = dict(pairs)
    if len(found) < len(pairs) or not found.keys() <= {"at", count}:
        return None
    if len(found.get("at", "")) > 40:
        return None
    number = found.get(count, "1")
    is_number = number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
    return found if is_number else None
