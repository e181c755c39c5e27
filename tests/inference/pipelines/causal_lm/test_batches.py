"""Many texts on one model: whose turn it is, and what is kept of those that are done."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from inference.pipelines.causal_lm import CausalLM
from inference.pipelines.causal_lm.model_runner import KVCache
from inference.tasks import AskRequest, ChatAnswerRequest, CompleteRequest, SummarizeRequest
from inference.types import PartialText
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_causal import CHAT, load, save_causal

BOOK = SummarizeRequest(text="".join(f"the quick brown fox {i} jumps over the lazy dog. " for i in range(250)))
STORY = CompleteRequest(prompt="once upon", max_new_tokens=6, temperature=1.0, top_p=0.95, seed=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> CausalLM:
    return load(save_causal(tmp_path_factory.mktemp("model"), "llama", chat=CHAT))


def living() -> int:
    """Sequences that hold keys and values."""
    return sum(bool(one._layers) for one in gc.get_objects() if isinstance(one, KVCache))  # pyright: ignore[reportPrivateUsage]


def test_of_texts_that_are_done_nothing_is_kept_while_the_rest_of_a_book_is_read(model: CausalLM) -> None:
    batch = MemoryBatch.of(BOOK)
    seen: list[int] = []
    batch.at_checkpoint = lambda: seen.append(living()) if batch.checkpoints % 8 == 0 else None
    batch.run(model)
    assert len(batch.jobs[0].events) > 30
    assert 4 < max(seen) <= 8, "half of the sixteen rows"


def test_the_prompt_of_several_texts_is_kept_until_the_last_has_begun(model: CausalLM) -> None:
    others = [replace(STORY, prompt="the fox", max_new_tokens=40, seed=i) for i in range(14)]
    several = replace(STORY, n=8, max_new_tokens=3)
    alone = run(model, several)[0]
    assert run(model, *others, several)[-1] == alone


def test_a_newcomer_writes_at_once_while_a_book_is_summarized(model: CausalLM) -> None:
    batch = MemoryBatch.of(BOOK, replace(BOOK, length="long"))
    late = MemoryJob(STORY)
    first_word: list[int] = []

    def look() -> None:
        if batch.checkpoints == 60:
            batch.arrivals.append(late)
        if any(isinstance(event, PartialText) for event in late.events):
            first_word.append(batch.checkpoints)

    batch.at_checkpoint = look
    batch.run(model)
    assert first_word[0] <= 64
    assert batch.checkpoints > 200
    assert late.outcome == run(model, STORY)[0]


def test_books_are_read_in_turns(model: CausalLM) -> None:
    batch = MemoryBatch.of(BOOK, BOOK)
    told: list[tuple[int, int]] = []
    batch.at_checkpoint = lambda: told.append((len(batch.jobs[0].events), len(batch.jobs[1].events)))
    batch.run(model)
    assert max(abs(one - other) for one, other in told) <= 8
    assert batch.jobs[0].outcome == batch.jobs[1].outcome == run(model, BOOK)[0]


def test_all_that_language_models_write_may_grow_in_one_batch() -> None:
    writing = [STORY, BOOK, ChatAnswerRequest(question="why?"), AskRequest(question="why?", context="so")]
    assert len({request.batch_key for request in writing}) == 1
