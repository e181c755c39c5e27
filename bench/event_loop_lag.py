"""The lag of the event loop while a model is loaded and generates, from the first request."""

from __future__ import annotations

import asyncio
import time
from statistics import quantiles

from bench.models import engine_for
from bench.result_table import Row, at_most
from inference import CompleteRequest, Engine

REPO = "facebook/opt-350m"
"""A legacy `.bin` file, which is the hardest to load without blocking the event loop."""
TICK = 0.001


def measure() -> list[Row]:
    engine = engine_for("complete", REPO)
    engine.problems()  # imports torch before the event loop runs, as bot.py does
    lags = sorted(asyncio.run(_lags(engine)))
    work = "event-loop lag while loading and generating"
    return [
        Row(work=f"{work}, p99", unit="ms", ours=quantiles(lags, n=100)[-1] * 1000, aims=(at_most(10),)),
        Row(work=f"{work}, max", unit="ms", ours=lags[-1] * 1000, aims=(at_most(50),)),
    ]


async def _lags(engine: Engine) -> list[float]:
    """Return the delay of each wake-up in seconds, from the first request until its answer."""
    work = asyncio.create_task(
        engine.run(engine.check(CompleteRequest(prompt="Once upon a time", max_new_tokens=64, seed=1)))
    )
    lags: list[float] = []
    while not work.done():
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        lags.append(time.perf_counter() - due)
    await work
    await engine.close()
    return lags
