"""Prompts for one model: in its chat template if it has one, otherwise as plain text to continue."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inference.pipelines.causal_lm.detokenizer import CLOSING_TOKENS
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import Message, Tool
from inference.types.errors import InvalidRequest

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s")
_MAX_REASONING_TOKENS = 2048
"""Tokens of thoughts that precede one answer."""
_MARGIN = 8
"""A piece of text may need this many more tokens inside a text than alone."""


class PromptTemplate:
    """Builds prompts for one model. `window` is the largest number of prompt and new tokens together."""

    def __init__(self, tokenizer: Tokenizer, window: int) -> None:
        self._tokenizer = tokenizer
        self.window = window

    @property
    def can_chat(self) -> bool:
        return self._tokenizer.can_chat

    @property
    def takes_tools(self) -> bool:
        return self._tokenizer.takes_tools

    def instruct(self, message: str, lead: str, system: str) -> list[int]:
        """Return a prompt for the instruction `message`. The reply is made to begin with `lead`.

        For a model without a chat template, the prompt is the plain text of `message` and `lead`.
        """
        if self.can_chat:
            return self._tokenizer.chat([Message("system", system), Message("user", message)], lead)
        return self._tokenizer.encode_prompt(message + lead)

    def plain(self, text: str) -> list[int]:
        """Return a prompt that continues `text`."""
        return self._tokenizer.encode_prompt(text)

    def plain_end(self, text: str, max_new_tokens: int) -> list[int]:
        """Return a prompt from the end of `text` that leaves room for new tokens. Initial special tokens are kept."""
        tokens, first = self.plain(text), len(self.plain(""))
        excess = max(0, len(tokens) - self.max_prompt_tokens(max_new_tokens))
        return tokens[:first] + tokens[first + excess :]

    def chat(
        self, messages: list[Message], prefill: str, tools: Sequence[Tool] = (), *, thinking: bool = False
    ) -> list[int]:
        """Return the prompt for the next assistant message, which begins with `prefill`."""
        return self._tokenizer.chat(messages, prefill, tools, thinking=thinking)

    def reasoning_budget(self, tokens: list[int], max_new_tokens: int) -> int:
        """Return how many tokens the model may think after this prompt; 0 if it does not think, or has no room."""
        room = self.window - len(tokens) - max_new_tokens - CLOSING_TOKENS
        return min(_MAX_REASONING_TOKENS, max(0, room)) if self._may_think(tokens) else 0

    def reserved_for_thoughts(self, tokens: list[int]) -> int:
        """Return the part of the window that a conversation leaves to the thoughts that may follow it."""
        return min(_MAX_REASONING_TOKENS, self.window // 4) + CLOSING_TOKENS if self._may_think(tokens) else 0

    def _may_think(self, tokens: list[int]) -> bool:
        reasoning = self._tokenizer.reasoning
        return reasoning is not None and not reasoning.begin(tokens).answering

    def check_fits(self, tokens: list[int], max_new_tokens: int) -> list[int]:
        """Return `tokens`. Raise InvalidRequest if they are empty or leave no room for `max_new_tokens`."""
        if not tokens:
            raise InvalidRequest("There is nothing to continue. Write something first.")
        available = self.max_prompt_tokens(max_new_tokens)
        if len(tokens) > available:
            raise InvalidRequest(
                "This text has {tokens:,} tokens, and with {new:,} new ones this model takes {most:,}. "
                "Shorten it, or choose a model that reads more.",
                tokens=len(tokens),
                new=max_new_tokens,
                most=available,
            )
        return tokens

    def max_prompt_tokens(self, max_new_tokens: int) -> int:
        """Return how many prompt tokens leave room for `max_new_tokens`. Raise InvalidRequest if none do."""
        if max_new_tokens >= self.window:
            raise InvalidRequest(
                "This model reads and writes {window:,} tokens in all, so it can't write {new:,}. Ask for fewer.",
                window=self.window,
                new=max_new_tokens,
            )
        return self.window - max_new_tokens

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text))

    def beginning(self, text: str, max_tokens: int) -> str:
        """Return the beginning of `text`, up to `max_tokens`, cut after a sentence or else after a word."""
        tokens = self._tokenizer.encode(text)
        if len(tokens) <= max_tokens:
            return text
        cut = self._tokenizer.decode(tokens[: max(0, max_tokens - _MARGIN)])
        ends = [match.end() for match in _SENTENCE_END.finditer(cut)]
        return cut[: ends[-1]] if ends else cut.rpartition(" ")[0]

    def end(self, text: str, max_tokens: int) -> str:
        """Return the end of `text`, up to `max_tokens`."""
        tokens = self._tokenizer.encode(text)
        room = max_tokens - _MARGIN
        return self._tokenizer.decode(tokens[-room:]) if room > 0 else ""
