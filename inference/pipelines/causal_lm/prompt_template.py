"""How a task is put to one model: in its chat template where it has one, as a text to go on with where not."""

from __future__ import annotations

import re

from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import Message
from inference.types.errors import InvalidRequest

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s")
_TAIL = 8
"""Tokens that a piece of text may take more in the middle of others than alone."""


class PromptTemplate:
    """Makes prompts for one model; `window` is the most tokens it can read and write in one go."""

    def __init__(self, vocabulary: Tokenizer, window: int) -> None:
        self._vocabulary = vocabulary
        self.window = window

    @property
    def can_chat(self) -> bool:
        return self._vocabulary.can_chat

    def instruct(self, message: str, lead: str, system: str) -> list[int]:
        """Tokens after which the model writes its reply, whose first words, `lead`, are given to it.

        A model that can't chat gets message and lead as one text to go on with.
        """
        if self.can_chat:
            return self._vocabulary.chat([Message("system", system), Message("user", message)], lead)
        return self._vocabulary.prompt(message + lead)

    def plain(self, text: str) -> list[int]:
        """A text to go on with."""
        return self._vocabulary.prompt(text)

    def end_of_plain(self, text: str, new: int) -> list[int]:
        """As much of the end of `text` as leaves room for `new` tokens, after the special tokens that begin a text."""
        tokens, first = self.plain(text), len(self.plain(""))
        excess = max(0, len(tokens) - self.room(new))
        return tokens[:first] + tokens[first + excess :]

    def chat(self, messages: list[Message], written: str) -> list[int]:
        """Tokens after which a chat model goes on with its reply, of which `written` is there."""
        return self._vocabulary.chat(messages, written)

    def fitting(self, tokens: list[int], new: int) -> list[int]:
        """`tokens`, if there are any and they leave room for `new` ones; raises InvalidRequest."""
        if not tokens:
            raise InvalidRequest("There is nothing to continue. Write something first.")
        room = self.room(new)
        if len(tokens) > room:
            raise InvalidRequest(
                "This text has {tokens:,} tokens, and with {new:,} new ones this model takes {most:,}. "
                "Shorten it, or choose a model that reads more.",
                tokens=len(tokens),
                new=new,
                most=room,
            )
        return tokens

    def room(self, new: int) -> int:
        """Tokens that can be read when `new` are to be written; raises InvalidRequest if none can."""
        if new >= self.window:
            raise InvalidRequest(
                "This model reads and writes {window:,} tokens in all, so it can't write {new:,}. Ask for fewer.",
                window=self.window,
                new=new,
            )
        return self.window - new

    def count(self, text: str) -> int:
        return len(self._vocabulary.tokens(text))

    def beginning(self, text: str, most: int) -> str:
        """As much of `text` as `most` tokens hold, up to the end of a sentence, or of a word."""
        tokens = self._vocabulary.tokens(text)
        if len(tokens) <= most:
            return text
        cut = self._vocabulary.text(tokens[: max(0, most - _TAIL)])
        ends = [match.end() for match in _SENTENCE_END.finditer(cut)]
        return cut[: ends[-1]] if ends else cut.rpartition(" ")[0]

    def end(self, text: str, most: int) -> str:
        """As much of the end of `text` as `most` tokens hold."""
        tokens = self._vocabulary.tokens(text)
        return self._vocabulary.text(tokens[max(0, len(tokens) - most + _TAIL) :]) if most > _TAIL else ""
