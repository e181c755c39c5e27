"""A tokenizer as the rest of this package wants it: text to token ids and back, without options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer

from inference.tasks import Message


class Tokenizer:
    """The tokenizer in `folder`."""

    def __init__(self, folder: Path) -> None:
        # transformers annotates nearly every value of a tokenizer as a union of what all of them may return.
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._special = [str(token) for token in self._tokenizer.added_tokens_decoder.values() if token.special]

    @property
    def longest(self) -> int:
        """The most tokens the tokenizer's author allows; 10**30 where they didn't say."""
        return int(self._tokenizer.model_max_length)

    @property
    def end(self) -> int | None:
        return self._tokenizer.eos_token_id

    @property
    def start(self) -> int:
        """What a text follows that has nothing before it."""
        first = self._tokenizer.bos_token_id
        return self._tokenizer.eos_token_id if first is None else first

    @property
    def can_chat(self) -> bool:
        return self._tokenizer.chat_template is not None

    def prompt(self, text: str) -> list[int]:
        """A text to begin with, after the special tokens that the model was trained with (OPT: `</s>`)."""
        return self._tokenizer(text, verbose=False)["input_ids"]

    def chat(self, messages: Sequence[Message], written: str = "") -> list[int]:
        """A conversation in the model's own template, up to where its reply begins, and of that what is `written`.

        A system message goes before the first user's words if the template refuses it.
        """
        messages = [replace(message, content=self._harmless(message.content)) for message in messages]
        try:
            conversation = self._rendered(messages)
        except TemplateError:
            if messages[0].role != "system":
                raise
            system, first, *others = messages
            conversation = self._rendered([Message(first.role, f"{system.content}\n\n{first.content}"), *others])
        return self._read(conversation + self._harmless(written))

    def _rendered(self, messages: Sequence[Message]) -> str:
        return self._tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in messages],
            add_generation_prompt=True,
            tokenize=False,
            enable_thinking=False,  # where the template knows it: what is thought aloud would be the whole reply
        )

    def _harmless(self, text: str) -> str:
        """Words that mark turns in the template, written by a person, must not begin a turn."""
        for token in self._special:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        return text

    def tokens(self, text: str) -> list[int]:
        """A piece of text in the middle of another, as a conversation holds it."""
        return self._read(self._harmless(text))

    def _read(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]

    def text(self, tokens: list[int]) -> str:
        """What the tokens say, without special ones and without repairing anyone's spaces."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
