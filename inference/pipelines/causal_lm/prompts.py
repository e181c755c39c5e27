"""The interface between the tasks and what generates their texts: the decoding loop, or a server.

A plan is a generator: it yields prompts, receives their continuations, and returns the result. The loop runs many plans
at once and knows nothing about tasks. What a prompt consists of is up to the one who generates: token ids here, the
messages of a request to a server there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence, Sized
from dataclasses import dataclass
from typing import Generic, TypeVar

from inference.tasks import FinishReason, Message, Tool
from inference.types import Output
from inference.types.errors import InvalidRequest

T = TypeVar("T", bound=Sized)
"""What a prompt consists of. Its length is counted in tokens."""


class PromptBuilder(ABC, Generic[T]):
    """Builds prompts for one model. `window` is the largest number of prompt and new tokens together."""

    window: int

    @property
    @abstractmethod
    def can_chat(self) -> bool:
        """Whether the model replies to messages, and does not only continue a text."""

    @property
    @abstractmethod
    def can_lead(self) -> bool:
        """Whether `instruct` can make the reply begin with given words."""

    @property
    @abstractmethod
    def takes_tools(self) -> bool:
        """Whether the model is told of tools."""

    @abstractmethod
    def instruct(self, message: str, lead: str, system: str) -> T:
        """Return a prompt for the instruction `message`. The reply is made to begin with `lead`, if that can be done.

        For a model that can't chat, the prompt is the plain text of `message` and `lead`.
        """

    @abstractmethod
    def plain(self, text: str) -> T:
        """Return a prompt that continues `text`."""

    @abstractmethod
    def plain_end(self, text: str, max_new_tokens: int) -> T:
        """Return a prompt from the end of `text` that leaves room for new tokens. Initial special tokens are kept."""

    @abstractmethod
    def chat(self, messages: list[Message], prefill: str, tools: Sequence[Tool] = (), *, thinking: bool = False) -> T:
        """Return the prompt for the next assistant message, which begins with `prefill`."""

    @abstractmethod
    def reserved_for_thoughts(self, tokens: T) -> int:
        """Return the part of the window that a conversation leaves to the thoughts that may follow it."""

    @abstractmethod
    def check_fits(self, tokens: T, max_new_tokens: int) -> T:
        """Return `tokens`. Raise InvalidRequest if they are empty or leave no room for `max_new_tokens`."""

    def max_prompt_tokens(self, max_new_tokens: int) -> int:
        """Return how many prompt tokens leave room for `max_new_tokens`. Raise InvalidRequest if none do."""
        if max_new_tokens >= self.window:
            raise InvalidRequest(
                "This model reads and writes {window:,} tokens in all, so it can't write {new:,}. Ask for fewer.",
                window=self.window,
                new=max_new_tokens,
            )
        return self.window - max_new_tokens

    @abstractmethod
    def count(self, text: str) -> int:
        """Return the number of tokens of `text`."""

    @abstractmethod
    def beginning(self, text: str, max_tokens: int) -> str:
        """Return the beginning of `text`, up to `max_tokens`, cut after a sentence or else after a word."""

    @abstractmethod
    def end(self, text: str, max_tokens: int) -> str:
        """Return the end of `text`, up to `max_tokens`."""


@dataclass(frozen=True, slots=True)
class Prompt(Generic[T]):
    """The tokens to continue, with generation parameters. The text ends before any of the strings in `stop`.

    With `stop_at_repetition` it also ends, as "length", before it repeats itself (see `find_repetition`), with
    `stop_at_loop` where it does nothing else any more (see `find_loop`), and with `sentence_after` at the end of the
    first sentence that ends after that many tokens. A text with `stream` is sent to the caller while it grows. `chat`
    marks the reply of a chat model. With `thoughts` the caller gets the model's thoughts too. With `calls_tools`, calls
    of tools are left out of what is streamed.
    """

    tokens: T
    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    stop_at_repetition: bool = False
    stop_at_loop: bool = False
    sentence_after: int = 0
    stream: bool = False
    chat: bool = False
    thoughts: bool = False
    calls_tools: bool = False


@dataclass(frozen=True, slots=True)
class Continuation:
    """The text that follows a prompt, the reason why it ended, and the thoughts before it if the prompt wants them."""

    text: str
    finish_reason: FinishReason
    thoughts: str = ""


Plan = Generator[list[Prompt[T]], list[Continuation], Output]
"""The first step raises InvalidRequest if the request does not fit the model's window."""
