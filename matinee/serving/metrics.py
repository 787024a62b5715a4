"""Prometheus metrics of all processes of a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from matinee.serving.access.guard import App

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """Counters of this process; PROMETHEUS_MULTIPROC_DIR names the folder that all share.

    The library reads that variable when it is imported, so it is imported here.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        own = CollectorRegistry()
        self.requests = Counter(
            "matinee_requests", "Answers by route and status.", ["route", "status"], registry=own
        )
        self.seconds = Histogram(
            "matinee_request_seconds",
            "Time to answer, by route.",
            ["route"],
            buckets=BUCKETS,
            registry=own,
        )
        self.events = Counter("matinee_events", "Events by outcome.", ["outcome"], registry=own)
        self.degraded = Gauge(
            "matinee_degraded",
            "1 while answers come from the previous release, for live does not verify.",
            registry=own,
            multiprocess_mode="livemax",
        )
        self.release_age = Gauge(
            "matinee_release_age_seconds",
            "Time since the instant of the release that answers come from.",
            registry=own,
            multiprocess_mode="livemax",
        )

    def text(self) -> bytes:
        """The metrics of all processes in the Prometheus text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


@dataclass(frozen=True)
class Measured:
    """Counts and times every answer by its route; paths have ids in them and are never kept."""

    app: App
    metrics: Metrics
    _kept: dict[tuple[str, int], tuple[Any, Any]] = field(default_factory=dict)
    """Route and status -> its counter and histogram."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, perf_counter()

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            route = scope.get("matinee.route") or getattr(scope.get("route"), "path", "none")
            kept = self._kept.get((route, status))
            if kept is None:
                kept = self._kept[route, status] = (
                    self.metrics.requests.labels(route, str(status)),
                    self.metrics.seconds.labels(route),
                )
            kept[0].inc()
            kept[1].observe(perf_counter() - began)
