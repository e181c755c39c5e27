"""Completion of a text, or of a conversation."""

from __future__ import annotations

from dataclasses import replace

from inference.pipelines.causal_lm.conversation import reply_prompt
from inference.pipelines.causal_lm.prompts import Plan, Prompt, PromptBuilder, T
from inference.tasks import CompleteRequest, Completion, Message

_TEMPERATURE = 0.8
"""Used if neither the request nor the configuration sets a temperature."""


def complete(template: PromptBuilder[T], request: CompleteRequest) -> Plan[T]:
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


def _plain(template: PromptBuilder[T], request: CompleteRequest) -> T:
    """Return the whole conversation as one text, or its end if it is too long. A prompt alone is never shortened."""
    text = "".join([*(message.content for message in request.messages), request.prompt, request.prefill])
    return template.plain(text) if text == request.prompt else template.plain_end(text, request.max_new_tokens)


def _chat(template: PromptBuilder[T], request: CompleteRequest) -> T:
    """Return the conversation, shortened to fit: without the oldest messages, then without the prefill's start."""
    messages = (*request.messages, Message("user", request.prompt))
    tokens, _ = reply_prompt(template, messages, request.max_new_tokens, system=request.system, prefill=request.prefill)
    return tokens
