"""Separation of a model's thoughts from its answer, by the model's own tokens.

A thinking model writes its thoughts between two special tokens, or into a channel of its own (gpt-oss). Thoughts are
no part of the answer, and they have a limit of their own. At the limit the tokens that end them are put into the text
in place of the model's choice, so that there is always room for the answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

_PAIRS = (
    ("<think>", "</think>"),  # DeepSeek R1, Qwen 3, SmolLM 3 and many others
    ("[THINK]", "[/THINK]"),  # Magistral
    ("<|channel>", "<channel|>"),  # Gemma 4
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
    ("<seed:think>", "</seed:think>"),  # Seed-OSS
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
)
"""Tokens that begin and end thoughts, from the chat templates of these models."""


def split_thoughts(text: str) -> tuple[str, str]:
    """Return the thoughts and the answer in a text so far that may have the markers of thoughts in it.

    A beginning that may become a marker belongs to neither. Some models write the end of their thoughts alone, since
    their prompt has the beginning.
    """
    begun = text.lstrip()
    for start, end in _PAIRS:
        if begun.startswith(start):
            thoughts, _, answer = begun.removeprefix(start).partition(end)
            return thoughts.strip(), answer.lstrip()
        if begun and start.startswith(begun):
            return "", ""
        if end in text:
            thoughts, _, answer = text.partition(end)
            return thoughts.strip(), answer.lstrip()
    return "", text


Part = Literal["answer", "thoughts", "marker"]
"""What a token belongs to: the answer, the thoughts, or what separates the two."""


class Reasoning(ABC):
    """The state of one text: whether its next token belongs to the model's thoughts."""

    thinking: bool

    answering: bool = False
    """Whether the thoughts have been ended."""

    @property
    @abstractmethod
    def closing(self) -> tuple[int, ...]:
        """The tokens that end thoughts here and begin the answer."""

    @abstractmethod
    def add(self, token: int) -> Part:
        """Note the next token. Return what it belongs to."""


class ReasoningFormat(ABC):
    """How the models of one tokenizer mark their thoughts, with `markers`."""

    markers: tuple[str, ...]

    @abstractmethod
    def begin(self, prompt: Sequence[int]) -> Reasoning:
        """Return the state after a prompt."""


def reasoning_format(tokenizer: Any) -> ReasoningFormat | None:
    """Return the format of a tokenizer of transformers; None if it has no tokens for thoughts."""
    vocabulary: dict[str, int] = tokenizer.get_added_vocab()
    if {"<|channel|>", "<|message|>"} <= vocabulary.keys():
        return _ChannelFormat(tokenizer)
    for start, end in _PAIRS:
        if start in vocabulary and end in vocabulary:
            return _PairFormat(vocabulary, start, end)
    return None


class _PairFormat(ReasoningFormat):
    def __init__(self, vocabulary: dict[str, int], *markers: str) -> None:
        self.markers = markers
        self._start, self._end = (vocabulary[marker] for marker in markers)

    def begin(self, prompt: Sequence[int]) -> Reasoning:
        last = next((token for token in reversed(prompt) if token in (self._start, self._end)), None)
        state = _Pair(self._start, self._end)
        if last is not None:
            state.add(last)
        return state


class _Pair(Reasoning):
    def __init__(self, start: int, end: int) -> None:
        self._start = start
        self._end = end
        self.thinking = False

    @property
    def closing(self) -> tuple[int, ...]:
        return (self._end,)

    def add(self, token: int) -> Part:
        part = "marker" if token in (self._start, self._end) else "thoughts" if self.thinking else "answer"
        self.thinking = token == self._start or (self.thinking and token != self._end)
        self.answering = token == self._end or (self.answering and token != self._start)
        return part


class _ChannelFormat(ReasoningFormat):
    """OpenAI's harmony format (https://cookbook.openai.com/articles/openai-harmony): channel `final` has the answer."""

    markers = ("<|start|>", "<|channel|>", "<|message|>", "<|end|>")

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def begin(self, prompt: Sequence[int]) -> Reasoning:
        state = _Channels(self._tokenizer)
        for token in prompt:
            state.add(token)
        return state


class _Channels(Reasoning):
    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._channel, self._message, self._end = tokenizer.convert_tokens_to_ids(
            ["<|channel|>", "<|message|>", "<|end|>"]
        )
        self._header: list[int] = []
        self._in_message = False
        self.thinking = False

    @property
    def closing(self) -> tuple[int, ...]:
        begin_answer = "<|channel|>final<|message|>"
        text = f"<|end|><|start|>assistant{begin_answer}" if self._in_message else begin_answer
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def add(self, token: int) -> Part:
        if token in (self._channel, self._end):
            self.thinking, self._in_message, self._header = True, False, []
            return "marker"
        if token == self._message:
            channel = self._tokenizer.decode(self._header).strip()
            self.thinking, self._in_message = not channel.startswith("final"), True
            self.answering = channel.startswith("final")
            return "marker"
        if self._in_message:
            return "thoughts" if self.thinking else "answer"
        self._header.append(token)
        return "marker" if self.thinking else "answer"
