"""One text while it grows: from tokens to words, up to its end."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from inference.pipelines.causal_lm.prompts import Continuation, Prompt
from inference.pipelines.causal_lm.repetition import find_repetition
from inference.pipelines.causal_lm.tokenizer import Tokenizer

_CONTEXT = 4
"""Tokens of the prompt decoded with the first new ones, since some tokenizers drop a leading space."""

_BROKEN = "\ufffd"
"""What a part of a character decodes to: many need several tokens."""


class IncrementalDetokenizer:
    """Turns tokens into text as they come, each decoded once with the few before it (not all of them every time)."""

    def __init__(self, vocabulary: Tokenizer, before: Sequence[int]) -> None:
        self._vocabulary = vocabulary
        self._tokens = list(before[-_CONTEXT:])
        """Those whose text is known, then those that wait for the rest of their last character."""
        self._known = len(self._tokens)
        self._known_text = vocabulary.text(self._tokens)
        self._whole = ""
        self.text = ""
        """All whole characters of the tokens so far."""

    def add(self, token: int) -> None:
        self._tokens.append(token)
        new = self._vocabulary.text(self._tokens)[len(self._known_text) :]
        self.text = self._whole + new.rstrip(_BROKEN)
        if new and not new.endswith(_BROKEN):
            self._whole = self.text
            self._tokens = self._tokens[self._known :]
            self._known = len(self._tokens)
            self._known_text = self._vocabulary.text(self._tokens)


class OutputText:
    """The words that follow one prompt."""

    def __init__(self, prompt: Prompt, vocabulary: Tokenizer) -> None:
        self.prompt = prompt
        self.length = 0
        """Tokens so far."""
        self.last = 0
        """The newest token."""
        self.done = False
        self._spelling = IncrementalDetokenizer(vocabulary, prompt.tokens)
        self._written = ""
        self._ended = False

    @property
    def continuation(self) -> Continuation:
        return Continuation(self._written, "stop" if self._ended else "length")

    @property
    def settled(self) -> str:
        """The text so far without what may turn out to begin a stop string."""
        return self._written if self.done else self._written[: len(self._written) - self._doubtful()]

    def grow(self, token: int, ends: Collection[int]) -> None:
        """Take the next token, and see whether the text ends with or before it."""
        self.length += 1
        self.last = token
        if token in ends:
            self._ended = self.done = True
            return
        self._spelling.add(token)
        written = self._spelling.text
        stop = min((at for stop in self.prompt.stop if (at := written.find(stop)) >= 0), default=None)
        again = find_repetition(written) if self.prompt.once and stop is None else None
        self._ended = stop is not None
        self._written = written[:stop][:again]
        self.done = self._ended or again is not None or self.length == self.prompt.max_new_tokens

    def _doubtful(self) -> int:
        """Length of the longest end of the text that is the beginning of a stop string."""
        beginnings = (stop[:size] for stop in self.prompt.stop for size in range(1, len(stop)))
        return max((len(beginning) for beginning in beginnings if self._written.endswith(beginning)), default=0)
