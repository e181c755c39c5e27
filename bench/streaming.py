"""How soon words show and how fast they come, for one person and for many, against transformers' own `generate`.

Everybody asks at the same moment. transformers' `generate` serves them one after another, or all in one padded batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from bench.models import folder, settings
from bench.row import Row
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
    for streams, soon, fast in ((1, 1.2, 0.8), (4, 0.5, 1.5), (16, 0.2, 3)):
        rows += await _against(engine, streams, "generate one after another", reference.one_after_another, soon, fast)
    rows += await _against(engine, 16, "generate in one padded batch", reference.in_one_batch, 1.5, 1)
    await engine.close()
    return rows


async def _against(
    engine: Engine,
    streams: int,
    name: str,
    generate: Callable[[Sequence[CompleteRequest]], Speed],
    soon: float,
    fast: float,
) -> list[Row]:
    """Both, in turn; medians."""
    requests = REQUESTS[:streams]
    ours: list[Speed] = []
    theirs: list[Speed] = []
    for _ in range(ROUNDS):
        ours.append(await _streamed(engine, requests))
        theirs.append(generate(requests))
    of = f"{streams} stream{'s' * (streams > 1)}"
    first, first_of_reference = (median(speed.first for speed in side) for side in (ours, theirs))
    total = streams * TOKENS
    speed, speed_of_reference = (total / median(speed.all for speed in side) for side in (ours, theirs))
    return [
        Row(
            name=f"first token of the last of {of}, over {name}",
            unit="s",
            ours=first,
            reference=first_of_reference,
            aim=soon,
        ),
        Row(
            name=f"{of} of {TOKENS} tokens, over {name}",
            unit="tokens/s",
            ours=speed,
            reference=speed_of_reference,
            aim=fast,
            at_least=True,
        ),
    ]


async def _streamed(engine: Engine, requests: Sequence[CompleteRequest]) -> Speed:
    start = time.perf_counter()
    firsts = await asyncio.gather(*(_first_token(engine, request) for request in requests))
    return Speed(max(firsts) - start, time.perf_counter() - start)


async def _first_token(engine: Engine, request: CompleteRequest) -> float:
    """The moment of the first words; returns when the last ones are there."""
    moments = [
        time.perf_counter() async for event in engine.stream(engine.check(request)) if isinstance(event, PartialText)
    ]
    return moments[0]
