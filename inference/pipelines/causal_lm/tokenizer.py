"""A tokenizer reduced to what this package needs: conversion between text and token ids, without options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from inference.pipelines.causal_lm.chat_template import ChatTemplate
from inference.pipelines.causal_lm.reasoning import reasoning_format
from inference.pipelines.causal_lm.tool_calls import CALL_MARKERS, TOOL_MARKERS
from inference.tasks import Message, Tool
from inference.types.errors import ModelUnavailable


class Tokenizer:
    """The tokenizer in `folder`, or inside its GGUF file."""

    def __init__(self, folder: Path, *, gguf_file: str = "") -> None:
        # transformers annotates nearly every value of a tokenizer as a union over all tokenizer classes.
        self._tokenizer: Any = _read(folder, gguf_file)
        self.reasoning = reasoning_format(self._tokenizer) if self.can_chat else None
        added: dict[int, Any] = self._tokenizer.added_tokens_decoder
        special = {index: str(token) for index, token in added.items() if token.special}
        self._call_markers = {index: text for index, text in special.items() if text in CALL_MARKERS}
        markers = self.reasoning.markers if self.reasoning else ()
        tool_markers = [str(token) for token in added.values() if str(token) in TOOL_MARKERS]
        self._special = list(dict.fromkeys([*special.values(), *markers, *tool_markers]))
        self._template = ChatTemplate(self._tokenizer, self.escape) if self.can_chat else None

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

    @property
    def takes_tools(self) -> bool:
        """Whether there is a chat template that shows tools to the model."""
        return self._template is not None and self._template.takes_tools

    def chat(
        self, messages: Sequence[Message], prefill: str = "", tools: Sequence[Tool] = (), *, thinking: bool = False
    ) -> list[int]:
        """Encode a conversation in the model's chat template, up to its next reply, which begins with `prefill`.

        If the template lets the model begin with thoughts, they are ended before `prefill`. Raise InvalidRequest if it
        refuses the conversation.
        """
        assert self._template, "this tokenizer has no chat template"
        conversation = self._template.render(messages, tools, thinking=thinking)
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
        """Decode tokens without changes to spaces, and without special tokens other than those that mark calls."""
        for index, token in enumerate(tokens):
            if token in self._call_markers:
                before, after = tokens[:index], tokens[index + 1 :]
                return f"{self.decode(before)}{self._call_markers[token]}{self.decode(after)}"
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _read(folder: Path, gguf_file: str) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, gguf_file=gguf_file or None)
    except (OSError, ValueError, ImportError) as error:
        raise ModelUnavailable(
            "This model has no tokenizer that can be read: {reason}. The bot's operator has to pick another model.",
            reason=str(error).strip().splitlines()[0].rstrip("."),
        ) from error
