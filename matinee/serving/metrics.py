"""Prometheus metrics of all processes of a server."""

from __future__ import annotations

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
