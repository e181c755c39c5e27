"""Incremental detokenization of one generated text, with detection of its end."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from inference.pipelines.causal_lm.growing_text import GrowingText
from inference.pipelines.causal_lm.prompts import Continuation, Prompt
from inference.pipelines.causal_lm.tokenizer import Tokenizer

_CONTEXT_TOKENS = 4
"""Prompt tokens that are decoded with the first new ones: some tokenizers drop a leading space."""

CLOSING_TOKENS = 8
"""Tokens that end thoughts, at most."""

_REPLACEMENT_CHARACTER = "\ufffd"
"""The result of decoding an incomplete character: many characters need several tokens."""


class IncrementalDetokenizer:
    """Converts tokens to text as they arrive. Each is decoded once, with a few before it, not with all of them."""

    def __init__(self, tokenizer: Tokenizer, prompt_tokens: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._tokens = list(prompt_tokens[-_CONTEXT_TOKENS:])
        """Tokens whose text is known, followed by tokens that wait for the rest of a character."""
        self._num_decoded = len(self._tokens)
        self._decoded_text = tokenizer.decode(self._tokens)
        self._complete_text = ""
        self.text = ""
        """The complete characters of all tokens so far."""

    def add(self, token: int) -> None:
        self._tokens.append(token)
        new = self._tokenizer.decode(self._tokens)[len(self._decoded_text) :]
        self.text = self._complete_text + new.rstrip(_REPLACEMENT_CHARACTER)
        if new and not new.endswith(_REPLACEMENT_CHARACTER):
            self._complete_text = self.text
            self._tokens = self._tokens[self._num_decoded :]
            self._num_decoded = len(self._tokens)
            self._decoded_text = self._tokenizer.decode(self._tokens)


class OutputText:
    """The generated text that follows one prompt. Thoughts of at most `max_reasoning_tokens` are no part of it.

    It has `max_tokens` at most, with its thoughts.
    """

    def __init__(self, prompt: Prompt[list[int]], tokenizer: Tokenizer, max_reasoning_tokens: int = 0) -> None:
        self.prompt = prompt
        self.last_token = 0
        """The newest token."""
        self.finished = False
        self.max_tokens = prompt.max_new_tokens + (max_reasoning_tokens + CLOSING_TOKENS if max_reasoning_tokens else 0)
        self._num_tokens = 0
        self._num_hidden = 0
        """Tokens of the thoughts, and those that separate them from the text."""
        self._max_hidden = max_reasoning_tokens
        self._reasoning = tokenizer.reasoning.begin(prompt.tokens) if tokenizer.reasoning else None
        self._forced: list[int] = []
        """Tokens that come next, whatever the model chooses: those that end thoughts at their limit."""
        self._detokenizer = IncrementalDetokenizer(tokenizer, prompt.tokens)
        self._thoughts = IncrementalDetokenizer(tokenizer, prompt.tokens)
        self._visible = GrowingText(prompt)
        self._stopped = False

    @property
    def continuation(self) -> Continuation:
        return Continuation(self._visible.text, "stop" if self._stopped else "length", self.thoughts)

    @property
    def thoughts(self) -> str:
        """The thoughts so far, if the prompt wants them."""
        return self._thoughts.text.strip()

    @property
    def stable_text(self) -> str:
        """The text so far, without an end that may be the beginning of a stop string, and without calls of tools."""
        return self._visible.stable_text(finished=self.finished)

    def choose(self, token: int) -> int:
        """Return the next token: `token`, or one that ends thoughts at their limit."""
        if self._reasoning and self._reasoning.thinking and not self._forced and self._num_hidden >= self._max_hidden:
            self._forced = list(self._reasoning.closing)
        return self._forced.pop(0) if self._forced else token

    def append(self, token: int, eos_token_ids: Collection[int]) -> None:
        """Append the next token, and check whether the text ends with or before it."""
        self.last_token = token
        if token in eos_token_ids:
            self._stopped = self.finished = True
        elif self._reasoning and (part := self._reasoning.add(token)) != "answer":
            self._num_hidden += 1
            if part == "thoughts" and self.prompt.thoughts:
                self._thoughts.add(token)
            self.finished = self._num_hidden >= self._max_hidden + CLOSING_TOKENS or self._is_full
        else:
            self._append_visible(token)

    def _append_visible(self, token: int) -> None:
        self._num_tokens += 1
        self._detokenizer.add(token)
        text = self._detokenizer.text.lstrip() if self._num_hidden else self._detokenizer.text
        self._visible.set(text, self._num_tokens)
        self._stopped = self._visible.stopped
        self.finished = self._visible.ended or self._num_tokens == self.prompt.max_new_tokens or self._is_full

    @property
    def _is_full(self) -> bool:
        return self._num_tokens + self._num_hidden == self.max_tokens
