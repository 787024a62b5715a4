"""A server of the API with two bare routes beside it, for benchmarks, and what the kernel knows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.serving import server
from matinee.serving.app import create
from matinee.serving.state import Options
from matinee.settings import Settings

HELLO = b'{"hello":"world"}'


def create_with_hello(options: Options) -> Any:
    """The API, `/hello` answered by FastAPI, and `/bare` answered by nothing but ASGI."""
    from fastapi import FastAPI, Response

    api, bare = create(options), FastAPI()

    @bare.get("/hello")
    async def hello() -> Response:
        return Response(HELLO, media_type="application/json")

    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(HELLO))]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path")
        if path == "/bare":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": HELLO})
        else:
            await (bare if path == "/hello" else api)(scope, receive, send)

    return app


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        pid = self.process.pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        names = {int(one): _command(int(one)) for one in text.split()}
        return [one for one, name in names.items() if "resource_tracker" not in name]

    def wait(self, seconds: float = 60.0) -> None:
        """Until it answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(self.url("/readyz"), timeout=5) as answer:
                    answer.read()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@contextmanager
def running(home: Path, *, workers: int, now: str) -> Iterator[Server]:
    """Serve a home until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", __name__, str(home), str(port), str(workers), now]
    process = subprocess.Popen(command, start_new_session=True)
    found = Server(process, port)
    try:
        found.wait()
        yield found
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_bytes(pid: int) -> tuple[int, int]:
    """Memory of a process that is no file's, and its proportional share of all it has mapped."""
    rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    sizes = {row[0]: int(row[1]) << 10 for row in rows if row[-1] == "kB"}
    return sizes["Anonymous:"], sizes["Pss:"]


def main() -> None:
    """Run the server: home, port, workers, instant."""
    from datetime import datetime

    home, port, workers, now = sys.argv[1:]
    server.serve(
        Settings(home=Path(home)),
        host="127.0.0.1",
        port=int(port),
        workers=int(workers),
        now=datetime.fromisoformat(now),
        make=create_with_hello,
    )


if __name__ == "__main__":
    main()
