"""Waiting times in the preview: four images by the starter's image model, one caption by its captioner."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

from bench.result_table import Row, at_most
from inference import CaptionRequest, Engine, ImageResult, ImagineRequest, Request, create_engine, load_config

ROUNDS = 5
SETTINGS = Path(__file__).parents[1] / "starter" / "config.yaml"
FOUR = ImagineRequest(prompt="red apple", count=4, seed=1)


def measure() -> list[Row]:
    image_seconds, caption_seconds = asyncio.run(_wait_times(create_engine(load_config(SETTINGS))))
    return [
        Row(work="four pictures of the preview", unit="s", ours=image_seconds, aims=(at_most(3),)),
        Row(work="a caption of the preview", unit="s", ours=caption_seconds, aims=(at_most(0.3),)),
    ]


async def _wait_times(engine: Engine) -> tuple[float, float]:
    """Return the median seconds for both, with loaded models."""
    result = await engine.run(engine.check(FOUR))
    assert isinstance(result, ImageResult)
    caption_request = CaptionRequest(image=result.pictures[0].png)
    await engine.run(engine.check(caption_request))
    waits = [median([await _seconds(engine, request) for _ in range(ROUNDS)]) for request in (FOUR, caption_request)]
    await engine.close()
    return waits[0], waits[1]


async def _seconds(engine: Engine, request: Request) -> float:
    start = time.perf_counter()
    await engine.run(engine.check(request))
    return time.perf_counter() - start
