"""What the tasks that write have in common: messages of a conversation, sampling, and why a text ends."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from inference.tasks.checks import new_seed
from inference.tasks.request import GENERATION_BATCH_KEY, Request
from inference.types import ModelSpec

FinishReason = Literal["stop", "length"]
"""Why a text ends: at the end token or a stop string ("stop"), or at the maximum number of tokens ("length")."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a conversation. One of the role "tool" has the result of a tool that the assistant called."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplingRequest(Request):
    """A request for a text that is sampled token by token.

    `system` is the system message of chat models. `temperature` 0 is greedy, None the model's usual value; `top_p` is
    for nucleus sampling (Holtzman et al. 2019).
    """

    system: str = ""
    max_new_tokens: int = 64
    temperature: float | None = None
    top_p: float = 0.95
    seed: int | None = None

    @property
    def batch_key(self) -> Hashable:
        return GENERATION_BATCH_KEY

    def resolved(self, spec: ModelSpec) -> Self:
        return replace(self, **self.settings_of(spec))

    def settings_of(self, spec: ModelSpec) -> dict[str, Any]:
        """Return the values of the fields that the model's settings fill in, and a seed."""
        return {
            "system": self.system or spec.system,
            "temperature": spec.temperature if self.temperature is None else self.temperature,
            "seed": new_seed() if self.seed is None else self.seed,
        }
