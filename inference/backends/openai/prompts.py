"""Prompts for a model on a server: messages of the API. Tokens can only be estimated, since the server counts them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from typing import Any

from inference.pipelines.causal_lm.chat_entries import chat_entries, tool_schema
from inference.pipelines.causal_lm.prompts import PromptBuilder
from inference.pipelines.causal_lm.repetition import until_last_sentence
from inference.tasks import Message, Tool
from inference.types.errors import InvalidRequest

MAX_REASONING_TOKENS = 2048
"""Tokens of thoughts that precede one answer."""
_BYTES_PER_TOKEN = 3
"""A token has four letters in English, and is often one character of three bytes in Chinese: this counts too many."""
_MESSAGE_TOKENS = 8
"""Tokens around one message."""
_PICTURE_TOKENS = 1200
_MAX_PICTURE_SIDE = 1536
"""Larger pictures are made smaller, as servers do it anyway."""
_CONTINUE_MESSAGE = (
    "Go on with your last message, exactly where it ends. Repeat nothing of it, and add no introduction."
)
_CONTINUE_OPTIONS: dict[str, tuple[tuple[str, Any], ...]] = {
    "vllm": (("continue_final_message", True), ("add_generation_prompt", False)),
    "llamacpp": (),
    "library": (),
}
"""`owned_by` in the lists of vLLM, llama-server and Ollama, which go on with a last message of the assistant, and the
fields of a request for it."""


@dataclass(frozen=True, slots=True)
class ServerPrompt:
    """The `messages` of a chat, or a `text` to continue. `prefill` is the beginning of the reply.

    `num_tokens` is an estimate. `tools` and the messages are as the API describes them. `options` are fields of the
    request that one server needs.
    """

    num_tokens: int
    messages: tuple[dict[str, Any], ...] = ()
    text: str = ""
    prefill: str = ""
    options: tuple[tuple[str, Any], ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    thinking: bool = False

    def __len__(self) -> int:
        return self.num_tokens


class ServerPrompts(PromptBuilder[ServerPrompt]):
    """Builds prompts for a model on a server. One that can't chat continues texts.

    `owner` is what the server's list says about itself: some go on with a last message of the assistant, where others
    begin a new one.
    """

    def __init__(self, window: int, *, can_chat: bool = True, owner: str = "", thinks: bool = False) -> None:
        self.window = window
        self._can_chat = can_chat
        self._owner = owner
        self._thinks = thinks

    @property
    def can_chat(self) -> bool:
        return self._can_chat

    @property
    def can_lead(self) -> bool:
        return False

    @property
    def takes_tools(self) -> bool:
        return True

    def instruct(self, message: str, lead: str, system: str) -> ServerPrompt:
        return self.chat([Message("system", system), Message("user", message)], "")

    def plain(self, text: str) -> ServerPrompt:
        return ServerPrompt(self.count(text), text=text)

    def plain_end(self, text: str, max_new_tokens: int) -> ServerPrompt:
        return self.plain(self.end(text, self.max_prompt_tokens(max_new_tokens)))

    def chat(
        self, messages: list[Message], prefill: str, tools: Sequence[Tool] = (), *, thinking: bool = False
    ) -> ServerPrompt:
        entries = [_with_texts(entry) for entry in chat_entries(messages, takes_tools=True)]
        if prefill:
            entries.append({"role": "assistant", "content": prefill})
            if self._owner not in _CONTINUE_OPTIONS:
                entries.append({"role": "user", "content": _CONTINUE_MESSAGE})
        schemas = tuple(tool_schema(tool) for tool in tools)
        size = sum(self.count(entry["content"]) + _MESSAGE_TOKENS for entry in entries)
        size += self.count(json.dumps(schemas)) if schemas else 0
        options = _CONTINUE_OPTIONS.get(self._owner, ()) if prefill else ()
        return ServerPrompt(size, tuple(entries), "", prefill, options, schemas, thinking and not prefill)

    def picture(self, file: bytes, message: str) -> ServerPrompt:
        """Return a prompt with a picture and a text. Takes time, since the picture is decoded."""
        content = [
            {"type": "image_url", "image_url": {"url": _data_url(file)}},
            {"type": "text", "text": message},
        ]
        size = self.count(message) + _MESSAGE_TOKENS + _PICTURE_TOKENS
        return ServerPrompt(size, ({"role": "user", "content": content},))

    def reasoning_budget(self, prompt: ServerPrompt, max_new_tokens: int) -> int:
        """Return how many tokens the model may think after this prompt; 0 if it does not think, or has no room."""
        room = self.window - len(prompt) - max_new_tokens
        return min(MAX_REASONING_TOKENS, max(0, room)) if self._may_think(prompt) else 0

    def reserved_for_thoughts(self, tokens: ServerPrompt) -> int:
        return min(MAX_REASONING_TOKENS, self.window // 4) if self._may_think(tokens) else 0

    def _may_think(self, prompt: ServerPrompt) -> bool:
        return self._can_chat and (prompt.thinking or self._thinks)

    def check_fits(self, tokens: ServerPrompt, max_new_tokens: int) -> ServerPrompt:
        available = self.max_prompt_tokens(max_new_tokens)
        if len(tokens) > available:
            raise InvalidRequest(
                "This text has about {tokens:,} tokens, and with {new:,} new ones this model takes {most:,}. "
                "Shorten it, or choose a model that reads more.",
                tokens=len(tokens),
                new=max_new_tokens,
                most=available,
            )
        return tokens

    def count(self, text: str) -> int:
        return ceil(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN)

    def beginning(self, text: str, max_tokens: int) -> str:
        if self.count(text) <= max_tokens:
            return text
        data = text.encode("utf-8", "replace")[: max(0, max_tokens) * _BYTES_PER_TOKEN]
        return until_last_sentence(data.decode("utf-8", "ignore"))

    def end(self, text: str, max_tokens: int) -> str:
        data = text.encode("utf-8", "replace")
        return data[max(0, len(data) - max(0, max_tokens) * _BYTES_PER_TOKEN) :].decode("utf-8", "ignore")


def _with_texts(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a message with the arguments of its calls as text, which servers want."""
    calls = [
        {**call, "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
        for call in entry.get("tool_calls", ())
    ]
    return entry | {"tool_calls": calls} if calls else entry


def _data_url(file: bytes) -> str:
    """Return a picture as a JPEG in a URL. Which other formats a server reads is not known."""
    from inference.images.decoding import open_picture

    picture = open_picture(file, max_megapixels=float("inf"), max_edge=_MAX_PICTURE_SIDE)
    jpeg = BytesIO()
    picture.save(jpeg, "JPEG", quality=92)
    return f"data:image/jpeg;base64,{b64encode(jpeg.getvalue()).decode()}"
