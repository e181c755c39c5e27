"""A tokenizer reduced to what this package needs: conversion between text and token ids, without options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from inference.pipelines.causal_lm.chat_template import ChatTemplate
from inference.pipelines.causal_lm.reasoning import reasoning_format
from inference.tasks import Message
from inference.types.errors import ModelUnavailable


class Tokenizer:
    """The tokenizer in `folder`, or inside its GGUF file."""

    def __init__(self, folder: Path, *, gguf_file: str = "") -> None:
        # transformers annotates nearly every value of a tokenizer as a union over all tokenizer classes.
        self._tokenizer: Any = _read(folder, gguf_file)
        self._template = ChatTemplate(self._tokenizer) if self.can_chat else None
        self.reasoning = reasoning_format(self._tokenizer) if self.can_chat else None
        self._special = [str(token) for token in self._tokenizer.added_tokens_decoder.values() if token.special]
        if self.reasoning:
            self._special += [marker for marker in self.reasoning.markers if marker not in self._special]

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

        If the template lets the model begin with thoughts, they are ended before `prefill`. Raise InvalidRequest if it
        refuses the conversation.
        """
        assert self._template, "this tokenizer has no chat template"
        messages = [replace(message, content=self.escape(message.content)) for message in messages]
        conversation = self._template.render(messages)
        tokens = self._encode(conversation)
        if not prefill:
            return tokens
        reasoning = self.reasoning.begin(tokens) if self.reasoning else None
        if reasoning and reasoning.thinking:
            return [*tokens, *reasoning.closing, *self._encode(self.escape(prefill))]
        return self._encode(conversation + self.escape(prefill))

    def escape(self, text: str) -> str:
        """Break up special tokens in text from users, so that it can't begin a new message of the template."""
        for token in self._special:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        return text

    def encode(self, text: str) -> list[int]:
        """Encode a piece of text from the middle of a longer one, without special tokens."""
        return self._encode(self.escape(text))

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]

    def decode(self, tokens: list[int]) -> str:
        """Decode tokens, without special tokens and without changes to spaces."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _read(folder: Path, gguf_file: str) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, gguf_file=gguf_file or None)
    except (OSError, ValueError, ImportError) as error:
        raise ModelUnavailable(
            "This model has no tokenizer that can be read: {reason}. The bot's operator has to pick another model.",
            reason=str(error).strip().splitlines()[0].rstrip("."),
        ) from error
