"""What passes between the plan of a task and the decoding loop.

A plan is a generator: it yields the prompts it wants continued, gets their continuations, and returns the result. The
loop runs many plans at once and knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from inference.tasks import FinishReason
from inference.types import Output


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids to continue, and how; `stop` ends the text before any of these strings.

    `once` ends it, as "length", before it repeats itself (see `find_repetition`).
    `shown` texts are told to the caller as they grow; `chat` marks one that answers instead of going on.
    """

    tokens: list[int]
    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    once: bool = False
    shown: bool = False
    chat: bool = False


@dataclass(frozen=True, slots=True)
class Continuation:
    """The text that follows a prompt, and why it ends there."""

    text: str
    finish_reason: FinishReason


Plan = Generator[list[Prompt], list[Continuation], Output]
"""Its first step raises InvalidRequest if the request does not fit the model's window."""
