"""What it costs to store a request before it is acknowledged, and how large the file is after a week of requests."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from bench.result_table import Row, at_most
from storage import Store

REQUESTS = 2_000
FEW, WEEK = 1_000, 50_000
COMPACT_EVERY = 100
"""Requests between two calls of `compact`, which the bot makes every ten seconds."""

TARGET = "target " * 100
WORK = "a request with all its options and a text of some sentences " * 30


def measure() -> list[Row]:
    with TemporaryDirectory() as folder:
        return asyncio.run(_rows(Path(folder)))


async def _rows(folder: Path) -> list[Row]:
    store = Store(folder / "inkling.db")
    await store.open()
    times = [await _seconds_to_store(store) for _ in range(REQUESTS)]
    await _requests(store, FEW)
    few = _size(folder)
    await _requests(store, WEEK)
    week = _size(folder)
    await store.close()
    percentiles = quantiles(times, n=100)
    return [
        *(
            Row(
                work=f"storing a request, {name}",
                unit="ms",
                ours=percentiles[index] * 1000,
                aims=(at_most(allowed),),
            )
            for name, index, allowed in (("p50", 49, 2), ("p99", 98, 20))
        ),
        Row(
            work=f"files of jobs after {WEEK:,} requests; limit: after {FEW:,}",
            unit="kB",
            ours=week / 1000,
            limit=few / 1000,
            aims=(at_most(1, "limit"),),
        ),
    ]


async def _seconds_to_store(store: Store) -> float:
    """Return the time from the call to the row in the log, and let the request end."""
    start = time.perf_counter()
    job = await store.jobs.add(1, 0, 2, 3, TARGET, WORK)
    seconds = time.perf_counter() - start
    await store.jobs.forget(job)
    return seconds


async def _requests(store: Store, count: int) -> None:
    """Let `count` requests come, be worked on and end."""
    for number in range(count):
        job = await store.jobs.add(number, 0, 2, None, TARGET, WORK)
        await store.jobs.move(job, 3, TARGET)
        await store.jobs.start(job)
        await store.jobs.forget(job)
        if number % COMPACT_EVERY == 0:
            await store.job_database.compact()
    await store.job_database.compact()


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("jobs.db*"))
