"""What a Ray cluster costs and gives: two devices of one core each, beside this process with two threads."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.crash.models import drawing
from bench.result_table import Row, TableRow
from inference import CaptionRequest, CheckedRequest, Engine, ImagineRequest, Request, create_engine
from inference.backends.ray.local_cluster import local_cluster
from inference.config.schema import Config

_STARTER = Path(__file__).parents[1] / "starter" / "models"
_PORT = 6391
_PICTURES = 16
"""Pictures that are asked for at one time, each by somebody else."""
_CALLS = 60
_ROUNDS = 3


def measure() -> list[TableRow]:
    """Draw pictures and describe one, here and on the cluster in turn."""
    with tempfile.TemporaryDirectory() as folder, local_cluster(_PORT) as cluster:
        return asyncio.run(_measure(Path(folder), cluster.address))


async def _measure(folder: Path, address: str) -> list[TableRow]:
    here = create_engine(_config(folder / "here", "", "cpu"))
    there = create_engine(_config(folder / "there", address, "cluster"))
    await asyncio.to_thread(there.device_problems)  # waits for the devices
    for engine in (here, there):
        await _seconds_to_draw(engine)  # loads the models
        await _seconds_to_describe(engine)
    drawing_times = [(await _seconds_to_draw(here), await _seconds_to_draw(there)) for _ in range(_ROUNDS)]
    calls = [(await _seconds_to_describe(here), await _seconds_to_describe(there)) for _ in range(_ROUNDS)]
    await asyncio.gather(here.close(), there.close())
    one, two = (statistics.median(times) for times in zip(*drawing_times, strict=True))
    local, remote = (statistics.median(times) for times in zip(*calls, strict=True))
    return [
        Row(
            work=f"{_PICTURES} pictures on two devices of one core; stock: one process with two threads",
            unit="pictures/s",
            ours=_PICTURES / two,
            stock=_PICTURES / one,
        ),
        Row(work="a caption on the cluster; stock: here", unit="ms", ours=1000 * remote, stock=1000 * local),
    ]


def _config(data: Path, ray: str, device: str) -> Config:
    models = {
        "imagine": [{"repo": str(_STARTER / "emoji-painter"), "max_batch_size": 1}],
        "caption": [str(_STARTER / "emoji-captioner")],
    }
    settings = {"models": models, "ray": ray, "device": device, "dtype": "float32", "data": str(data)}
    return Config.model_validate(settings)


async def _seconds_to_draw(engine: Engine) -> float:
    requests = [ImagineRequest(prompt="red apple", seed=seed, owner=str(seed)) for seed in range(_PICTURES)]
    return await _seconds_for(engine, [engine.check(request) for request in requests])


async def _seconds_to_describe(engine: Engine) -> float:
    """Return the seconds in the middle of one short request after another."""
    request = engine.check(CaptionRequest(image=drawing("red", 64)))
    return statistics.median([await _seconds_for(engine, [request]) for _ in range(_CALLS)])


async def _seconds_for(engine: Engine, requests: Sequence[CheckedRequest[Request]]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*map(engine.run, requests))
    return time.perf_counter() - began
