"""Expected texts were made by transformers 4.57.6's `summarization` pipeline on the same tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from inference.errors import RequestCancelled
from inference.pipelines import Pipeline
from inference.pipelines.parts import split_into_parts
from inference.types import Progress, SummarizeRequest, Summary
from tests.models import tiny_text
from tests.models.harness import MemoryBatch, run

SENTENCE = "The sea and the rain. "
"""The model reads 64 tokens, some three of these, and writes 24 at most."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_text.summarizer(tmp_path_factory.mktemp("summarizer"))


@pytest.fixture(scope="module")
def summarizer(folder: Path) -> Pipeline:
    return tiny_text.read("summarize", folder)


def summarize(pipeline: Pipeline, text: str) -> Summary:
    (summary,) = run(pipeline, SummarizeRequest(text=text))
    assert isinstance(summary, Summary)
    return summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The rain in Spain. The end of it.", "]]�h�K�h]��P��hh��2��"),
        (SENTENCE * 2, "]]�h�]��hhh�h]hh9h���"),
    ],
)
def test_a_text_that_is_long_enough_is_summarized_as_by_the_old_pipeline(
    summarizer: Pipeline, text: str, expected: str
) -> None:
    assert summarize(summarizer, text) == Summary(expected, 1)


def test_what_the_config_says_of_summaries_prevails(folder: Path, tmp_path: Path, summarizer: Pipeline) -> None:
    config = json.loads((folder / "config.json").read_text())
    special = {"summarization": {"max_length": 9, "min_length": 3, "prefix": "summarize: "}}
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(config | {"task_specific_params": special}))
    short = summarize(tiny_text.read("summarize", tmp_path), SENTENCE * 2)
    assert len(short.text) <= 9 < len(summarize(summarizer, SENTENCE * 2).text)


@pytest.mark.parametrize("text", ["Hi.", "Hi there.", "The rain"])
def test_a_short_text_gets_a_summary_that_is_no_longer(summarizer: Pipeline, text: str) -> None:
    assert len(summarize(summarizer, text).text) <= max(5, len(text))


def test_a_text_longer_than_the_window_is_summarized_in_parts(folder: Path, summarizer: Pipeline) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = SENTENCE * 5 + "Hello again. " * 4
    parts = split_into_parts(text, 62, lambda piece: len(tokenizer(piece, add_special_tokens=False)["input_ids"]))
    lines = [summarize(summarizer, part).text.strip() for part in parts]
    assert len(parts) > 1
    assert summarize(summarizer, text) == Summary("\n".join(lines), len(parts))


def test_progress_is_told_part_by_part(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 6))
    batch.run(summarizer)
    assert batch.jobs[0].events == [Progress(1, 2), Progress(2, 2)]


def test_summaries_too_long_for_the_window_are_summarized_again(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 30))
    (summary,) = batch.run(summarizer)
    assert isinstance(summary, Summary)
    assert 1 < len(summary.text.split("\n")) < summary.parts
    steps = [(event.step, event.total) for event in batch.jobs[0].events if isinstance(event, Progress)]
    assert [step for step, _ in steps] == list(range(1, len(steps) + 1))
    assert steps[0] == (1, summary.parts)
    assert len(steps) > summary.parts
    assert steps[-1] == (len(steps), len(steps))


def test_a_request_gives_the_same_words_alone_and_among_others(summarizer: Pipeline) -> None:
    requests = [SummarizeRequest(text=text) for text in (SENTENCE, SENTENCE * 8, "Hi.")]
    assert run(summarizer, *requests) == [run(summarizer, request)[0] for request in requests]


def test_others_have_their_turn_between_two_words(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 2))
    batch.run(summarizer)
    assert batch.checkpoints > 10


def test_a_summary_stops_in_the_middle_when_its_caller_goes(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 2))
    batch.at_checkpoint = lambda: batch.checkpoints == 6 and batch.jobs[0].cancel()
    (outcome,) = batch.run(summarizer)
    assert isinstance(outcome, RequestCancelled)
    assert batch.checkpoints == 6


def test_one_caller_who_goes_takes_no_other_along(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 2), SummarizeRequest(text=SENTENCE * 2))
    batch.at_checkpoint = lambda: batch.checkpoints == 6 and batch.jobs[0].cancel()
    gone, summary = batch.run(summarizer)
    assert isinstance(gone, RequestCancelled)
    assert summary == summarize(summarizer, SENTENCE * 2)
