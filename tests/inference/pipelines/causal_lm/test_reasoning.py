"""Test that a thinking model's thoughts are told apart from its answer, by its own tokens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from inference.pipelines.causal_lm.detokenizer import OutputText
from inference.pipelines.causal_lm.prompts import Continuation, Prompt
from inference.pipelines.causal_lm.tokenizer import Tokenizer as ModelTokenizer
from inference.tasks import Message

PAIR = ["<think>", "</think>", "<|im_start|>", "<|im_end|>"]
HARMONY = ["<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>"]
WORDS = ["user", "assistant", "analysis", "final", "hmm", "yes", "no", "hello"]
THINKING_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }} {{ m['content'] }}<|im_end|>{% endfor %}"
    "<|im_start|>assistant<think>"
)
HARMONY_TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}<|message|>{{ m['content'] }}<|end|>{% endfor %}<|start|>assistant"
)


def tokenizer_with(markers: list[str], template: str, folder: Path) -> ModelTokenizer:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["?", *WORDS])}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token=markers[-1], extra_special_tokens=markers[:-1]
    )
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return ModelTokenizer(folder)


@pytest.fixture
def pair(tmp_path: Path) -> ModelTokenizer:
    return tokenizer_with(PAIR, THINKING_TEMPLATE, tmp_path)


@pytest.fixture
def harmony(tmp_path: Path) -> ModelTokenizer:
    return tokenizer_with(HARMONY, HARMONY_TEMPLATE, tmp_path)


def write(text: OutputText, tokenizer: ModelTokenizer, written: str) -> list[str]:
    """Let the model write `written`. Return the text after each token."""
    stock: Any = tokenizer._tokenizer  # pyright: ignore[reportPrivateUsage]
    shown: list[str] = []
    for token in stock(written, add_special_tokens=False)["input_ids"]:
        if text.finished:
            break
        text.append(text.choose(token), {stock.eos_token_id})
        shown.append(text.stable_text)
    return shown


def output(
    tokenizer: ModelTokenizer, prompt: str, max_new_tokens: int = 8, max_reasoning_tokens: int = 20
) -> OutputText:
    stock: Any = tokenizer._tokenizer  # pyright: ignore[reportPrivateUsage]
    tokens = stock(prompt, add_special_tokens=False)["input_ids"]
    return OutputText(Prompt(tokens, max_new_tokens, thoughts=True), tokenizer, max_reasoning_tokens)


def test_thoughts_between_two_tokens_are_not_shown(pair: ModelTokenizer) -> None:
    text = output(pair, "<|im_start|>assistant")
    shown = write(text, pair, "<think>hmm no</think>yes hello<|im_end|>")
    assert shown == ["", "", "", "", "yes", "yes hello", "yes hello"]
    assert text.continuation.finish_reason == "stop"
    assert text.continuation.thoughts == "hmm no"


def test_thoughts_are_kept_only_for_a_prompt_that_wants_them(pair: ModelTokenizer) -> None:
    text = output(pair, "<|im_start|>assistant")
    text.prompt = replace(text.prompt, thoughts=False)
    write(text, pair, "<think>hmm no</think>yes<|im_end|>")
    assert text.continuation == Continuation("yes", "stop")


def test_a_prompt_that_begins_the_thoughts_hides_them_up_to_their_end(pair: ModelTokenizer) -> None:
    text = output(pair, "<|im_start|>assistant<think>")
    write(text, pair, "hmm no</think>yes<|im_end|>")
    assert text.continuation.text == "yes"


def test_a_prompt_with_finished_thoughts_hides_nothing(pair: ModelTokenizer) -> None:
    text = output(pair, "<|im_start|>assistant<think>hmm</think>")
    write(text, pair, "yes hello<|im_end|>")
    assert text.continuation.text.strip() == "yes hello"


def test_thoughts_do_not_use_up_the_length_of_the_answer(pair: ModelTokenizer) -> None:
    text = output(pair, "<|im_start|>assistant", max_new_tokens=2)
    write(text, pair, "<think>hmm hmm hmm hmm hmm</think>yes hello no")
    assert text.continuation.text == "yes hello"
    assert text.continuation.finish_reason == "length"


def test_thoughts_that_are_too_long_are_ended(pair: ModelTokenizer) -> None:
    text = output(pair, "<|im_start|>assistant", max_reasoning_tokens=3)
    write(text, pair, "<think>hmm hmm hmm hello yes<|im_end|>")
    assert text.continuation.text == "hello yes", "the end of the thoughts took the place of the third word"
    assert text.continuation.finish_reason == "stop"


def test_a_reply_with_given_first_words_has_no_thoughts(pair: ModelTokenizer) -> None:
    tokens = pair.chat([Message("user", "hello")], "yes")
    text = OutputText(Prompt(tokens, 8), pair, 20)
    write(text, pair, "hello<|im_end|>")
    assert text.continuation.text.strip() == "hello"


def test_only_the_final_channel_is_the_answer(harmony: ModelTokenizer) -> None:
    text = output(harmony, "<|start|>user<|message|>hello<|end|><|start|>assistant")
    thoughts = "<|channel|>analysis<|message|>hmm no<|end|><|start|>assistant"
    shown = write(text, harmony, f"{thoughts}<|channel|>final<|message|>yes hello<|return|>")
    assert shown[-4:] == ["", "yes", "yes hello", "yes hello"]
    assert not any(shown[:-3])
    assert text.continuation.thoughts == "hmm no", "headers and markers are no thoughts"


def test_an_analysis_that_is_too_long_is_ended_by_the_final_channel(harmony: ModelTokenizer) -> None:
    text = output(harmony, "<|start|>user<|message|>hello<|end|><|start|>assistant", max_reasoning_tokens=6)
    write(text, harmony, "<|channel|>analysis<|message|>" + "hmm " * 9 + "yes<|return|>")
    assert text.continuation.text == "yes", "the end of the thoughts took the place of the last words"


def test_given_first_words_are_in_the_final_channel(harmony: ModelTokenizer) -> None:
    text = OutputText(Prompt(harmony.chat([Message("user", "hello")], "yes"), 8), harmony, 20)
    write(text, harmony, "hello<|return|>")
    assert text.continuation.text.strip() == "hello"


def test_a_tokenizer_without_such_tokens_has_no_thoughts(tmp_path: Path) -> None:
    assert tokenizer_with(["<|im_start|>", "<|im_end|>"], THINKING_TEMPLATE, tmp_path).reasoning is None


@pytest.mark.parametrize("written", ["<think>hmm hmm</think>yes yes yes yes yes", "yes <think>hmm</think>yes yes yes"])
def test_without_room_for_thoughts_the_text_has_no_more_tokens_than_it_may(pair: ModelTokenizer, written: str) -> None:
    text = output(pair, "<|im_start|>assistant", max_new_tokens=4, max_reasoning_tokens=0)
    assert len(write(text, pair, written)) == text.max_tokens == 4


def test_markers_that_repeat_for_ever_end_the_text(pair: ModelTokenizer) -> None:
    text = output(pair, "<|im_start|>assistant", max_reasoning_tokens=3)
    write(text, pair, "</think><think>" * 20)
    assert text.finished


def test_markers_in_what_people_write_are_no_thoughts(pair: ModelTokenizer) -> None:
    tokens = pair.chat([Message("user", "hello <think> hello")])
    assert tokens.count(pair.chat([Message("user", "hello")])[-1]) == 1, "only the template begins thoughts"
