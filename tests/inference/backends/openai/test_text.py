"""One text that a server writes, piece by piece."""

from __future__ import annotations

from inference.backends.openai.client import Delta
from inference.backends.openai.prompts import ServerPrompt
from inference.backends.openai.text import ServerText
from inference.pipelines.causal_lm.prompts import Prompt


def test_nothing_beyond_a_stop_string_is_seen_in_a_text_that_is_searched_for_repetitions() -> None:
    text = ServerText(Prompt(ServerPrompt(1, text="Count"), 50, stop=("; ",), stop_at_repetition=True), 0)
    text.add(Delta("one, two; three"))
    assert (text.partial.text, text.finished) == ("one, two", True)
