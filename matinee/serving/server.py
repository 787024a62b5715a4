"""Runs the API in several processes on one socket."""

from __future__ import annotations

import ctypes
import gc
import ipaddress
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from matinee import releases
from matinee.errors import ConfigError
from matinee.rights import consent
from matinee.serving.access import tokens
from matinee.serving.clock import Clock
from matinee.serving.live import Live
from matinee.serving.state import Options
from matinee.settings import Settings

HEADER_TIMEOUT = 10_000
"""Milliseconds for the head of a request; a half-open connection is closed after it."""

KILL_TIMEOUT = 20
"""Seconds that a process has to end."""

BACKPRESSURE = 512
"""Requests of one process at once. granian stalls when idle connections exceed twice as many."""

PARENT_SECONDS = 1.0
"""Between two looks whether the server is still there."""

METRICS = "serving/metrics"

ALLOCATOR = {-1: 128 << 10, -3: 128 << 10, -8: 1}
"""For glibc's `mallopt`: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX. What the arrays of one
answer used goes back to the system at once; with the defaults a process kept 80 MB of it."""


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int,
    now: datetime | None = None,
    requests_per_second: float = 0.0,
    make: Callable[[Options], Any] | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Answer until interrupted.

    Parameters
    ----------
    make : options -> ASGI application, optional
        Instead of `app.create`.
    ready : function, optional
        Called when nothing stands against the start any more.

    Raises
    ------
    ConfigError
        If there is no release, no such address, or an open bind without tokens.
    """
    is_loopback = _is_loopback(host)
    home = settings.home.resolve()
    if not is_loopback and not tokens.read(home):
        raise ConfigError(
            f"{host} is not a loopback address and {home} has no token: `matinee tokens add "
            f"--scope service` makes one, or bind 127.0.0.1"
        )
    _require_free(host, port)
    if not releases.Store.of(home).aliases().live:
        raise ConfigError(f"{home} has no live release: publish one with `matinee run`")
    consent.read(settings)
    Live(settings).start()  # its errors come before any process is started
    options = Options(
        settings=settings,
        clock=Clock.starting(now),
        needs_token=not is_loopback,
        requests_per_second=requests_per_second / workers,
    )
    _share_metrics(home / METRICS)
    ready()
    _run(partial(_load, options, make), host=host, port=port, workers=workers)


def _run(load: Callable[[], Any], *, host: str, port: int, workers: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings

    server = Granian(
        "matinee.serving.app",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        websockets=False,
        backpressure=BACKPRESSURE,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT),
        log_enabled=False,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_TIMEOUT,
    )
    server.serve(target_loader=load, wrap_loader=False)


def _load(options: Options, make: Callable[[Options], Any] | None) -> Any:
    """The application, in the process that answers."""
    from threadpoolctl import threadpool_limits

    from matinee.serving.app import create

    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    threadpool_limits(1)
    _tune_allocator()
    app = (make or create)(options)
    gc.collect()
    gc.freeze()  # the catalogue lives as long as the process: no collection walks through it
    return app


def _tune_allocator() -> None:
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # only where the C library is glibc
        for parameter, value in ALLOCATOR.items():
            library.mallopt(parameter, value)


def _end_with(parent: int) -> None:
    """End this process when the one that started it was killed, or the port would stay taken."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)  # events that were acknowledged are on the disk


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise ConfigError(f"--host must be an IP address like 127.0.0.1, got {host!r}") from None


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"{host}:{port} cannot be bound ({error.strerror}): choose another --port"
            ) from None


def _share_metrics(folder: Any) -> None:
    """An empty folder for the counters of all processes, before any of them is started."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
