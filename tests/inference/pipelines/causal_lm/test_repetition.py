"""Test that a summary ends where a small model begins to repeat itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.pipelines.causal_lm.detokenizer import OutputText
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Continuation, Prompt
from inference.pipelines.causal_lm.summarization import summarize
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import LENGTHS, Length, SummarizeRequest
from tests.inference.pipelines.tiny_causal import CHAT, save_bytes, save_causal


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(save_bytes(tmp_path_factory.mktemp("bytes")))


def generate(tokenizer: Tokenizer, words: str, *, stop_at_repetition: bool = True) -> Continuation:
    """Return the text that remains of a model's output `words`, with a limit of as many tokens."""
    tokens = tokenizer.encode(words)
    text = OutputText(Prompt(tokenizer.encode("the"), len(tokens), stop_at_repetition=stop_at_repetition), tokenizer)
    for token in tokens:
        if not text.finished:
            text.append(token, eos_token_ids=())
    return text.continuation


@pytest.mark.parametrize(
    ("output", "kept"),
    [
        ("The cat sat. It ran off. The cat sat. It ran", "The cat sat. It ran off. "),
        (" The cat sat\n- It ran off\n- the cat sat\n- It", " The cat sat\n- It ran off\n"),
        ("It is a bot that helps you" + " and that you help" * 9, "It is a bot that helps you and that you help "),
    ],
)
def test_a_text_ends_before_it_repeats_itself(tokenizer: Tokenizer, output: str, kept: str) -> None:
    assert generate(tokenizer, output) == Continuation(kept, finish_reason="length")


@pytest.mark.parametrize(
    "output", ["Yes. He ran. Yes. He ran. Yes.", "so very very very fast", "She said: she said: no."]
)
def test_short_phrases_may_be_repeated(tokenizer: Tokenizer, output: str) -> None:
    assert generate(tokenizer, output).text == output


def test_completions_may_repeat_themselves(tokenizer: Tokenizer) -> None:
    song = "row your boat now. " * 4
    assert generate(tokenizer, song, stop_at_repetition=False).text == song


@pytest.mark.parametrize("length", LENGTHS)
def test_summaries_stop_at_repetition(tmp_path: Path, length: Length) -> None:
    template = PromptTemplate(Tokenizer(save_causal(tmp_path, "llama", chat=CHAT)), 256)
    prompts = next(summarize(template, SummarizeRequest(text="the cat sat on the mat.", length=length)))
    assert all(prompt.stop_at_repetition for prompt in prompts)


def _ended(tokenizer: Tokenizer, output: str) -> Continuation | None:
    """Return the text of a reply of which the model writes `output`, if it ends by itself before that."""
    text = OutputText(Prompt([1], 10_000, stop_at_loop=True), tokenizer)
    for token in tokenizer.encode(output):
        text.append(token, set())
        if text.finished:
            return text.continuation
    return None


def test_a_reply_ends_where_the_model_does_nothing_but_repeat_itself(tokenizer: Tokenizer) -> None:
    loop = "I am a very special cat. "
    assert _ended(tokenizer, f"Hello there. {loop * 30}") == Continuation(f"Hello there. {loop}", "length")
    assert _ended(tokenizer, "Z-" * 100) == Continuation("Z-", "length")


@pytest.mark.parametrize(
    "output",
    [
        "I am a very special cat. " * 9,
        "".join(f"for i in range({n}):\n    print(i)\n" for n in range(20)),
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream. "
        * 3,
        "0 " * 40,
    ],
)
def test_refrains_lists_and_code_are_no_loop(tokenizer: Tokenizer, output: str) -> None:
    assert _ended(tokenizer, output) is None
