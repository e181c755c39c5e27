"""Conversations: the prompts for the next reply, as long as the model's window allows, and the plan of a reply."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from inference.pipelines.causal_lm.prompts import Plan, Prompt, PromptBuilder, T
from inference.pipelines.causal_lm.tool_calls import parse_tool_calls
from inference.tasks import ChatReply, ChatRequest, Message, Tool
from inference.types.errors import InvalidRequest, ModelUnavailable

_TEMPERATURE = 0.7
"""Used if neither the request nor the configuration sets a temperature."""


def chat(template: PromptBuilder[T], request: ChatRequest) -> Plan[T]:
    """Reply to the last message. The reply is streamed, and so are the thoughts before it."""
    if not template.can_chat:
        raise ModelUnavailable("This model has no chat template, so it can't hold a conversation. Choose another one.")
    tools = request.tools if template.takes_tools else ()
    max_new_tokens, seed = request.max_new_tokens, request.seed or 0
    tokens, num_omitted = reply_prompt(
        template,
        _with_context(template, request),
        max_new_tokens,
        system=request.system,
        prefill=request.prefill,
        tools=tools,
        thinking=bool(request.thinking),
    )
    _check_system_fits(template, request.system, max_new_tokens)
    prompt = Prompt(
        template.check_fits(tokens, max_new_tokens),
        max_new_tokens,
        _TEMPERATURE if request.temperature is None else request.temperature,
        request.top_p,
        seed=seed,
        stream=True,
        stop_at_loop=True,
        chat=True,
        thoughts=True,
        calls_tools=bool(tools),
    )
    (reply,) = yield [prompt]
    text, calls = parse_tool_calls(reply.text, {tool.name for tool in tools}) if tools else (reply.text, ())
    return ChatReply(text, seed, reply.finish_reason, reply.thoughts, calls, num_omitted, raw=reply.text)


def _with_context(template: PromptBuilder[T], request: ChatRequest) -> Sequence[Message]:
    """Put what was found for the last message of a user before it, in at most half of the window."""
    if not request.context:
        return request.messages
    context = template.beginning(request.context, template.max_prompt_tokens(request.max_new_tokens) // 2)
    last = max(index for index, message in enumerate(request.messages) if message.role == "user")
    messages = [*request.messages]
    messages[last] = Message("user", f"{context}\n\n{messages[last].content}")
    return messages


def reply_prompt(
    template: PromptBuilder[T],
    messages: Sequence[Message],
    max_new_tokens: int,
    *,
    system: str,
    prefill: str,
    tools: Sequence[Tool] = (),
    thinking: bool = False,
) -> tuple[T, int]:
    """Return the prompt for the next reply, and how many of the oldest messages are left out so that it fits.

    It begins with a user's message: many templates require that. The last one of a user stays, with all that follows
    it. If that does not fit either, the beginning of the prefill is left out. The prompt may still be too long.
    """

    def tokens_from(start: int, prefill: str = prefill) -> T:
        kept = _merged(messages[start:], takes_tools=template.takes_tools)
        with_system = [Message("system", system), *kept] if system else kept
        return template.chat(with_system, prefill, tools, thinking=thinking)

    starts = [index for index, message in enumerate(messages) if message.role == "user"]
    tokens = tokens_from(starts[0])
    room = template.max_prompt_tokens(max_new_tokens) - template.reserved_for_thoughts(tokens)
    if len(tokens) <= room:
        return tokens, 0
    start = starts[bisect_left(starts[:-1], True, key=lambda start: len(tokens_from(start)) <= room)]
    tokens = tokens_from(start)
    if len(tokens) > room and prefill:
        tokens = tokens_from(start, template.end(prefill, template.count(prefill) + room - len(tokens)))
    return tokens, start if start > starts[0] else 0


def _merged(messages: Sequence[Message], *, takes_tools: bool) -> list[Message]:
    """Merge consecutive messages of one role: many templates require it. Without tools, results are a user's."""
    merged: list[Message] = []
    for message in messages:
        role = "user" if message.role == "tool" and not takes_tools else message.role
        if merged and merged[-1].role == role != "tool":
            merged[-1] = Message(role, f"{merged[-1].content}\n{message.content}")
        else:
            merged.append(Message(role, message.content))
    return merged


def _check_system_fits(template: PromptBuilder[T], system: str, max_new_tokens: int) -> None:
    """Refuse a system message that leaves no room for a conversation."""
    tokens, available = template.count(system), template.max_prompt_tokens(max_new_tokens)
    if tokens >= available:
        raise InvalidRequest(
            "The system prompt alone has {tokens:,} tokens, and with {new:,} new ones this model takes {most:,}. "
            "Shorten it, or choose a model that reads more.",
            tokens=tokens,
            new=max_new_tokens,
            most=available,
        )
