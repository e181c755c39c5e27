"""Messages and tools as OpenAI's API describes them: chat templates read this form, and so do servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from inference.pipelines.causal_lm.tool_calls import parse_tool_calls
from inference.tasks import Message, Tool


def chat_entries(
    messages: Sequence[Message], *, takes_tools: bool, escape: Callable[[str], str] = str
) -> list[dict[str, Any]]:
    """Return the messages with calls of tools apart, each with an id that its result names.

    `escape` is applied to every text. The arguments of a call are an object.
    """
    entries: list[dict[str, Any]] = []
    unanswered: list[dict[str, Any]] = []
    num_calls = 0
    for message, following in zip(messages, [*messages[1:], None], strict=True):
        entry: dict[str, Any] = {"role": message.role}
        content = message.content
        if message.role == "assistant" and takes_tools:
            is_answered = following is not None and following.role == "tool"
            content, calls = parse_tool_calls(content, None if is_answered else ())
            if calls:
                unanswered = [
                    _call_entry(call.name, escape(call.arguments), number)
                    for number, call in enumerate(calls, num_calls)
                ]
                num_calls += len(calls)
                entry["tool_calls"] = [*unanswered]
        elif message.role == "tool" and unanswered:
            call = unanswered.pop(0)
            entry |= {"name": call["function"]["name"], "tool_call_id": call["id"]}
        entries.append(entry | {"content": escape(content)})
    return entries


def tool_schema(tool: Tool) -> dict[str, Any]:
    """Return a tool as the API describes it."""
    function = {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}
    return {"type": "function", "function": function}


def _call_entry(name: str, arguments: str, number: int) -> dict[str, Any]:
    """Return a call as templates read it. Those of Mistral want ids of nine letters and digits."""
    function = {"name": name, "arguments": json.loads(arguments)}
    return {"id": f"call{number:05}", "type": "function", "function": function}
