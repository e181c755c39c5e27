"""Time to the first token and speed, for one and for many streams, compared with transformers' own `generate`.

All requests start at the same time. transformers' `generate` runs them one after another, or in one padded batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from bench.models import folder, settings
from bench.result_table import Row
from bench.speed import Speed
from inference import CompleteRequest, Engine, PartialText, create_engine

if TYPE_CHECKING:
    from bench.reference import Reference

REPO = "openai-community/gpt2"
TOKENS = 64
ROUNDS = 3
SENTENCE = "On the first day of the journey the old captain told us that the sea would not let us go back"
REQUESTS = [
    CompleteRequest(
        prompt=" ".join(SENTENCE.split()[: 5 + i]), max_new_tokens=TOKENS, temperature=0.8, top_p=0.95, seed=i
    )
    for i in range(16)
]


def measure() -> list[Row]:
    config = settings("complete", REPO)
    spec = config.specs("complete")[0]
    from bench.reference import Reference

    reference = Reference(folder(config, spec), spec)
    return asyncio.run(_rows(create_engine(config), reference))


async def _rows(engine: Engine, reference: Reference) -> list[Row]:
    rows: list[Row] = []
    await engine.run(engine.check(REQUESTS[0]))
    for streams, first_aim, speed_aim in ((1, 1.2, 0.8), (4, 0.5, 1.5), (16, 0.2, 3)):
        rows += await _compare(
            engine, streams, "generate one after another", reference.one_after_another, first_aim, speed_aim
        )
    rows += await _compare(engine, 16, "generate in one padded batch", reference.in_one_batch, 1.5, 1)
    await engine.close()
    return rows


async def _compare(
    engine: Engine,
    streams: int,
    name: str,
    generate: Callable[[Sequence[CompleteRequest]], Speed],
    first_aim: float,
    speed_aim: float,
) -> list[Row]:
    """Measure both in alternation, and compare the medians."""
    requests = REQUESTS[:streams]
    ours: list[Speed] = []
    references: list[Speed] = []
    for _ in range(ROUNDS):
        ours.append(await _streamed(engine, requests))
        references.append(generate(requests))
    streams_text = f"{streams} stream{'s' * (streams > 1)}"
    first, first_of_reference = (median(speed.first for speed in times) for times in (ours, references))
    total = streams * TOKENS
    speed, speed_of_reference = (total / median(speed.all for speed in times) for times in (ours, references))
    return [
        Row(
            name=f"first token of the last of {streams_text}, over {name}",
            unit="s",
            ours=first,
            reference=first_of_reference,
            aim=first_aim,
        ),
        Row(
            name=f"{streams_text} of {TOKENS} tokens, over {name}",
            unit="tokens/s",
            ours=speed,
            reference=speed_of_reference,
            aim=speed_aim,
            at_least=True,
        ),
    ]


async def _streamed(engine: Engine, requests: Sequence[CompleteRequest]) -> Speed:
    start = time.perf_counter()
    first_tokens = await asyncio.gather(*(_first_token(engine, request) for request in requests))
    return Speed(max(first_tokens) - start, time.perf_counter() - start)


async def _first_token(engine: Engine, request: CompleteRequest) -> float:
    """Return the time of the first text. Wait until the text is complete."""
    moments = [
        time.perf_counter() async for event in engine.stream(engine.check(request)) if isinstance(event, PartialText)
    ]
    return moments[0]
