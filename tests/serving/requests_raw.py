"""Requests as bytes and messages, for what no client library would send."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import orjson


@dataclass(frozen=True)
class Answer:
    """What an application sent."""

    status: int
    headers: dict
    body: bytes

    def json(self):
        return orjson.loads(self.body)


def ask(client, method, path, *, headers=None, chunks=()):
    """Send a request to the application of a client, its body in chunks; 0 without an answer."""
    return client.portal.call(_ask, client.app, method, path, headers or {}, list(chunks))


async def _ask(app, method, path, headers, chunks):
    given = {"host": "127.0.0.1:8080"} | headers
    raw, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.upper(),
        "path": unquote_to_bytes(raw).decode(errors="replace"),
        "raw_path": raw.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }
    left, sent = chunks or [b""], []

    async def receive():
        if not left:
            return {"type": "http.disconnect"}
        chunk = left.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:  # as a server would log it
        return Answer(500, {}, repr(error).encode())
    if not sent:
        return Answer(0, {}, b"")
    names = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(one.get("body", b"") for one in sent[1:])
    return Answer(sent[0]["status"], names, body)
