"""Test the tasks of causal models that need a prompt: answers, chat answers, summaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.causal_lm.postprocessing import clean_bullets, clean_summary
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Continuation, Plan
from inference.pipelines.causal_lm.summarization import summarize
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import LENGTHS, Answer, AskRequest, ChatAnswerRequest, Length, SummarizeRequest, Summary
from inference.types import PartialText, Progress
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_causal import CHAT, load, save_causal

MODELS = ("plain", "chat")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CausalLM]:
    return {
        "plain": load(save_causal(tmp_path_factory.mktemp("plain"), "gpt2")),
        "chat": load(save_causal(tmp_path_factory.mktemp("chat"), "llama", chat=CHAT)),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_causal(tmp_path_factory.mktemp("tokenizer"), "llama", chat=CHAT)


@pytest.fixture(scope="module")
def chat_model(models: dict[str, CausalLM]) -> CausalLM:
    return models["chat"]


def test_a_generated_answer_is_marked(chat_model: CausalLM) -> None:
    (answer,) = run(chat_model, AskRequest(question="What sat?", context="the cat sat on the mat"))
    assert isinstance(answer, Answer)
    assert answer.generated
    assert (answer.score, answer.start, answer.end) == (0, 0, 0)


def test_a_long_text_is_summarized_in_parts_with_progress(chat_model: CausalLM) -> None:
    batch = MemoryBatch.of(SummarizeRequest(text="The cat sat on the mat. " * 60))
    (summary,) = batch.run(chat_model)
    assert isinstance(summary, Summary)
    assert summary.parts > 3
    events = batch.jobs[0].events
    assert events[: summary.parts] == [Progress(step + 1, summary.parts) for step in range(summary.parts)]
    assert events[-1] == Progress(len(events), len(events))


def run_plan(plan: Plan[Any], reply: Callable[[int], str]) -> tuple[list[int], Summary]:
    """Return the number of prompts of each step of `plan`, and its result. Text i of a step is `reply(i)`."""
    steps = [len(next(plan))]
    try:
        while len(steps) < 100:
            steps.append(len(plan.send([Continuation(reply(i), "stop") for i in range(steps[-1])])))
    except StopIteration as end:
        return steps, end.value
    pytest.fail("The plan did not finish within 100 steps.")


def test_summaries_of_parts_are_summarized_again_until_they_are_short_enough(folder: Path) -> None:
    request = SummarizeRequest(text="the cat sat on the mat. " * 300, length="short")
    plan = summarize(PromptTemplate(Tokenizer(folder), 256), request)
    steps, summary = run_plan(
        plan, lambda i: f" the fox {i} sat on the mat by the wide river and she said that he would come"
    )
    assert steps[0] == summary.parts == len(summary.sections) > steps[1] > steps[-1]
    assert summary.text.startswith("The fox 0 sat on")
    assert summary.sections[3].summary.startswith("The fox 3 sat on")


def test_parts_end_at_the_given_boundaries(folder: Path) -> None:
    sentences = ["she said that he would come home. " * 2, "the cat sat. " * 2] * 20
    boundaries = tuple(accumulate(map(len, sentences)))
    plan = summarize(
        PromptTemplate(Tokenizer(folder), 256), SummarizeRequest(text="".join(sentences), boundaries=boundaries)
    )
    _, summary = run_plan(plan, lambda i: "the cat.")
    assert summary.parts > 2
    assert {section.end for section in summary.sections} <= set(boundaries)


def test_summaries_that_get_no_shorter_are_not_summarized_again(folder: Path) -> None:
    request = SummarizeRequest(text="the cat sat on the mat. " * 100, length="short")
    plan = summarize(PromptTemplate(Tokenizer(folder), 256), request)
    steps, summary = run_plan(plan, lambda i: "".join(f"the dog {k} ran over the hills. " for k in range(30)))
    assert len(steps) == 1
    assert summary.text.count("over the hills") == 30 * steps[0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("context", ["", "the cat sat on the mat"])
def test_a_chat_answer_is_streamed_and_marked_as_generated(
    models: dict[str, CausalLM], name: str, context: str
) -> None:
    batch = MemoryBatch.of(ChatAnswerRequest(question="what sat", context=context, max_new_tokens=24))
    (answer,) = batch.run(models[name])
    assert isinstance(answer, Answer)
    assert replace(answer, unsupported_figures=()) == Answer(answer.text, 0.0, 0, 0, generated=True)
    chunks = [event.text for event in batch.jobs[0].events if isinstance(event, PartialText)]
    assert len(chunks) > 1
    assert chunks[-1].strip().startswith(answer.text.removesuffix("…"))


@pytest.mark.parametrize("name", MODELS)
def test_only_the_beginning_of_a_too_long_context_is_read(models: dict[str, CausalLM], name: str) -> None:
    def answer_text(context: str) -> str:
        (answer,) = run(models[name], ChatAnswerRequest(question="what sat", context=context, max_new_tokens=24))
        assert isinstance(answer, Answer), answer
        return answer.text

    sentence = "the cat sat on the mat. "
    long = sentence * 40
    assert answer_text(long) == answer_text(long + "the fox jumps over the dog. ")
    assert answer_text(long) != answer_text("the fox jumps over the dog. " + long)


def test_a_question_longer_than_the_window_is_refused(chat_model: CausalLM) -> None:
    (error,) = run(chat_model, ChatAnswerRequest(question="what sat " * 100, context="the cat sat", max_new_tokens=24))
    assert isinstance(error, InvalidRequest)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", MODELS)
def test_sections_cover_the_text_in_order(tmp_path: Path, length: Length, name: str) -> None:
    text = "the cat sat on the mat. she said that he would come home before the rain. " * 6
    pipeline = load(save_causal(tmp_path, "opt", chat=CHAT if name == "chat" else "", window=640))
    batch = MemoryBatch.of(SummarizeRequest(text=text, length=length))
    (summary,) = batch.run(pipeline)
    assert isinstance(summary, Summary), summary
    assert summary.parts == len(summary.sections)
    assert "".join(text[section.start : section.end] for section in summary.sections) == text
    steps = [event.step for event in batch.jobs[0].events if isinstance(event, Progress)]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize(
    ("output", "kept"),
    [
        ("Here is a summary of the text:\n\nThe cat sat.", "The cat sat."),
        ("Sure, here's a short summary: the cat sat.", "The cat sat."),
        ("**Summary:** The cat sat.", "The cat sat."),
        ("In short, the cat sat.", "The cat sat."),
        ("Here is where the cat sat.", "Here is where the cat sat."),
        ("The key points of the treaty are two.", "The key points of the treaty are two."),
    ],
)
def test_preambles_are_removed_from_summaries(output: str, kept: str) -> None:
    assert clean_summary(output, complete=True) == kept


def test_an_unfinished_summary_ends_with_its_last_complete_sentence() -> None:
    assert clean_summary('The cat sat. "It slept." And th', complete=False) == 'The cat sat. "It slept."'
    assert clean_summary("The cat sat and", complete=False) == "The cat sat…"
    assert clean_bullets("the cat sat and", complete=False) == "- The cat sat…"


def test_repeated_sentences_are_removed() -> None:
    assert clean_summary("The cat sat. It ran. It ran. It sat. It r", complete=False) == "The cat sat. It ran. It sat."
    assert clean_summary("It ran. The cat sat. It ran.", complete=True) == "It ran. The cat sat."


def test_nearly_equal_sentences_are_removed() -> None:
    first = "The bot fills gaps, tells moods and goes on with texts."
    assert clean_summary(
        f"{first} So the bot fills gaps, tells moods and goes on with texts. It draws.", complete=True
    ) == (f"{first} It draws.")
    assert clean_summary("Bus 1 leaves at 10 from here. Bus 2 leaves at 11 from here.", complete=True).count("Bus") == 2


def test_directly_repeated_phrases_are_removed() -> None:
    assert clean_summary("It is a bot, and it can help you, and it can help you. It draws.", complete=True) == (
        "It is a bot, and it can help you. It draws."
    )


def test_bullets_have_one_format_and_no_duplicates() -> None:
    assert clean_bullets(" the cat sat\n* the dog ran\n2. the fox\n- The dog ran\n- and th", complete=False) == (
        "- The cat sat\n- The dog ran\n- The fox"
    )
