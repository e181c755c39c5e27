"""A question about 1,000 words, and a summary of 900 tokens, compared with the pipelines of transformers 4."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bench import transformers_4
from bench.fixed_length import fixed_length
from bench.models import engine_for, folder, settings
from bench.result_table import Row
from inference import AskRequest, Engine, Request, SummarizeRequest
from inference.types import DType

QUESTION = "Who kept the lighthouse on the island?"
_SENTENCE = "In the winter of {year} the keeper of the lighthouse wrote to the harbour that a ship was late. "
CONTEXT = "".join(_SENTENCE.format(year=1800 + i) for i in range(53)).strip()
"""1,007 words."""
ARTICLE = "".join(_SENTENCE.format(year=1800 + i) for i in range(43)).strip()
"""About 900 tokens."""
READERS = ("deepset/tinyroberta-squad2", "deepset/roberta-base-squad2")
SUMMARIZER = "facebook/bart-large-cnn"
TOKENS = 100
"""Tokens of the summary."""
ROUNDS = 3
DTYPES: tuple[tuple[DType, str], ...] = (("float32", "float32"), ("auto", "dtype: auto"))
"""The same dtype as the reference, and the bot's default."""


def ask() -> list[Row]:
    return [row for repo in READERS for row in _measure_ask(repo)]


def _measure_ask(repo: str) -> list[Row]:
    request = AskRequest(question=QUESTION, context=CONTEXT)
    ours = [asyncio.run(_best_time(engine_for("ask", repo, dtype), request, ROUNDS)) for dtype, _ in DTYPES]
    reference = transformers_4.seconds("question-answering", repo, rounds=ROUNDS, question=QUESTION, context=CONTEXT)
    return _rows(f"/ask over 1,000 words, {repo.split('/')[1]}", ours, reference)


def summarize() -> list[Row]:
    config = settings("summarize", SUMMARIZER)
    request = SummarizeRequest(text=ARTICLE)
    with fixed_length(folder(config, config.specs("summarize")[0]), TOKENS) as fixed_folder:
        ours = [
            asyncio.run(_best_time(engine_for("summarize", str(fixed_folder), dtype), request, 1))
            for dtype, _ in DTYPES
        ]
        reference = transformers_4.seconds("summarization", str(fixed_folder), ARTICLE)
    return _rows(f"/summarize 900 tokens in {TOKENS}, bart-large-cnn", ours, reference)


def _rows(label: str, ours: Sequence[float], reference: float) -> list[Row]:
    return [
        Row(name=f"{label}, {name}, over transformers 4 in float32", unit="s", ours=seconds, reference=reference, aim=1)
        for (_, name), seconds in zip(DTYPES, ours, strict=True)
    ]


async def _best_time(engine: Engine, request: Request, rounds: int) -> float:
    """Return the seconds of the best of some rounds after a first one, through the engine as in the bot."""
    times: list[float] = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        await engine.run(engine.check(request))
        times.append(time.perf_counter() - start)
    await engine.close()
    return min(times[1:])
