"""Test summaries. The expected texts come from the `summarization` pipeline of transformers 4.57.6."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from inference import document_text
from inference.pipelines import Pipeline
from inference.pipelines.summary_sections import to_bullets
from inference.pipelines.text_splitting import split_into_parts
from inference.tasks import Length, Section, SummarizeRequest, Summary
from inference.types import Progress
from inference.types.errors import RequestCancelled
from tests.inference.documents.sample_documents import book
from tests.inference.pipelines import tiny_text
from tests.inference.pipelines.harness import MemoryBatch, run

SENTENCE = "The sea and the rain. "
"""The model reads 64 tokens, which is about three of these sentences, and writes at most 24."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_text.summarizer(tmp_path_factory.mktemp("summarizer"))


@pytest.fixture(scope="module")
def summarizer(folder: Path) -> Pipeline:
    return tiny_text.load_pipeline("summarize", folder)


def summarize(pipeline: Pipeline, text: str, length: Length = "medium", boundaries: tuple[int, ...] = ()) -> Summary:
    (summary,) = run(pipeline, SummarizeRequest(text=text, length=length, boundaries=boundaries))
    assert isinstance(summary, Summary)
    return summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The rain in Spain. The end of it.", "]]�h�K�h]��P��hh��2��"),
        (SENTENCE * 2, "]]�h�]��hhh�h]hh9h���"),
    ],
)
def test_a_summary_equals_that_of_the_transformers_pipeline(summarizer: Pipeline, text: str, expected: str) -> None:
    summary = summarize(summarizer, text)
    assert replace(summary, unsupported_figures=()) == Summary(expected, 1, (Section(expected, 0, len(text)),))


def test_the_numbers_that_only_the_summary_has_are_named(summarizer: Pipeline) -> None:
    assert summarize(summarizer, SENTENCE * 2).unsupported_figures == ("9",)
    assert summarize(summarizer, SENTENCE * 2 + "9").unsupported_figures == ()


def test_the_summarization_settings_in_the_config_take_precedence(
    folder: Path, tmp_path: Path, summarizer: Pipeline
) -> None:
    config = json.loads((folder / "config.json").read_text())
    task_params = {"summarization": {"max_length": 9, "min_length": 3, "prefix": "summarize: "}}
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(config | {"task_specific_params": task_params}))
    short = summarize(tiny_text.load_pipeline("summarize", tmp_path), SENTENCE * 2)
    assert len(short.text) <= 9 < len(summarize(summarizer, SENTENCE * 2).text)


@pytest.mark.parametrize("text", ["Hi.", "Hi there.", "The rain"])
def test_the_summary_of_a_short_text_is_not_longer_than_the_text(summarizer: Pipeline, text: str) -> None:
    assert len(summarize(summarizer, text).text) <= max(5, len(text))


def test_a_text_longer_than_the_window_is_summarized_in_parts(folder: Path, summarizer: Pipeline) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = SENTENCE * 5 + "Hello again. " * 4
    parts = split_into_parts(text, 62, lambda piece: len(tokenizer(piece, add_special_tokens=False)["input_ids"]))
    lines = [summarize(summarizer, part).text.strip() for part in parts]
    assert len(parts) > 1
    summary = summarize(summarizer, text)
    assert (summary.text, summary.parts) == ("\n".join(lines), len(parts))


def test_progress_is_reported_for_each_part(summarizer: Pipeline) -> None:
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


def test_a_request_gives_the_same_summary_alone_and_in_a_batch(summarizer: Pipeline) -> None:
    requests = [SummarizeRequest(text=text) for text in (SENTENCE, SENTENCE * 8, "Hi.")]
    assert run(summarizer, *requests) == [run(summarizer, request)[0] for request in requests]


def test_summarization_yields_between_tokens(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 2))
    batch.run(summarizer)
    assert batch.yield_points > 10


def test_a_cancelled_summary_stops_between_tokens(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 2))
    batch.on_yield = lambda: batch.yield_points == 6 and batch.jobs[0].cancel()
    (outcome,) = batch.run(summarizer)
    assert isinstance(outcome, RequestCancelled)
    assert batch.yield_points == 6


def test_a_cancelled_job_does_not_cancel_others(summarizer: Pipeline) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text=SENTENCE * 2), SummarizeRequest(text=SENTENCE * 2))
    batch.on_yield = lambda: batch.yield_points == 6 and batch.jobs[0].cancel()
    cancelled, summary = batch.run(summarizer)
    assert isinstance(cancelled, RequestCancelled)
    assert summary == summarize(summarizer, SENTENCE * 2)


def test_sections_cover_the_whole_text_in_order(summarizer: Pipeline) -> None:
    text = SENTENCE * 60
    summary = summarize(summarizer, text)
    assert 1 < len(summary.sections) <= 8 < summary.parts
    ends = [position for section in summary.sections for position in (section.start, section.end)]
    assert ends == [0, *(position for position in ends[1:-1:2] for _ in range(2)), len(text)]
    assert all(section.summary for section in summary.sections)


def test_sections_begin_at_boundaries(summarizer: Pipeline) -> None:
    turns = ["Anna: the rain\n", "Bert: in the sea. And the rain on the sea.\n"] * 6
    boundaries = [sum(map(len, turns[:i])) for i in range(len(turns))]
    summary = summarize(summarizer, "".join(turns), boundaries=tuple(boundaries))
    assert len(summary.sections) > 1
    assert {section.start for section in summary.sections} <= set(boundaries)
    assert {section.start for section in summarize(summarizer, "".join(turns)).sections} - set(boundaries)


def test_a_passage_too_long_for_the_window_is_split_between_sentences(summarizer: Pipeline) -> None:
    text = "Hi.\n" + SENTENCE * 9
    summary = summarize(summarizer, text, boundaries=(4,))
    assert len(summary.sections) > 2
    assert all(text[section.start :].startswith(SENTENCE) for section in summary.sections[1:])


def test_the_lengths_short_medium_and_long_are_in_this_order(summarizer: Pipeline) -> None:
    for text in (SENTENCE * 6, SENTENCE * 2 + "Hello again. " * 30):
        short, medium, long = (summarize(summarizer, text, length).text for length in ("short", "medium", "long"))
        assert 0 < len(short) < len(medium) < len(long)


def test_each_sentence_becomes_one_bullet() -> None:
    assert to_bullets("It rains.  It is 3.5 m deep! - And then\nit ends") == (
        "- It rains.\n- It is 3.5 m deep!\n- And then\n- it ends"
    )


def test_the_text_and_the_sections_of_a_bullet_summary_consist_of_bullets(summarizer: Pipeline) -> None:
    summary = summarize(summarizer, SENTENCE * 6, "bullets")
    assert all(line.startswith("- ") for line in summary.text.split("\n"))
    assert all(section.summary.startswith("- ") for section in summary.sections)


def test_a_document_of_a_hundred_pages_is_summarized(tmp_path: Path) -> None:
    text = document_text(book(lines=12), "book.pdf")
    summary = summarize(
        tiny_text.load_pipeline("summarize", tiny_text.summarizer(tmp_path, positions=4096)), text, "short"
    )
    assert summary.parts > 8
    assert 1 < len(summary.sections) <= 8
    assert (summary.sections[0].start, summary.sections[-1].end) == (0, len(text))
    assert len(summary.text) < 2000
