"""Talk with a chat model."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from inference.limits import Limits, SafetySection
from inference.tasks.checks import check_sampling, check_text
from inference.tasks.messages import FinishReason, Message, SamplingRequest
from inference.tasks.task import Task
from inference.types import ModelSpec, Output
from inference.types.errors import InvalidRequest, Phrase


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call. `parameters` is the JSON schema of its arguments, as text."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool by a model. `arguments` is a JSON object, as text."""

    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest(SamplingRequest):
    """Reply to the last of `messages`, which are oldest first; it is from a user, or from a tool.

    If the messages are too long for the model, the oldest are left out. `prefill` is the beginning of the reply, to be
    continued. The model may call `tools`; a model whose chat template takes none does not get them. `thinking` says
    whether a model that can think before it replies does so (None: as the configuration says). `context` is what was
    found in files and pictures for the last message; the model reads it before that message.
    """

    task = "chat"

    messages: tuple[Message, ...]
    prefill: str = ""
    max_new_tokens: int = 512
    tools: tuple[Tool, ...] = ()
    thinking: bool | None = None
    context: str = ""

    @property
    def work(self) -> float:
        return float(self.max_new_tokens)

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        last = next((message.content for message in reversed(self.messages) if message.role == "user"), "")
        check_text(Phrase("message"), last, limits.text_characters)
        if self.messages[-1].role not in ("user", "tool"):
            raise InvalidRequest("The last message is already a reply. Write something first.")
        check_sampling(limits, self.max_new_tokens, self.temperature, self.top_p, self.seed)

    def typed_texts(self) -> tuple[str, ...]:
        """Return the last message alone: one word of somebody else must not end everybody's conversation."""
        last = next((message.content for message in reversed(self.messages) if message.role == "user"), "")
        return (last,)

    def given_texts(self) -> tuple[str, ...]:
        return (*self.typed_texts(), self.context)

    def settings_of(self, spec: ModelSpec) -> dict[str, Any]:
        settings = SamplingRequest.settings_of(self, spec)  # `super()` does not work in a class with slots
        return settings | {"thinking": spec.thinking if self.thinking is None else self.thinking}


@dataclass(frozen=True, slots=True)
class ChatReply(Output):
    """The reply, or what follows the prefill. The same `seed` repeats it.

    `text` is for people. `thoughts` are what the model wrote before it, and `tool_calls` the tools that it calls;
    neither is in the text. `raw` is the text with the calls as the model wrote them: the content of the message that
    stands for this reply in the next request. `num_omitted` is the number of the oldest messages that were left out,
    since the model can't read so many.
    """

    text: str
    seed: int
    finish_reason: FinishReason
    thoughts: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    num_omitted: int = 0
    raw: str = ""

    def written_texts(self) -> tuple[str, ...]:
        return (self.text, self.thoughts)


TASK = Task(
    name="chat",
    summary="talk with a chat model",
    requests=(ChatRequest,),
    output=ChatReply,
    parts=(Tool, ToolCall),
)
