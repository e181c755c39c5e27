"""Sixteen people asking for a completion at once, against one after another: here, and by transformers' `generate`."""

from __future__ import annotations

import asyncio
import time

from bench.models import engine_for, folder, settings
from bench.row import Row
from inference import CompleteRequest, Engine

REPO = "openai-community/gpt2"
PEOPLE = 16
TOKENS = 32
PROMPT = "On the first day of the journey the old captain told us that"
REQUESTS = [CompleteRequest(prompt=PROMPT, max_new_tokens=TOKENS, seed=seed) for seed in range(PEOPLE)]


def measure() -> list[Row]:
    together, apart = asyncio.run(_speeds(engine_for("complete", REPO)))
    name = f"{PEOPLE} completions at once, over one after another"
    return [
        Row(name=name, unit="tokens/s", ours=together, reference=apart, aim=4, at_least=True),
        Row(name=f"{name} by generate", unit="tokens/s", ours=together, reference=_generated(), aim=7, at_least=True),
    ]


def _generated() -> float:
    """Tokens a second of transformers' `generate` in float32, as it comes."""
    from bench.reference import Reference

    config = settings("complete", REPO, "float32")
    spec = config.specs("complete")[0]
    reference = Reference(folder(config, spec), spec)
    reference.one_after_another(REQUESTS[:1])
    return PEOPLE * TOKENS / reference.one_after_another(REQUESTS).all


async def _speeds(engine: Engine) -> tuple[float, float]:
    """Tokens a second together and apart. Seeds make the texts the same, so their lengths cancel out."""
    await engine.run(engine.check(REQUESTS[0]))
    start = time.perf_counter()
    for request in REQUESTS:
        await engine.run(engine.check(request))
    middle = time.perf_counter()
    await asyncio.gather(*(engine.run(engine.check(request)) for request in REQUESTS))
    end = time.perf_counter()
    await engine.close()
    return PEOPLE * TOKENS / (end - middle), PEOPLE * TOKENS / (middle - start)
