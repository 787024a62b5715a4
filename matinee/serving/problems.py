"""Errors of the API as RFC 9457 problem details."""

from __future__ import annotations

import sys
import traceback
from http import HTTPStatus
from pathlib import Path

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


def report(error: BaseException) -> None:
    """Say on stderr what went wrong where; the message of an error may have a member's id in it."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames))
    sys.stderr.write(f"fault: {type(error).__name__} at {places}\n")
