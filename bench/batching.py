"""Sixteen concurrent completions compared with sequential ones, by Inkling and by transformers' `generate`."""

from __future__ import annotations

import asyncio
import time

from bench.models import engine_for, folder, settings
from bench.result_table import Row
from inference import CompleteRequest, Engine

REPO = "openai-community/gpt2"
REQUEST_COUNT = 16
TOKENS = 32
PROMPT = "On the first day of the journey the old captain told us that"
REQUESTS = [CompleteRequest(prompt=PROMPT, max_new_tokens=TOKENS, seed=seed) for seed in range(REQUEST_COUNT)]


def measure() -> list[Row]:
    batched, sequential = asyncio.run(_speeds(engine_for("complete", REPO)))
    name = f"{REQUEST_COUNT} completions at once, over one after another"
    return [
        Row(name=name, unit="tokens/s", ours=batched, reference=sequential, aim=4, at_least=True),
        Row(
            name=f"{name} by generate", unit="tokens/s", ours=batched, reference=_generate_speed(), aim=7, at_least=True
        ),
    ]


def _generate_speed() -> float:
    """Return the tokens per second of transformers' `generate` in float32, with default settings."""
    from bench.reference import Reference

    config = settings("complete", REPO, "float32")
    spec = config.specs("complete")[0]
    reference = Reference(folder(config, spec), spec)
    reference.one_after_another(REQUESTS[:1])
    return REQUEST_COUNT * TOKENS / reference.one_after_another(REQUESTS).all


async def _speeds(engine: Engine) -> tuple[float, float]:
    """Return tokens per second, batched and sequential. Seeds make the texts equal, so their lengths cancel out."""
    await engine.run(engine.check(REQUESTS[0]))
    start = time.perf_counter()
    for request in REQUESTS:
        await engine.run(engine.check(request))
    middle = time.perf_counter()
    await asyncio.gather(*(engine.run(engine.check(request)) for request in REQUESTS))
    end = time.perf_counter()
    await engine.close()
    return REQUEST_COUNT * TOKENS / (end - middle), REQUEST_COUNT * TOKENS / (middle - start)
