"""Completion of a text, or of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.tasks import CompleteRequest, Completion, Message

_TEMPERATURE = 0.8
"""Used if neither the request nor the configuration sets a temperature."""


def complete(template: PromptTemplate, request: CompleteRequest) -> Plan:
    """Generate `n` texts from one prompt. The first one is streamed."""
    chat = template.can_chat
    tokens = (_chat if chat else _plain)(template, request)
    seed = request.seed or 0
    first = Prompt(
        template.check_fits(tokens, request.max_new_tokens),
        request.max_new_tokens,
        _TEMPERATURE if request.temperature is None else request.temperature,
        request.top_p,
        request.repetition_penalty,
        seed,
        request.stop,
        sentence_after=request.max_new_tokens * 2 // 3 if request.whole_sentences else 0,
        stream=True,
        chat=chat,
    )
    text, *other_texts = yield [first, *(replace(first, seed=seed + i, stream=False) for i in range(1, request.n))]
    return Completion(text.text, seed, tuple(other.text for other in other_texts), text.finish_reason, chat)


def _plain(template: PromptTemplate, request: CompleteRequest) -> list[int]:
    """Return the whole conversation as one text, or its end if it is too long. A prompt alone is never shortened."""
    text = "".join([*(message.content for message in request.messages), request.prompt, request.prefill])
    return template.plain(text) if text == request.prompt else template.plain_end(text, request.max_new_tokens)


def _chat(template: PromptTemplate, request: CompleteRequest) -> list[int]:
    """Return the conversation, shortened to fit: without the oldest messages, then without the prefill's start."""
    max_prompt_tokens = template.max_prompt_tokens(request.max_new_tokens)
    messages, prefill = _from_user(request.messages), request.prefill
    tokens = template.chat(_messages(request, messages), prefill)
    while len(tokens) > max_prompt_tokens and messages:
        messages = _from_user(messages[1:])
        tokens = template.chat(_messages(request, messages), prefill)
    if len(tokens) > max_prompt_tokens and prefill:
        prefill = template.end(prefill, template.count(prefill) + max_prompt_tokens - len(tokens))
        tokens = template.chat(_messages(request, ()), prefill)
    return tokens


def _from_user(messages: Sequence[Message]) -> Sequence[Message]:
    """Drop leading assistant messages: many templates require a user message first."""
    first = next((i for i, message in enumerate(messages) if message.role == "user"), len(messages))
    return messages[first:]


def _messages(request: CompleteRequest, history: Sequence[Message]) -> list[Message]:
    """Return system message, history and prompt. Merge consecutive messages of one role: many templates require it."""
    merged = [Message("system", request.system)] if request.system else []
    for message in (*history, Message("user", request.prompt)):
        role = "user" if message.role == "user" else "assistant"
        if merged and merged[-1].role == role:
            merged[-1] = Message(role, f"{merged[-1].content}\n{message.content}")
        else:
            merged.append(Message(role, message.content))
    return merged
