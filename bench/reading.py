"""A question over 1,000 words and a summary of 900 tokens, against the pipelines of transformers 4."""

from __future__ import annotations

import asyncio
import time

from bench import older
from bench.models import engine_for
from bench.row import Row
from inference import AskRequest, Request, SummarizeRequest, Task

QUESTION = "Who kept the lighthouse on the island?"
_SENTENCE = "In the winter of {year} the keeper of the lighthouse wrote to the harbour that a ship was late. "
WORDS = "".join(_SENTENCE.format(year=1800 + i) for i in range(53)).strip()
"""1,007 words."""
ARTICLE = "".join(_SENTENCE.format(year=1800 + i) for i in range(43)).strip()
"""Some 900 tokens."""
READERS = ("deepset/tinyroberta-squad2", "deepset/roberta-base-squad2")
SUMMARIZER = "facebook/bart-large-cnn"
ROUNDS = 3


def ask() -> list[Row]:
    return [_asked(repo) for repo in READERS]


def _asked(repo: str) -> Row:
    ours = asyncio.run(_best("ask", repo, AskRequest(question=QUESTION, context=WORDS), ROUNDS))
    reference = older.seconds("question-answering", repo, rounds=ROUNDS, question=QUESTION, context=WORDS)
    name = f"/ask over 1,000 words, {repo.split('/')[1]}, over transformers 4"
    return Row(name=name, unit="s", ours=ours, reference=reference, aim=1)


def summarize() -> list[Row]:
    ours = asyncio.run(_best("summarize", SUMMARIZER, SummarizeRequest(text=ARTICLE), 1))
    reference = older.seconds("summarization", SUMMARIZER, ARTICLE)
    name = "/summarize 900 tokens, bart-large-cnn, over transformers 4"
    return [Row(name=name, unit="s", ours=ours, reference=reference, aim=1)]


async def _best(task: Task, repo: str, request: Request, rounds: int) -> float:
    """Seconds of the best of some rounds after a first one, through the engine as the bot makes it."""
    engine = engine_for(task, repo)
    times: list[float] = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        await engine.run(request)
        times.append(time.perf_counter() - start)
    await engine.close()
    return min(times[1:])
