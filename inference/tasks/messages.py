"""The messages of a conversation, and the reasons why a generated text ends: for all tasks that write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length"]
"""Why a text ends: at the end token or a stop string ("stop"), or at the maximum number of tokens ("length")."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a conversation. One of the role "tool" has the result of a tool that the assistant called."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
