"""How long people wait in the preview: four pictures by the starter's painter, a caption by its captioner."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

from bench.row import Row
from inference import CaptionRequest, Engine, ImageResult, ImagineRequest, Request, create_engine, load_config

ROUNDS = 5
SETTINGS = Path(__file__).parents[1] / "starter" / "config.yaml"
FOUR = ImagineRequest(prompt="red apple", count=4, seed=1)


def measure() -> list[Row]:
    drawing, caption = asyncio.run(_waits(create_engine(load_config(SETTINGS))))
    name = "{} of the preview (reference: what is allowed)"
    return [
        Row(name=name.format("four pictures"), unit="s", ours=drawing, reference=3, aim=1),
        Row(name=name.format("a caption"), unit="s", ours=caption, reference=0.3, aim=1),
    ]


async def _waits(engine: Engine) -> tuple[float, float]:
    """Median seconds with the models loaded."""
    drawing = await engine.run(engine.check(FOUR))
    assert isinstance(drawing, ImageResult)
    picture = CaptionRequest(image=drawing.pictures[0].png)
    await engine.run(engine.check(picture))
    waits = [median([await _seconds(engine, request) for _ in range(ROUNDS)]) for request in (FOUR, picture)]
    await engine.close()
    return waits[0], waits[1]


async def _seconds(engine: Engine, request: Request) -> float:
    start = time.perf_counter()
    await engine.run(engine.check(request))
    return time.perf_counter() - start
