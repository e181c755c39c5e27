"""The interface between the tasks and the decoding loop.

A plan is a generator: it yields prompts, receives their continuations, and returns the result. The loop runs many plans
at once and knows nothing about tasks.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from inference.tasks import FinishReason
from inference.types import Output


@dataclass(frozen=True, slots=True)
class Prompt:
    """The token ids to continue, with generation parameters. The text ends before any of the strings in `stop`.

    With `stop_at_repetition` it also ends, as "length", before it repeats itself (see `find_repetition`), with
    `stop_at_loop` where it does nothing else any more (see `find_loop`), and with `sentence_after` at the end of the
    first sentence that ends after that many tokens. A text with `stream` is sent to the caller while it grows. `chat`
    marks the reply of a chat model. With `thoughts` the caller gets the model's thoughts too. With `calls_tools`, calls
    of tools are left out of what is streamed.
    """

    tokens: list[int]
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


Plan = Generator[list[Prompt], list[Continuation], Output]
"""The first step raises InvalidRequest if the request does not fit the model's window."""
