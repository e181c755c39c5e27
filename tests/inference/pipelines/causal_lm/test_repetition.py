"""Summaries of small models go round in circles: such a text ends where its second round begins."""

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
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(save_bytes(tmp_path_factory.mktemp("bytes")))


def written(vocabulary: Tokenizer, words: str, *, once: bool = True) -> Continuation:
    """What is left when a model says `words`, and goes on until it has no tokens left or the text is done."""
    tokens = vocabulary.tokens(words)
    text = OutputText(Prompt(vocabulary.tokens("the"), len(tokens), once=once), vocabulary)
    for token in tokens:
        if not text.done:
            text.grow(token, ends=())
    return text.continuation


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("The cat sat. It ran off. The cat sat. It ran", "The cat sat. It ran off. "),
        (" The cat sat\n- It ran off\n- the cat sat\n- It", " The cat sat\n- It ran off\n"),
        ("It is a bot that helps you" + " and that you help" * 9, "It is a bot that helps you and that you help "),
    ],
)
def test_a_text_ends_before_it_says_again_what_it_said(vocabulary: Tokenizer, said: str, left: str) -> None:
    assert written(vocabulary, said) == Continuation(left, finish_reason="length")


@pytest.mark.parametrize(
    "said", ["Yes. He ran. Yes. He ran. Yes.", "so very very very fast", "She said: she said: no."]
)
def test_few_words_may_come_again(vocabulary: Tokenizer, said: str) -> None:
    assert written(vocabulary, said).text == said


def test_what_people_have_written_for_them_may_repeat_itself(vocabulary: Tokenizer) -> None:
    song = "row your boat now. " * 4
    assert written(vocabulary, song, once=False).text == song


@pytest.mark.parametrize("length", LENGTHS)
def test_summaries_say_a_thing_once(tmp_path: Path, length: Length) -> None:
    instructions = PromptTemplate(Tokenizer(save_causal(tmp_path, "llama", chat=CHAT)), 256)
    prompts = next(summarize(instructions, SummarizeRequest(text="the cat sat on the mat.", length=length)))
    assert all(prompt.once for prompt in prompts)
