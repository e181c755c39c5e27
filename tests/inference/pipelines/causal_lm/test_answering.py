"""Test how causal models answer questions about a text: the selected context, and the accepted answers."""

from __future__ import annotations

import pytest

from inference.pipelines.causal_lm.answering import ask, is_grounded
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Continuation
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import Answer, AskRequest
from tests.inference.pipelines.tiny_causal import CHAT, save_causal

LETTER = (
    "Jonas brings the tent, Maria the stove. The last train back is at 20:40 on Sunday; it leaves from the station. "
    "Dogs are welcome."
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(save_causal(tmp_path_factory.mktemp("tokenizer"), "llama", chat=CHAT))


def ask_model(tokenizer: Tokenizer, context: str, window: int, reply: str) -> tuple[str, Answer]:
    """Return the prompt that a model with this window reads, and the answer if it replies with `reply`."""
    plan = ask(PromptTemplate(tokenizer, window), AskRequest(question="where sat the fox?", context=context))
    [prompt] = next(plan)
    assert len(prompt.tokens) + prompt.max_new_tokens <= window
    with pytest.raises(StopIteration) as end:
        plan.send([Continuation(reply, "stop")])
    return tokenizer.decode(prompt.tokens), end.value.value


def test_a_text_that_fits_the_window_is_read_completely(tokenizer: Tokenizer) -> None:
    prompt_text, _ = ask_model(tokenizer, "the cat ran. the fox sat on the mat.", 512, "")
    assert "the cat ran. the fox sat on the mat." in prompt_text


def test_only_relevant_sentences_of_a_too_long_text_are_read(tokenizer: Tokenizer) -> None:
    context = "the cat ran over the hills. " * 300 + "the fox sat on the mat. " + "the cat ran over the hills. " * 300
    prompt_text, _ = ask_model(tokenizer, context, 256, "")
    assert "the fox sat on the mat." in prompt_text


def test_the_answer_lists_the_sentences_that_support_it(tokenizer: Tokenizer) -> None:
    context = "the cat ran. the dog sat on the hills. the fox sat on the mat."
    _, answer = ask_model(tokenizer, context, 512, " the fox sat on the mat.")
    start, end = answer.passages[0]
    assert context[start:end] == "the fox sat on the mat."
    assert answer.generated


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When does the last train leave?", "the last train leaves on Sunday at 20:40."),
        ("Who brings what?", "Jonas brings the tent."),
        ("Who brings the tent?", "Jonas."),
        ("Does Jonas bring the tent?", "Yes."),
        ("Does Jonas bring the tent?", "Jonas brings the tent."),
        ("Does the tent come from Jonas or from Maria?", "It comes from Jonas."),
        ("Are dogs allowed?", "No."),
    ],
)
def test_an_answer_with_words_and_figures_of_the_text_is_accepted(question: str, answer: str) -> None:
    assert is_grounded(answer, LETTER, question)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the president of France?", "the president of France is Marcel Marle."),
        ("What colour is the car?", "The car is a red car."),
        ("Does the car have a radio?", "Yes."),
        ("What colour is the tent?", "The tent is red."),
        ("What colour is the tent?", "It is a tent."),
        ("When does the train leave?", "The train leaves on Sunday at 20:50."),
        ("Who brings the tent?", ""),
        ("Does Jonas bring the tent?", ""),
    ],
)
def test_an_answer_with_other_words_or_figures_is_rejected(question: str, answer: str) -> None:
    assert not is_grounded(answer, LETTER, question)


def test_single_characters_are_compared_in_scripts_without_spaces() -> None:
    text = "最終列車は日曜日の20時40分に駅を出ます。"
    assert is_grounded("日曜日の20時40分です。", text, "最終列車はいつ出ますか。")
    assert not is_grounded("月曜日の18時です。", text, "最終列車はいつ出ますか。")


def test_a_rejected_answer_is_empty(tokenizer: Tokenizer) -> None:
    _, answer = ask_model(tokenizer, "the cat sat on the mat. the fox ran.", 512, " the fox sat in a red car.")
    assert not answer.text
