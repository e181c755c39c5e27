"""What passes between the plan of a task and the decoding loop.

A plan is a generator: it yields the prompts it wants continued, gets their continuations, and returns the result. The
loop runs many plans at once and knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from inference.types import Value


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids to continue, and how; `stop` ends the text before any of these strings.

    `once` ends it, without `ended`, before it says again what it has said (see `second_round`).
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
    """`ended` tells that the model came to an end by itself, or to a stop string, before it ran out of tokens."""

    text: str
    ended: bool


Plan = Generator[list[Prompt], list[Continuation], Value]
"""Its first step raises InvalidRequest if the request does not fit the model's window."""
