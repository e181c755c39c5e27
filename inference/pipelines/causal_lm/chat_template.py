"""Chat templates of tokenizers: what they accept is found when a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

from inference.tasks import Message
from inference.types.errors import InvalidRequest, ModelUnavailable

_ERRORS = (TemplateError, ValueError, TypeError, KeyError)
"""What templates raise: their own errors, and those of transformers and jinja for content that they do not expect."""

_SYSTEM, _QUESTION = Message("system", "Be brief."), Message("user", "Hello")


class ChatTemplate:
    """The template of one tokenizer. Templates differ in whether content is a text or a list of parts.

    Some refuse system messages; these are then put before the first user message.
    """

    def __init__(self, tokenizer: Any) -> None:
        """Raise ModelUnavailable if the template never works."""
        self._tokenizer = tokenizer
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

    def render(self, messages: Sequence[Message]) -> str:
        """Return the conversation as a text, up to the beginning of the next reply. Raise InvalidRequest."""
        try:
            return self._render(messages)
        except _ERRORS as error:
            raise InvalidRequest(
                "The model's chat template refuses this conversation: {reason}", reason=str(error)
            ) from error

    def _render(self, messages: Sequence[Message]) -> str:
        messages = messages if self._system_allowed else _without_system(messages)
        return self._tokenizer.apply_chat_template(
            [{"role": message.role, "content": self._content(message.content)} for message in messages],
            add_generation_prompt=True,
            tokenize=False,
            enable_thinking=False,  # if the template supports it: otherwise the reply would consist of reasoning
        )

    def _content(self, text: str) -> object:
        return [{"type": "text", "text": text}] if self._in_parts else text


def _without_system(messages: Sequence[Message]) -> Sequence[Message]:
    """Put the system message before the first user message."""
    if messages[0].role != "system":
        return messages
    system, first, *others = messages
    return [Message(first.role, f"{system.content}\n\n{first.content}"), *others]
