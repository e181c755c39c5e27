"""The overhead of the engine (queue, threads, events) over a direct call of the pipeline, and that of its observers."""

from __future__ import annotations

import asyncio
import time

from bench.models import FixedBatch, SingleJob, engine_for, folder
from bench.observing import seconds_to_observe
from bench.result_table import Row, at_most
from inference import CompleteRequest, Engine
from inference.pipelines.pipeline import Pipeline

REPO = "openai-community/gpt2"
ROUNDS = 8
_AIM = 1.03
REQUEST = CompleteRequest(prompt="Once upon a time", max_new_tokens=32, temperature=0.0, seed=1)


def measure() -> list[Row]:
    engine = engine_for("complete", REPO)
    ours, direct = asyncio.run(_best_times(engine, _load(engine)))
    observing = seconds_to_observe(engine) * 1000
    allowed = (_AIM - 1) * direct * 1000
    work = "log line and metrics of a completion; limit: the overhead that the engine may have"
    return [
        Row(
            work="a completion through the engine; limit: the pipeline called directly",
            unit="s",
            ours=ours,
            limit=direct,
            aims=(at_most(_AIM, "limit"),),
        ),
        Row(work=work, unit="ms", ours=observing, limit=allowed, aims=(at_most(0.01, "limit"),)),
    ]


def _load(engine: Engine) -> Pipeline:
    from inference import pipelines
    from inference.pipelines.devices import place

    spec = engine.models("complete")[0]
    return pipelines.load(spec, folder(engine.config, spec), place(spec.device, spec.dtype))


async def _best_times(engine: Engine, pipeline: Pipeline) -> tuple[float, float]:
    """Return the best times of both. Runs alternate, so that both see the same state of the machine."""
    ours: list[float] = []
    direct: list[float] = []
    await engine.run(engine.check(REQUEST))
    pipeline.run(FixedBatch.of(SingleJob(REQUEST)))
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await engine.run(engine.check(REQUEST))
        middle = time.perf_counter()
        pipeline.run(FixedBatch.of(SingleJob(REQUEST)))
        ours.append(middle - start)
        direct.append(time.perf_counter() - middle)
    await engine.close()
    return min(ours), min(direct)
