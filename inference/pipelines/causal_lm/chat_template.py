"""Chat templates of tokenizers: what they accept is found when a model is loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import TemplateError

from inference.pipelines.causal_lm.chat_entries import chat_entries, tool_schema
from inference.tasks import Message, Tool
from inference.types.errors import InvalidRequest, ModelUnavailable

_ERRORS = (TemplateError, ValueError, TypeError, KeyError)
"""What templates raise: their own errors, and those of transformers and jinja for content that they do not expect."""

_SYSTEM, _QUESTION = Message("system", "Be brief."), Message("user", "Hello")
_TOOL = Tool("find_weather", "Find the weather.", '{"type": "object", "properties": {"city": {"type": "string"}}}')
_CALL = Message("assistant", '<tool_call>{"name": "find_weather", "arguments": {"city": "Oslo"}}</tool_call>')
_RESULT = Message("tool", "It snows.")


class ChatTemplate:
    """The template of one tokenizer. Templates differ in whether content is a text or a list of parts.

    Some refuse system messages; these are then put before the first user message. Some have no place for tools.
    `escape` breaks up special tokens in a text.
    """

    def __init__(self, tokenizer: Any, escape: Callable[[str], str]) -> None:
        """Raise ModelUnavailable if the template never works."""
        self._tokenizer = tokenizer
        self._escape = escape
        self.takes_tools = False
        """Whether the template shows tools to the model, and their calls and results."""
        self._find_form()
        self.takes_tools = True
        self.takes_tools = self._shows_tools()

    def render(self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, thinking: bool = False) -> str:
        """Return the conversation as a text, up to the beginning of the next reply. Raise InvalidRequest.

        A model that can think does so with `thinking`, if its template leaves it the choice.
        """
        try:
            return self._render(messages, tools, thinking=thinking)
        except _ERRORS as error:
            raise InvalidRequest(
                "The model's chat template refuses this conversation: {reason}", reason=str(error)
            ) from error

    def _find_form(self) -> None:
        """Find out whether system messages are allowed, and whether content is in parts. Raise ModelUnavailable."""
        failure: Exception | str = "it leaves out what people write"
        for self._system_allowed in (True, False):
            for self._in_parts in (False, True):
                try:
                    if _QUESTION.content in self._render([_SYSTEM, _QUESTION]):
                        return
                except _ERRORS as error:
                    failure = error
        raise ModelUnavailable(
            "The chat template of this model does not work: {reason}. The bot's operator has to repair or remove it.",
            reason=str(failure),
        ) from (failure if isinstance(failure, Exception) else None)

    def _shows_tools(self) -> bool:
        try:
            offered = self._render([_SYSTEM, _QUESTION], [_TOOL])
            answered = self._render([_SYSTEM, _QUESTION, _CALL, _RESULT], [_TOOL])
        except _ERRORS:
            return False
        return _TOOL.description in offered and "Oslo" in answered and _RESULT.content in answered

    def _render(self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, thinking: bool = False) -> str:
        messages = messages if self._system_allowed else _without_system(messages)
        options = {"tools": [tool_schema(tool) for tool in tools]} if tools else {}
        return self._tokenizer.apply_chat_template(
            [
                entry | {"content": self._content(entry["content"])}
                for entry in chat_entries(messages, takes_tools=self.takes_tools, escape=self._escape)
            ],
            add_generation_prompt=True,
            tokenize=False,
            enable_thinking=thinking,  # if the template supports it
            **options,
        )

    def _content(self, text: str) -> object:
        return [{"type": "text", "text": text}] if self._in_parts else text


def _without_system(messages: Sequence[Message]) -> Sequence[Message]:
    """Put the system message before the first user message."""
    if messages[0].role != "system":
        return messages
    system, first, *others = messages
    return [Message(first.role, f"{system.content}\n\n{first.content}"), *others]
