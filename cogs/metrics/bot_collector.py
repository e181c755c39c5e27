"""The metrics that are read when they are asked for: queues, the gateway, Discord's answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cogs.client import Inkling
from cogs.metrics.readiness import Readiness

K = TypeVar("K", bound=str)


class BotCollector(Collector):
    """Collects what `refresh` has read on the event loop; the page itself is written on a thread."""

    def __init__(self, bot: Inkling, readiness: Readiness) -> None:
        self._bot = bot
        self._readiness = readiness
        self._metrics: tuple[Metric, ...] = ()

    async def refresh(self) -> None:
        """Read everything anew."""
        is_ready = not await self._readiness.reasons()
        self._metrics = (
            _gauge("inkling_ready", "Whether /ready says so, 1 or 0", is_ready),
            *self._queues(),
            *self._discord(),
            _counter("inkling_jobs_resumed", "Requests that went on after a restart", self._bot.sessions.resumed),
        )

    def collect(self) -> Iterable[Metric]:
        return self._metrics

    def _queues(self) -> Iterator[Metric]:
        engine = self._bot.engine
        waiting = GaugeMetricFamily("inkling_queue_waiting", "Requests that wait for a device", labels=["device"])
        running = GaugeMetricFamily("inkling_queue_running", "Requests that a device works on", labels=["device"])
        for queue in engine.queues():
            waiting.add_metric([queue.device], queue.waiting)
            running.add_metric([queue.device], queue.running)
        yield waiting
        yield running
        yield _gauge(
            "inkling_queue_limit", "The most requests on one device, `limits.queue`", engine.config.limits.queue
        )

    def _discord(self) -> Iterator[Metric]:
        connected, latency = self._bot.gateway.is_connected, self._bot.latency
        yield _gauge("inkling_gateway_connected", "Whether the gateway is connected, 1 or 0", connected)
        yield _gauge(
            "inkling_gateway_latency_seconds",
            "Seconds from the last heartbeat to its acknowledgement",
            latency if math.isfinite(latency) else math.nan,
        )
        yield _counters(
            "inkling_gateway_reconnects", "Connections after the first", "session", self._bot.gateway.reconnects
        )
        yield _counters(
            "inkling_discord_answers", "Discord's HTTP answers by status", "status", self._bot.calls.answers
        )


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=float(value))


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)


def _counters(name: str, words: str, label: str, values: Mapping[K, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for key, count in sorted(values.items()):
        family.add_metric([key], count)
    return family
