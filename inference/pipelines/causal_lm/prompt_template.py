"""Prompts of token ids for one model: in its chat template if it has one, otherwise as plain text to continue."""

from __future__ import annotations

from collections.abc import Sequence

from inference.pipelines.causal_lm.detokenizer import CLOSING_TOKENS
from inference.pipelines.causal_lm.prompts import PromptBuilder
from inference.pipelines.causal_lm.repetition import until_last_sentence
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import Message, Tool
from inference.types.errors import InvalidRequest

_MAX_REASONING_TOKENS = 2048
"""Tokens of thoughts that precede one answer."""
_MARGIN = 8
"""A piece of text may need this many more tokens inside a text than alone."""


class PromptTemplate(PromptBuilder[list[int]]):
    """Builds prompts of token ids."""

    def __init__(self, tokenizer: Tokenizer, window: int) -> None:
        self._tokenizer = tokenizer
        self.window = window

    @property
    def can_chat(self) -> bool:
        return self._tokenizer.can_chat

    @property
    def can_lead(self) -> bool:
        return True

    @property
    def takes_tools(self) -> bool:
        return self._tokenizer.takes_tools

    def instruct(self, message: str, lead: str, system: str) -> list[int]:
        if self.can_chat:
            return self._tokenizer.chat([Message("system", system), Message("user", message)], lead)
        return self._tokenizer.encode_prompt(message + lead)

    def plain(self, text: str) -> list[int]:
        return self._tokenizer.encode_prompt(text)

    def plain_end(self, text: str, max_new_tokens: int) -> list[int]:
        tokens, first = self.plain(text), len(self.plain(""))
        excess = max(0, len(tokens) - self.max_prompt_tokens(max_new_tokens))
        return tokens[:first] + tokens[first + excess :]

    def chat(
        self, messages: list[Message], prefill: str, tools: Sequence[Tool] = (), *, thinking: bool = False
    ) -> list[int]:
        return self._tokenizer.chat(messages, prefill, tools, thinking=thinking)

    def reasoning_budget(self, tokens: list[int], max_new_tokens: int) -> int:
        """Return how many tokens the model may think after this prompt; 0 if it does not think, or has no room."""
        room = self.window - len(tokens) - max_new_tokens - CLOSING_TOKENS
        return min(_MAX_REASONING_TOKENS, max(0, room)) if self._may_think(tokens) else 0

    def reserved_for_thoughts(self, tokens: list[int]) -> int:
        return min(_MAX_REASONING_TOKENS, self.window // 4) + CLOSING_TOKENS if self._may_think(tokens) else 0

    def _may_think(self, tokens: list[int]) -> bool:
        reasoning = self._tokenizer.reasoning
        return reasoning is not None and not reasoning.begin(tokens).answering

    def check_fits(self, tokens: list[int], max_new_tokens: int) -> list[int]:
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

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text))

    def beginning(self, text: str, max_tokens: int) -> str:
        tokens = self._tokenizer.encode(text)
        if len(tokens) <= max_tokens:
            return text
        return until_last_sentence(self._tokenizer.decode(tokens[: max(0, max_tokens - _MARGIN)]))

    def end(self, text: str, max_tokens: int) -> str:
        tokens = self._tokenizer.encode(text)
        room = max_tokens - _MARGIN
        return self._tokenizer.decode(tokens[-room:]) if room > 0 else ""
