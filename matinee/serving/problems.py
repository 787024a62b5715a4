"""Errors of the API as RFC 9457 problem details."""

from __future__ import annotations

from http import HTTPStatus

import orjson

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An answer that is an error; `detail` says what was wrong and what to do."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def body(status: int, detail: str) -> bytes:
    """The document of a problem."""
    title = HTTPStatus(status).phrase
    return orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
