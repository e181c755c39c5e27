"""The lag of the event loop while torch is imported, a model is loaded and generates, from the first request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from statistics import quantiles
from typing import Any

from bench.models import engine_for
from bench.result_table import Row, at_most
from inference import CompleteRequest, Engine

REPO = "facebook/opt-350m"
"""A legacy `.bin` file, which is the hardest to load without blocking the event loop."""
TICK = 0.001


def measure() -> list[Row]:
    importing, working = asyncio.run(_measure(engine_for("complete", REPO)))
    return [*_rows("importing", importing), *_rows("loading and generating", working)]


def _rows(what: str, lags: list[float]) -> list[Row]:
    work = f"event-loop lag while {what}"
    return [
        Row(work=f"{work}, p99", unit="ms", ours=quantiles(lags, n=100)[-1] * 1000, aims=(at_most(10),)),
        Row(work=f"{work}, max", unit="ms", ours=max(lags) * 1000, aims=(at_most(50),)),
    ]


async def _measure(engine: Engine) -> tuple[list[float], list[float]]:
    """Return the lags while torch and the family are imported, as after a login, and until the first answer."""
    importing = await _lags_during(engine.check_devices())
    request = CompleteRequest(prompt="Once upon a time", max_new_tokens=64, seed=1)
    working = await _lags_during(engine.run(engine.check(request)))
    await engine.close()
    return importing, working


async def _lags_during(work: Coroutine[Any, Any, object]) -> list[float]:
    """Return the delay of each wake-up in seconds until `work` is done."""
    task = asyncio.create_task(work)
    lags: list[float] = []
    while not task.done():
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        lags.append(time.perf_counter() - due)
    await task
    return lags
