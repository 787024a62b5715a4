"""A client of the serving API, by HTTP alone: what it knows is what any client knows."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from matinee.errors import ConfigError, StorageError
from matinee.provenance import parse_json
from matinee.simulator.viewers import ServedPage, ServedShelf

TIMEOUT = 30.0

Row = dict[str, Any]


@dataclass
class ApiClient:
    """One connection to one server.

    Raises
    ------
    ConfigError
        If the URL is none, or nothing answers there.
    StorageError
        If the server stops answering.
    """

    url: str
    errors: Counter[str] = field(default_factory=Counter)
    """`route status` -> answers that were no success."""

    requests: int = 0
    problem: str = ""
    """The detail of the last answer that was no success."""

    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme != "http" or not parts.hostname or port == -1 or parts.path.strip("/"):
            raise ConfigError(
                f"--play must be the address of a server like http://127.0.0.1:8080, "
                f"got {self.url!r}"
            )
        self._connection = http.client.HTTPConnection(parts.hostname, port, timeout=TIMEOUT)
        try:
            self._connection.connect()
        except OSError as error:
            raise ConfigError(
                f"{self.url} does not answer ({error.strerror or error}): start `matinee serve`"
            ) from None

    def page(self, member: str, at: datetime) -> ServedPage | None:
        """The page of a member."""
        query = urlencode({"at": _text(at)})
        return _page(self._get("page", f"/v1/members/{quote(member, safe='')}/page?{query}"))

    def next(self, page_id: str) -> ServedPage | None:
        """What follows on a page."""
        return _page(self._get("next", f"/v1/pages/{quote(page_id, safe='')}/next"))

    def search(self, text: str, member: str, at: datetime) -> Sequence[str] | None:
        """Title ids, best first."""
        query = urlencode({"q": text, "member_id": member, "at": _text(at)})
        answer = self._get("search", f"/v1/search?{query}")
        return None if answer is None else [title["title_id"] for title in answer["titles"]]

    def send(self, rows: Sequence[Row], at: datetime) -> Row | None:
        """Send events at a simulated instant; the counts of what became of them."""
        path = f"/v1/events?{urlencode({'at': _text(at)})}"
        return self._call("events", "POST", path, json.dumps(list(rows)).encode())

    def release_id(self) -> str:
        """The release that the server answers from."""
        return str((self._get("readyz", "/readyz") or {}).get("release_id", ""))

    def close(self) -> None:
        self._connection.close()

    def _get(self, route: str, path: str) -> Row | None:
        return self._call(route, "GET", path, None)

    def _call(self, route: str, method: str, path: str, body: bytes | None) -> Row | None:
        self.requests += 1
        status, data = self._answer(method, path, body)
        try:
            answer = parse_json(data)
        except ValueError:
            answer = {"detail": data[:80].decode(errors="replace")}
        if status < 300 and isinstance(answer, dict):
            return answer
        self.errors[f"{route} {status}"] += 1
        self.problem = str(answer.get("detail", "")) if isinstance(answer, dict) else ""
        return None

    def _answer(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """An answer. A connection that the server closed is opened again once.

        Events may be sent twice: the server knows their ids.
        """
        for attempt in range(2):
            try:
                headers = {"Content-Type": "application/json"} if body else {}
                self._connection.request(method, path, body, headers)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if attempt:
                    raise StorageError(
                        f"{self.url} does not answer any more ({error}): look at the server, "
                        "then play the day again; what it has accepted is not accepted twice"
                    ) from None
        raise AssertionError


def _page(answer: Row | None) -> ServedPage | None:
    if answer is None:
        return None
    shelves = [
        ServedShelf(
            shelf["kind"],
            [(title["title_id"], title.get("asset_id")) for title in shelf["titles"]],
        )
        for shelf in answer["shelves"]
    ]
    return ServedPage(answer["page_id"], shelves)


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
