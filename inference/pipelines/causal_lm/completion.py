"""Going on with a text, or with a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.tasks import CompleteRequest, Completion, Message

_TEMPERATURE = 0.8
"""Where neither the request nor the operator names one."""


def complete(instructions: PromptTemplate, request: CompleteRequest) -> Plan:
    """`n` texts from one prompt, of which the first is shown."""
    chat = instructions.can_chat
    tokens = (_chat if chat else _plain)(instructions, request)
    seed = request.seed or 0
    first = Prompt(
        instructions.fitting(tokens, request.max_new_tokens),
        request.max_new_tokens,
        _TEMPERATURE if request.temperature is None else request.temperature,
        request.top_p,
        request.repetition_penalty,
        seed,
        request.stop,
        shown=True,
        chat=chat,
    )
    text, *others = yield [first, *(replace(first, seed=seed + i, shown=False) for i in range(1, request.n))]
    return Completion(text.text, seed, tuple(other.text for other in others), text.finish_reason, chat)


def _plain(instructions: PromptTemplate, request: CompleteRequest) -> list[int]:
    """All that was said and written as one text, or its end. A prompt alone stays whole."""
    text = "".join([*(turn.content for turn in request.messages), request.prompt, request.prefill])
    return (
        instructions.plain(text) if text == request.prompt else instructions.end_of_plain(text, request.max_new_tokens)
    )


def _chat(instructions: PromptTemplate, request: CompleteRequest) -> list[int]:
    """The conversation without its oldest turns, if need be, and then without the beginning of what was written."""
    room = instructions.room(request.max_new_tokens)
    turns, written = _from_person(request.messages), request.prefill
    tokens = instructions.chat(_messages(request, turns), written)
    while len(tokens) > room and turns:
        turns = _from_person(turns[1:])
        tokens = instructions.chat(_messages(request, turns), written)
    if len(tokens) > room and written:
        written = instructions.end(written, instructions.count(written) + room - len(tokens))
        tokens = instructions.chat(_messages(request, ()), written)
    return tokens


def _from_person(turns: Sequence[Message]) -> Sequence[Message]:
    """Without what the model said first: many templates want a person to begin."""
    first = next((i for i, turn in enumerate(turns) if turn.role == "user"), len(turns))
    return turns[first:]


def _messages(request: CompleteRequest, turns: Sequence[Message]) -> list[Message]:
    """The system line, the turns and the prompt. Turns of one speaker become one: many templates want them in turn."""
    messages = [Message("system", request.system)] if request.system else []
    for turn in (*turns, Message("user", request.prompt)):
        role = "user" if turn.role == "user" else "assistant"
        if messages and messages[-1].role == role:
            messages[-1] = Message(role, f"{messages[-1].content}\n{turn.content}")
        else:
            messages.append(Message(role, turn.content))
    return messages
