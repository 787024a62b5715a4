"""What every request passes first: its host, its token, its rate and the size of its body."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from matinee.errors import MatineeError
from matinee.serving import problems
from matinee.serving.access.tokens import Level, Token, Tokens
from matinee.serving.clock import moment
from matinee.serving.problems import ProblemError

MOST_BYTES = 1 << 20
"""Of a body."""

MOST_DIGITS = 12
"""Of a content-length."""

BODY_SECONDS = 10.0
"""For a whole body."""

FARTHEST = timedelta(days=1)
"""From now, of the moment that a member's token may ask for."""

LONGEST_PATH = 4_096

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PUBLIC = re.compile(r"/|/healthz|/readyz|/static/[a-z0-9_.-]+")
"""Open without a token: no data of anybody."""

FOR_MEMBERS = re.compile(
    r"/v1/(members/.+|titles/.+/similar|search|session/page|parameters|catalogue|pages/.+/next|events)"
)
"""Open to every token. Whether a member's token is for the member a request is about is checked
where the request is answered: `may_see`."""

FOR_SERVICES = re.compile(r"/v1/members")
"""Open to a token of a service and an operator's; all other paths are the operator's."""


@dataclass
class Bucket:
    """A token bucket: a burst, then so many requests a second."""

    left: float
    at: float


@dataclass
class Guard:
    """An ASGI application in front of the API's."""

    app: App
    tokens: Tokens
    needs_token: bool
    """Whether a request without a token is refused: on every bind but loopback."""

    requests_per_second: float
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            headers = dict(scope["headers"])
            token = self._token(headers)
            self._check(scope["path"], headers, token)
            length = headers.get(b"content-length", b"0")
            if not length.isdigit():
                raise ProblemError(400, "content-length must be a number")
            if len(length) > MOST_DIGITS or int(length) > MOST_BYTES:
                raise _too_large()
        except ProblemError as error:
            await answer(send, error)
            return
        scope["matinee.token"] = token
        if scope.get("method") in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        await self._limited(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the body in, no more of it than is allowed, whatever its headers say."""
        size, is_whole, refusal = 0, False, None
        deadline = time.monotonic() + BODY_SECONDS

        async def counted() -> MutableMapping[str, Any]:
            nonlocal size, is_whole, refusal
            if is_whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), deadline - time.monotonic())
            except TimeoutError:
                refusal = ProblemError(408, f"the body took longer than {BODY_SECONDS:g} seconds")
                raise refusal from None
            size += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if size > MOST_BYTES:
                refusal = _too_large()
                raise refusal
            return message

        async def sending(message: MutableMapping[str, Any]) -> None:
            if refusal is None:  # else it is what the application makes of a cut-off body
                await send(message)

        try:
            await self.app(scope, counted, sending)
        except ProblemError:
            if refusal is None:
                raise
        if refusal is not None:
            await answer(send, refusal)

    def _token(self, headers: dict[bytes, bytes]) -> Token | None:
        given = headers.get(b"authorization", b"").decode("latin-1")
        if not given:
            return None
        kind, _, text = given.partition(" ")
        try:
            found = self.tokens.find(text.strip()) if kind.lower() == "bearer" else None
        except MatineeError as error:
            raise ProblemError(503, str(error)) from None
        if found is None:
            raise ProblemError(
                401,
                "the token is not known: it was taken back, or mistyped",
                headers={"www-authenticate": 'Bearer error="invalid_token"'},
            )
        return found

    def _check(self, path: str, headers: dict[bytes, bytes], token: Token | None) -> None:
        if len(path) > LONGEST_PATH:
            raise ProblemError(414, f"the path is longer than {LONGEST_PATH} characters")
        if token is None and not self.needs_token:
            _check_origin(headers)
        if PUBLIC.fullmatch(path):
            return
        self._check_rate(token)
        if token is None:
            if self.needs_token:
                raise ProblemError(
                    401,
                    "a bearer token is needed: `matinee tokens add --scope SCOPE` makes one",
                    headers={"www-authenticate": "Bearer"},
                )
            return
        if token.level < (wanted := needed(path)):
            raise ProblemError(
                403, f"the scope {token.scope!r} does not open this: it needs {wanted.name.lower()}"
            )

    def _check_rate(self, token: Token | None) -> None:
        if self.requests_per_second <= 0:
            return
        name, now = token.id if token else "", time.monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(2 * self.requests_per_second, now)
        earned = (now - bucket.at) * self.requests_per_second
        bucket.left = min(2 * self.requests_per_second, bucket.left + earned)
        bucket.at = now
        if bucket.left < 1:
            raise ProblemError(
                429,
                "more requests a second than the server allows (--rate): wait a second",
                headers={"retry-after": "1"},
            )
        bucket.left -= 1


def needed(path: str) -> Level:
    """The least level of a token that opens a path."""
    if FOR_MEMBERS.fullmatch(path):
        return Level.MEMBER
    return Level.SERVICE if FOR_SERVICES.fullmatch(path) else Level.OPERATOR


def may_see(token: Token | None, member_id: str | None) -> None:
    """Refuse a member's token in a request about another member.

    Raises
    ------
    ProblemError
        403.
    """
    if token is not None and token.level is Level.MEMBER and token.member_id != member_id:
        raise ProblemError(403, "the token is for another member")


def _check_origin(headers: dict[bytes, bytes]) -> None:
    """Refuse what another site's page lets a browser on this machine ask.

    A name that leads here is in the Host header, a page that sends a form or a request in Origin.
    """
    host = headers.get(b"host", b"")
    if not _is_loopback(host):
        raise ProblemError(
            421, "without a token this server answers to 127.0.0.1 and localhost only"
        )
    if headers.get(b"origin", b"http://" + host) != b"http://" + host:
        raise ProblemError(403, "without a token no other site's page may ask this server")


@lru_cache(maxsize=256)
def moment_for(token: Token | None, text: str | None, now: datetime) -> datetime:
    """The `at` of a request; a member's token sees no more than a day ahead or back.

    So no member looks past an embargo.

    Raises
    ------
    ProblemError
        400 if it is no instant, 403 if it is too far away for the token.
    """
    at = moment(text, now)
    if token is not None and token.level is Level.MEMBER and abs(at - now) > FARTHEST:
        raise ProblemError(403, "a member's token may ask for a moment within a day from now")
    return at


def _is_loopback(host: bytes) -> bool:
    """Whether a Host header names this machine, so that no other site's name leads here."""
    name = host.decode("latin-1").strip().lower()
    name = name.rpartition(":")[0] if not name.endswith("]") and ":" in name else name
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _too_large() -> ProblemError:
    return ProblemError(413, f"the body is larger than {MOST_BYTES:,} bytes: send less at once")


async def answer(send: Send, error: ProblemError) -> None:
    """Send a problem."""
    body = problems.body(error.status, error.detail)
    headers = {
        "content-type": problems.MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close" if error.status in (408, 413) else "keep-alive",
        **error.headers,
    }
    await send(
        {
            "type": "http.response.start",
            "status": error.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
