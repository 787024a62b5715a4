"""Attacks on real server processes: raw bytes, logs, idle connections, and leaving for good."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from matinee.privacy import Traces
from matinee.releases import Store
from matinee.rights import member_search
from matinee.serving.access import connections


@contextmanager
def server(home, *, workers=2, log):
    """`matinee serve` as a process; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("matinee"), "serve", "--port", str(port)]
    now = Store.of(home).open("live").manifest["as_of"]
    process = subprocess.Popen(
        [*command, "--workers", str(workers), "--now", now],
        env={**os.environ, "MATINEE_HOME": str(home)},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 60
        while ask(port, "GET", "/readyz")[0] != 200:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def raw(port, data, seconds=10):
    """What comes back for some bytes, until the server closes or the time is over."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while block := one.recv(65_536):
                found += block
        except OSError:
            pass
        return found


HOST = b"host: localhost\r\n"

BYTES = (
    b"GET /v1/members/%ff%fe/page HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /v1/members/\xff\xfe/page HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /v1/members/%00/slate HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /v1/members/..%2f..%2fetc%2fpasswd/page HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /static/..%2f..%2fapp.py HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /static/%2e%2e/app.py HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET //etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET http://evil.example/healthz HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"GET /v1/search?q=%ff%fe&k=%d9%a3 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /v1/search?q=" + b"a" * 5_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /v1/events HTTP/1.1\r\n" + HOST + b"content-length: 5\r\n\r\n[{}]",
    b"POST /v1/events HTTP/1.1\r\n" + HOST + b"content-length: x\r\n\r\n[]",
    b"POST /v1/events HTTP/1.1\r\n"
    + HOST
    + b"transfer-encoding: chunked\r\n\r\n"
    + b"8000\r\n"
    + b" " * 0x8000
    + b"\r\n0\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\n" + HOST + b"content-length: 2\r\ncontent-length: 40\r\n\r\n[]",
    b"POST /v1/members/m/forget HTTP/1.1\r\n" + HOST + b"origin: http://evil.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"GET / HTTP/9.9\r\n\r\n",
)


@pytest.mark.slow
def test_hostile_requests_and_a_member_who_leaves(attacked, tmp_path, night, hold):
    """One server for all, for starting it costs most."""
    home = attacked
    members = Store.of(home).open("live").table("serving/members.parquet")["member_id"].to_pylist()
    leaver, other = members[3], members[4]
    path = f"/v1/members/{quote(leaver)}"
    with (tmp_path / "log").open("wb") as log, server(home, log=log) as port:

        def check(data):
            status = raw(port, data)[:12]
            assert not status.startswith(b"HTTP/1.1 5"), status
            assert not status.startswith(b"HTTP/1.1 2") or b"/v1/search" in data or b"8000" in data

        hold(check, [(one,) for one in BYTES])
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        head = b"POST /v1/events HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
        # The server closes while the client still sends: the answer may be lost to a reset.
        assert raw(port, head + chunk * 17 + b"0\r\n\r\n")[9:12] in (b"413", b"")
        assert ask(port, "GET", "/healthz")[0] == 200

        title = json.loads(ask(port, "GET", f"{path}/slate")[1])["titles"][0]["title_id"]
        event = {
            "stream": "plays",
            "event_id": "before-leaving",
            "event_at": "2026-01-20T10:00:00Z",
            "member_id": leaver,
            "title_id": title,
            "watched_seconds": 6_000,
        }
        status, body = ask(port, "POST", "/v1/events", [event])
        assert (status, json.loads(body)["accepted"]) == (202, 1)
        assert ask(port, "POST", f"{path}/forget")[0] == 202
        for _ in range(8):  # whichever process answers
            source = json.loads(ask(port, "GET", f"{path}/page")[1])["source"]
            assert source in ("non_profiled", "popular", "cold_member")
        metrics = ask(port, "GET", "/metrics")[1]
        night(home)  # while the server runs
        assert ask(port, "GET", f"{path}/page")[0] == 404
        assert ask(port, "GET", f"/v1/members/{quote(other)}/page")[0] == 200
    text = (tmp_path / "log").read_bytes() + metrics
    assert leaver.encode() not in text
    assert other.encode() not in text
    found = member_search.search(home, Traces({leaver}))
    assert found == {}
    grep = subprocess.run(
        ["grep", "-rlaF", leaver, str(home)], capture_output=True, text=True, check=False
    )
    assert grep.stdout == ""


@pytest.mark.parametrize(
    "data", [b"", b"GET / HTTP/1.1\r\nho", b"POST /v1/events HTTP/1.1\r\n\r\n["]
)
def test_a_connection_on_which_nothing_happens_is_closed(data):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            client.sendall(data)
            assert connections.close_idle_for(5.0) == 0
            time.sleep(0.2)
            before = len(os.listdir("/proc/self/fd"))
            assert connections.close_idle_for(0.1) == 1
            assert len(os.listdir("/proc/self/fd")) == before
            assert client.recv(1) == b""
            accepted.close()
