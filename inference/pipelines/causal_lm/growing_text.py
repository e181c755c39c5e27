"""One generated text while it grows: where it ends, and how much of it can be shown."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from inference.pipelines.causal_lm.prompts import Prompt
from inference.pipelines.causal_lm.repetition import find_loop, find_repetition
from inference.pipelines.causal_lm.tool_calls import text_before_calls
from inference.text.sentences import sentences


class GrowingText:
    """The text that follows one prompt, without thoughts, cut where its prompt lets it end."""

    def __init__(self, prompt: Prompt[Any]) -> None:
        self._prompt = prompt
        self.text = ""
        self.ended = False
        """Whether the text ends before the model does: at a stop string, a sentence or a repetition."""
        self.stopped = False
        """Whether it ends at a stop string."""
        self._length_then = 0
        """The length of the text when it had `sentence_after` tokens."""

    def set(self, text: str, num_tokens: int, *, may_repeat: bool = True) -> None:
        """Note that the model has written `text` so far. Repetitions are looked for only if it `may_repeat`."""
        stop = min((at for stop in self._prompt.stop if (at := text.find(stop)) >= 0), default=None)
        repetition = self._repetition(text) if stop is None and may_repeat else None
        sentence = self._end_of_sentence(text, num_tokens) if self._prompt.sentence_after and stop is None else None
        self.stopped = stop is not None
        self.text = text[:stop][:repetition][:sentence]
        self.ended = self.stopped or repetition is not None or sentence is not None

    def stable_text(self, *, finished: bool) -> str:
        """Return the text without an end that may be the beginning of a stop string, and without calls of tools."""
        if self._prompt.calls_tools:
            return text_before_calls(self.text)
        return self.text if finished else self.text[: len(self.text) - self._partial_stop_length()]

    def _repetition(self, text: str) -> int | None:
        if self._prompt.stop_at_loop:
            return find_loop(text)
        return find_repetition(text) if self._prompt.stop_at_repetition else None

    def _end_of_sentence(self, text: str, num_tokens: int) -> int | None:
        """Return where the first sentence ends that ended after `sentence_after` tokens; None if none has ended."""
        if num_tokens <= self._prompt.sentence_after:
            self._length_then = len(text)
            return None
        *whole, _ = accumulate(map(len, sentences(text)), initial=0)
        end = next((end for end in whole if end > self._length_then), None)
        return end and len(text[:end].rstrip())

    def _partial_stop_length(self) -> int:
        """Return the length of the longest end of the text that begins a stop string."""
        beginnings = (stop[:size] for stop in self._prompt.stop for size in range(1, len(stop)))
        return max((len(beginning) for beginning in beginnings if self.text.endswith(beginning)), default=0)
