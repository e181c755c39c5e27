"""A tokenizer reduced to what this package needs: conversion between text and token ids, without options."""

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
        # transformers annotates nearly every value of a tokenizer as a union over all tokenizer classes.
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._special = [str(token) for token in self._tokenizer.added_tokens_decoder.values() if token.special]

    @property
    def model_max_length(self) -> int:
        """The largest number of tokens, as set by the tokenizer's author; 10**30 if they set none."""
        return int(self._tokenizer.model_max_length)

    @property
    def eos_token_id(self) -> int | None:
        return self._tokenizer.eos_token_id

    @property
    def bos_token_id(self) -> int:
        """The beginning-of-sequence token; for models without one, the end-of-sequence token."""
        first = self._tokenizer.bos_token_id
        return self._tokenizer.eos_token_id if first is None else first

    @property
    def can_chat(self) -> bool:
        return self._tokenizer.chat_template is not None

    def encode_prompt(self, text: str) -> list[int]:
        """Encode a prompt, with the special tokens that the model was trained with (OPT: `</s>`)."""
        return self._tokenizer(text, verbose=False)["input_ids"]

    def chat(self, messages: Sequence[Message], prefill: str = "") -> list[int]:
        """Encode a conversation in the model's chat template, up to its next reply, which begins with `prefill`.

        If the template refuses a system message, it is put before the first user message.
        """
        messages = [replace(message, content=self._escape(message.content)) for message in messages]
        try:
            conversation = self._apply_template(messages)
        except TemplateError:
            if messages[0].role != "system":
                raise
            system, first, *others = messages
            conversation = self._apply_template([Message(first.role, f"{system.content}\n\n{first.content}"), *others])
        return self._encode(conversation + self._escape(prefill))

    def _apply_template(self, messages: Sequence[Message]) -> str:
        return self._tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in messages],
            add_generation_prompt=True,
            tokenize=False,
            enable_thinking=False,  # if the template supports it: otherwise the reply would consist of reasoning
        )

    def _escape(self, text: str) -> str:
        """Break up special tokens in text from users, so that it can't begin a new message of the template."""
        for token in self._special:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        return text

    def encode(self, text: str) -> list[int]:
        """Encode a piece of text from the middle of a longer one, without special tokens."""
        return self._encode(self._escape(text))

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]

    def decode(self, tokens: list[int]) -> str:
        """Decode tokens, without special tokens and without changes to spaces."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
