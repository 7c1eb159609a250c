"""Figures for Prometheus: requests, runs, videos, the model server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rumiai.contracts.run_events import RetryEvent, RunEvent, VideoEvent

_REQUEST_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_VIDEO_S: Final = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0)


class Metrics:
    """The figures of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "rumiai_http_requests", "Requests by method, route and status.", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "rumiai_http_request_seconds", "Seconds until the answer began.", ["method", "route"],
            buckets=_REQUEST_S, registry=self.registry,
        )  # fmt: skip
        self.accepted = Counter("rumiai_runs_accepted", "Runs that were accepted.", registry=self.registry)
        self.videos = Counter("rumiai_videos", "Videos that have ended, by status.", ["status"], registry=self.registry)
        self.retries = Counter("rumiai_video_retries", "Videos that were begun again.", registry=self.registry)
        self.video_seconds = Histogram(
            "rumiai_video_seconds", "Seconds of work on a video.", buckets=_VIDEO_S, registry=self.registry
        )

    def watch(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        """Add figures that are asked for when all are read: name -> meaning and value."""
        self.registry.register(_Gauges(gauges))

    def handle(self, event: RunEvent) -> None:
        """Count an event of a run."""
        match event:
            case VideoEvent(outcome):
                self.videos.labels(outcome.status).inc()
                if not outcome.skipped:
                    self.video_seconds.observe(outcome.seconds)
            case RetryEvent():
                self.retries.inc()

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


class _Gauges(Collector):
    def __init__(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, (meaning, value) in self._gauges.items():
            yield GaugeMetricFamily(name, meaning, value=value())


class Measured:
    """Counts the requests of an app and how long each took until its answer began.

    Args:
        app: The app.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()

        def count(status: int) -> None:
            # The pattern of the route, never the path: an id in a label would make a series for each.
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.request_seconds.labels(method, route).observe(time.perf_counter() - began_s)

        is_counted = False

        async def counted(message: Message) -> None:
            nonlocal is_counted
            if message["type"] == "http.response.start":
                is_counted = True
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            if not is_counted:
                # An exception: Starlette answers it with status 500, outside of what is measured here.
                count(500)
