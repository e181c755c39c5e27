"""What a new request costs the event loop while many others wait for a busy device. No model runs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count, islice
from statistics import quantiles
from typing import Any

from bench.result_table import Row, at_most
from inference import CompleteRequest, ImagineRequest, Limits, ModelSpec, Request, SentimentRequest
from inference.backends.device_worker import DeviceWorker
from inference.backends.local_job import LocalJob
from inference.scheduling.scheduler import SchedulerState
from inference.types.errors import RequestCancelled

WAITING = (64, 1_000, 10_000)
SUBMITS = 400
PER_PERSON = 4


def measure() -> list[Row]:
    return [
        Row(
            work=f"{what} with {waiting:,} waiting, {name}",
            unit="ms",
            ours=seconds * 1000,
            aims=(at_most(1),),
        )
        for waiting in WAITING
        for what, times in asyncio.run(_times(waiting)).items()
        for name, seconds in (("p50", quantiles(times, n=100)[49]), ("p99", quantiles(times, n=100)[-1]))
    ]


async def _times(waiting: int) -> dict[str, list[float]]:
    """Return the processor time in seconds that requests cost this thread when they come and when they leave."""
    models: Any = _BusyModels()
    jobs = _jobs()
    first = list(islice(jobs, waiting + 1))
    known = SchedulerState({job.kind: 0.1 for job in first}, {job.owner: 10.0 for job in first})
    worker = DeviceWorker("cpu", Limits(queue=waiting + SUBMITS, per_person=PER_PERSON), models, known)
    for job in first:
        worker.submit(job)
    times: dict[str, list[float]] = {"submit": [], "cancel": []}
    for _ in range(SUBMITS):
        job = next(jobs)
        for name, step in (("submit", lambda job=job: worker.submit(job)), ("cancel", job.cancel)):
            start = time.thread_time()
            step()
            times[name].append(time.thread_time() - start)
            await asyncio.sleep(0)
    models.go_on.set()
    await asyncio.to_thread(worker.close)
    return times


def _jobs() -> Iterator[LocalJob]:
    """Yield requests of three kinds. Each person has four, and half of the drawings have settings of their own."""
    for number in count():
        owner = str(number // PER_PERSON)
        request: Request = (
            CompleteRequest(prompt="x", owner=owner),
            ImagineRequest(prompt="x", owner=owner, guidance_scale=7 + number % 2 * number / 10**6),
            SentimentRequest(texts=("x",), owner=owner),
        )[number % 3]
        spec = ModelSpec(name=request.task, task=request.task, repo=f"org/{request.task}")
        yield LocalJob(spec, request, lambda event: None, asyncio.get_running_loop())


class _BusyModels:
    """Models of which the first is loaded for as long as the measurement takes."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    @contextmanager
    def lease(self, *_: object) -> Generator[Any]:
        self.go_on.wait()
        raise RequestCancelled("The measurement is over.")
        yield

    def reserve(self, *_: object) -> bool:
        return True
