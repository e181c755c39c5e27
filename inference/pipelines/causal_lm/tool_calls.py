"""Calls of tools in what a model writes. Each family of models writes them in its own form.

Qwen, Hermes and SmolLM3: `<tool_call>{"name": "draw", "arguments": {"prompt": "a fox"}}</tool_call>`, also several.
Mistral: `[TOOL_CALLS][{"name": "draw", "arguments": {"prompt": "a fox"}}]`.
Llama 3: `{"name": "draw", "parameters": {"prompt": "a fox"}}` as the whole reply.

What only looks like a call, such as broken JSON, is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from inference.tasks import ToolCall

_START, _END, _LIST = "<tool_call>", "</tool_call>", "[TOOL_CALLS]"

CALL_MARKERS = (_START, _END, _LIST)
"""The strings, often tokens of their own, between which calls stand."""

TOOL_MARKERS = (*CALL_MARKERS, "<tool_response>", "</tool_response>", "<tools>", "</tools>")
"""The strings that show tools, calls and results to a model. People can't write them as tokens."""

_TAGGED = re.compile(rf"\s*{_START}(.*?)(?:{_END}|\Z)\s*", re.DOTALL)
_LISTED = re.compile(rf"\s*{re.escape(_LIST)}(.*)\Z", re.DOTALL)


def parse_tool_calls(text: str, names: Collection[str] | None = None) -> tuple[str, tuple[ToolCall, ...]]:
    """Return `text` without calls, and the calls. JSON without a marker is only a call of one of `names`, if given."""
    if (call := _call(_json(text))) and (names is None or call.name in names):
        return "", (call,)
    calls: list[ToolCall] = []

    def take(match: re.Match[str]) -> str:
        found = _calls(_json(match[1]))
        calls.extend(found)
        return "\n" if found else match[0]

    rest = _LISTED.sub(take, _TAGGED.sub(take, text))
    return (rest.strip() if calls else text), tuple(calls)


def text_before_calls(text: str) -> str:
    """Return how much of an unfinished text can be shown: what stands before anything that may become a call."""
    if text.lstrip().startswith("{"):
        return ""
    starts = [at for marker in (_START, _LIST) if (at := text.find(marker)) >= 0]
    if starts:
        return text[: min(starts)].rstrip()
    beginnings = (marker[:size] for marker in (_START, _LIST) for size in range(1, len(marker)))
    return text[: len(text) - max((len(start) for start in beginnings if text.endswith(start)), default=0)]


def _calls(value: Any) -> list[ToolCall]:
    """Return the calls in the content of one marker, an object or a list; none if a part of it is no call."""
    found = [_call(entry) for entry in (value if isinstance(value, list) else [value])]
    return [call for call in found if call] if all(found) else []


def _call(value: Any) -> ToolCall | None:
    """Return the call that a JSON object stands for; None if it stands for none."""
    if not isinstance(value, dict):
        return None
    entries: dict[str, Any] = value
    name, arguments = entries.get("name"), entries.get("arguments", entries.get("parameters"))
    arguments = _json(arguments) if isinstance(arguments, str) else arguments
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return ToolCall(name, json.dumps(arguments, ensure_ascii=False))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
