"""What routes are given: arguments of paths, queries and bodies."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field

from matinee.serving.pages import LONGEST_ID, SHELF_KINDS, Filters
from matinee.serving.problems import ProblemError

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


def token_of(request: Request) -> Any:
    """The token that the guard found, or None."""
    return request.scope.get("matinee.token")


async def filters_of(
    kind: Annotated[
        str | None, Query(description=f"One of {', '.join(SHELF_KINDS)}, or movie or series.")
    ] = None,
    genre: Annotated[str | None, Query(max_length=200)] = None,
    language: Annotated[str | None, Query(max_length=40)] = None,
    max_runtime: Annotated[int | None, Query(ge=1, le=10_000, description="Minutes.")] = None,
) -> Filters:
    """The filters of a page, by their names in the query."""
    return Filters(kind, genre, language, max_runtime)


def title_number(numbers: dict[str, int], title_id: str) -> int:
    """The number of a title in the release.

    Raises
    ------
    ProblemError
        404 if there is none.
    """
    if title_id not in numbers:
        raise ProblemError(404, f"no title {title_id[:80]!r} in the release")
    return numbers[title_id]
