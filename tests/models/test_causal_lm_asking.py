"""A question about a text, put to a causal model: what it reads of a long one, and what it shows for its answer."""

from __future__ import annotations

import pytest

from inference.pipelines.causal_lm.answering import ask
from inference.pipelines.causal_lm.instructions import Instructions
from inference.pipelines.causal_lm.prompts import Continuation
from inference.pipelines.causal_lm.vocabulary import Vocabulary
from inference.types import Answer, AskRequest
from tests.models.tiny_causal import CHAT, save_causal


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return Vocabulary(save_causal(tmp_path_factory.mktemp("words"), "llama", chat=CHAT))


def asked(vocabulary: Vocabulary, context: str, window: int, reply: str) -> tuple[str, Answer]:
    """What a model with that window reads, and the answer when it replies so."""
    plan = ask(Instructions(vocabulary, window), AskRequest(question="where sat the fox?", context=context))
    [prompt] = next(plan)
    assert len(prompt.tokens) + prompt.max_new_tokens <= window
    with pytest.raises(StopIteration) as end:
        plan.send([Continuation(reply, True)])
    return vocabulary.text(prompt.tokens), end.value.value


def test_a_text_that_fits_is_read_whole(vocabulary: Vocabulary) -> None:
    read, _ = asked(vocabulary, "the cat ran. the fox sat on the mat.", 512, "")
    assert "the cat ran. the fox sat on the mat." in read


def test_of_a_text_too_long_for_the_window_what_speaks_of_the_question_is_read(vocabulary: Vocabulary) -> None:
    context = "the cat ran over the hills. " * 300 + "the fox sat on the mat. " + "the cat ran over the hills. " * 300
    read, _ = asked(vocabulary, context, 256, "")
    assert "the fox sat on the mat." in read


def test_the_sentences_that_speak_of_question_and_answer_are_shown_for_it(vocabulary: Vocabulary) -> None:
    context = "the cat ran. the dog sat on the hills. the fox sat on the mat."
    _, answer = asked(vocabulary, context, 512, " the fox sat on the mat.")
    start, end = answer.windows[0]
    assert context[start:end] == "the fox sat on the mat."
    assert answer.generated
